import { z } from 'zod';
import { httpUrl } from '../../input.ts';
import { source } from '../../jobs/types/sources.ts';
import { answer } from '../core/answer.ts';
import { jsonBody } from '../core/request-body.ts';
import type { Route } from '../core/call.ts';
import { submissionRoute } from '../core/submit.ts';
import { wholeSeconds } from '../core/timestamps.ts';
import { videoConduitTypes } from './videoconduit-types.ts';

/** What all operations have in common. Other fields are kept as the job's parameters. */
const body = jsonBody({
  url: source.describe('Source video or audio URL, or upload:ID.'),
  webhook_url: httpUrl.nullish().describe('Told when this job has ended.'),
});

const created = z.object({
  job_id: z.uuid(),
  job_type: z.enum(videoConduitTypes),
  status: z.literal('pending'),
  credits_charged: z.int(),
  created_at: z.string(),
});

const places = { type: [], input: [], webhookUrl: ['webhook_url'], renamed: { sourceUrl: 'url' } };

/** POST /v1/download and its like. */
export const submissionRoutes: readonly Route[] = videoConduitTypes.map((type) =>
  submissionRoute({
    path: `/v1/${type}`,
    summary: `Start a ${type} job`,
    body,
    answers: { 202: { description: 'The job was created.', schema: created } },
    places,
    submission({ body: { webhook_url: webhookUrl, ...parameters } }) {
      // Workers read the source from one place, whatever surface the job came through.
      return { type, input: { ...parameters, sourceUrl: parameters.url }, webhookUrl };
    },
    accepted: (_call, job) =>
      answer(202, {
        job_id: job.id,
        job_type: type,
        status: 'pending',
        credits_charged: job.creditsCharged,
        created_at: wholeSeconds(job.createdAt),
      } satisfies z.output<typeof created>),
  }),
);
