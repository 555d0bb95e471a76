import { defineEntity, p } from '@mikro-orm/core';

export const webhookEvents = ['JOB_COMPLETED', 'JOB_FAILED', 'JOB_CANCELLED'] as const;
export type WebhookEvent = (typeof webhookEvents)[number];

export const webhookDeliveryStatuses = ['PENDING', 'DELIVERED', 'FAILED'] as const;
export type WebhookDeliveryStatus = (typeof webhookDeliveryStatuses)[number];

/** Waits for a try. Literal, because the planner proves that a partial index applies only from constants. */
export const sqlPending = `webhook_delivery.status = 'PENDING'`;

/** What a delivery's status becomes, as SQL. */
export const sqlBecomes = {
  /** Asked for again. */
  pending: `status = 'PENDING'`,
  /** No try is left. */
  failed: `status = 'FAILED'`,
  /** Where the condition holds. */
  deliveredWhen: (condition: string) => `status = CASE WHEN ${condition} THEN 'DELIVERED' ELSE status END`,
} as const;

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
    /**
     * The tries that are in force: the delivery's own id, and a new one when somebody asks for it to be sent again. What
     * an earlier series still has in the queue or on the wire changes nothing here any more.
     */
    seriesId: p.uuid(),
    /** Whether the queue has the series: until then the row itself is the entry in the outbox. */
    relayed: p.boolean().default(false),
  },
  indexes: [
    { name: 'webhook_delivery_job_index', properties: ['jobId', 'id'] },
    { name: 'webhook_delivery_pending_index', properties: ['relayed', 'id'], where: sqlPending.replace('webhook_delivery.', '') },
  ],
});
