import { builder } from '../builder.ts';
import { findVisibleJob } from '../queries/visible-job.ts';
import { JobType } from './job.ts';
import { WebhookDeliveryType } from './webhook-delivery.ts';

/* The job of a delivery, in a file of its own: a job has deliveries, and these have it. */

builder.objectField(WebhookDeliveryType, 'job', (t) =>
  t.field({
    type: JobType,
    nullable: true,
    description: 'READ. The job whose end it reports; null after the job was deleted.',
    authScopes: { anyOf: ['READ'] },
    resolve: ({ jobId }, _args, context) => findVisibleJob(context, jobId),
  }),
);
