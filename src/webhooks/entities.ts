import { defineEntity, p } from '@mikro-orm/core';

export const webhookEvents = ['JOB_COMPLETED', 'JOB_FAILED', 'JOB_CANCELLED'] as const;
export type WebhookEvent = (typeof webhookEvents)[number];

export const webhookDeliveryStatuses = ['PENDING', 'DELIVERED', 'FAILED'] as const;
export type WebhookDeliveryStatus = (typeof webhookDeliveryStatuses)[number];

/** One message about one job's end. Its payload is not stored: a final job does not change any more. */
export const WebhookDeliveryEntity = defineEntity({
  name: 'WebhookDelivery',
  tableName: 'webhook_delivery',
  properties: {
    id: p.uuid().primary(),
    workspaceId: p.uuid(),
    jobId: p.uuid(),
    url: p.text(),
    event: p.enum(() => webhookEvents),
    status: p.enum(() => webhookDeliveryStatuses).default('PENDING'),
    attemptCount: p.integer().default(0),
    lastResponseStatus: p.integer().nullable(),
    lastError: p.text().nullable(),
    deliveredAt: p.datetime().nullable(),
  },
  indexes: [{ name: 'webhook_delivery_job_index', properties: ['jobId', 'id'] }],
});
