import type { WebhookDelivery } from '../../webhooks/deliveries.ts';
import type { WebhookDeliveryStatus, WebhookEvent } from '../../webhooks/entities.ts';
import { createdAtOf } from '../../database/ids.ts';
import { builder, globalIdDescription } from '../builder.ts';
import { toGlobalId } from '../global-id.ts';

export const WebhookDeliveryStatusType = builder.enumType('WebhookDeliveryStatus', {
  description: 'The state of a delivery.',
  values: {
    PENDING: { description: 'Waiting for its first or next try.' },
    DELIVERED: { description: 'Answered with 2xx.' },
    FAILED: { description: 'Every try failed. redeliverWebhook starts over.' },
  } satisfies Record<WebhookDeliveryStatus, { description: string }>,
});

const WebhookEventType = builder.enumType('WebhookEvent', {
  description: 'The event that a delivery reports.',
  values: {
    JOB_COMPLETED: { description: 'The job ended with a result.' },
    JOB_FAILED: { description: 'The job failed for good.' },
    JOB_CANCELLED: { description: 'The job was cancelled.' },
  } satisfies Record<WebhookEvent, { description: string }>,
});

export const WebhookDeliveryType = builder.objectRef<WebhookDelivery>('WebhookDelivery');

builder.objectType(WebhookDeliveryType, {
  description: "One message about one job's end, and what became of it.",
  interfaces: [builder.nodeInterfaceRef()],
  fields: (t) => ({
    id: t.id({
      nullable: false,
      description: globalIdDescription,
      resolve: ({ id }) => toGlobalId('WebhookDelivery', id),
    }),
    url: t.expose('url', { type: 'URL', nullable: false, description: 'The URL that it is sent to.' }),
    event: t.expose('event', { type: WebhookEventType, nullable: false, description: 'The event that it reports.' }),
    status: t.expose('status', { type: WebhookDeliveryStatusType, nullable: false, description: 'The state of the delivery.' }),
    attemptCount: t.exposeInt('attemptCount', { nullable: false, description: 'Tries so far.' }),
    lastResponseStatus: t.exposeInt('lastResponseStatus', { description: 'HTTP status of the last answer, if any.' }),
    lastError: t.exposeString('lastError', { description: 'Why the last try failed.' }),
    createdAt: t.field({ type: 'DateTime', nullable: false, description: "When the job's end was recorded.", resolve: ({ id }) => createdAtOf(id) }),
    deliveredAt: t.expose('deliveredAt', { type: 'DateTime', nullable: true, description: 'When it was answered with 2xx.' }),
  }),
});

export const WebhookDeliveryConnection = builder.connectionObject(
  { type: WebhookDeliveryType, name: 'WebhookDeliveryConnection', description: 'A page of deliveries.' },
  { name: 'WebhookDeliveryEdge', description: 'A delivery and its place in the list.' },
);
