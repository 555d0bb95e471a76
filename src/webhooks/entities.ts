import { defineEntity, p } from '@mikro-orm/core';

const webhookEvents = ['JOB_COMPLETED', 'JOB_FAILED', 'JOB_CANCELLED'] as const;
export type WebhookEvent = (typeof webhookEvents)[number];

const webhookDeliveryStatuses = ['PENDING', 'DELIVERED', 'FAILED'] as const;
export type WebhookDeliveryStatus = (typeof webhookDeliveryStatuses)[number];

export const initialDeliveryStatus = 'PENDING' satisfies WebhookDeliveryStatus;

/** SQL predicates. They are literals because the planner can match a partial index only against constants. */
export const sqlIs = {
  undelivered: `webhook_delivery.status <> 'DELIVERED'`,
  /** Neither delivered nor given up. */
  pending: `webhook_delivery.status = 'PENDING'`,
  /** The next try may start. */
  ready: `webhook_delivery.status = 'PENDING' AND webhook_delivery.ready`,
  /** In a backoff, or being sent. */
  waiting: `webhook_delivery.status = 'PENDING' AND NOT webhook_delivery.ready`,
  /** A process is sending it. */
  sending: `webhook_delivery.status = 'PENDING' AND webhook_delivery.sending`,
} as const;

/**
 * The full key of webhook_delivery_ready_index. Ordering by all of it keeps the planner from choosing another index.
 */
export const inReadyOrder =
  'webhook_delivery.workspace_id, webhook_delivery.endpoint, webhook_delivery.tries, webhook_delivery.id';

/** SQL assignments of a delivery's status. */
export const sqlBecomes = {
  failedWhen: (condition: string) => `status = CASE WHEN ${condition} THEN 'FAILED' ELSE webhook_delivery.status END`,
  deliveredWhen: (arrived: string, givenUp: string) =>
    `status = CASE WHEN ${arrived} THEN 'DELIVERED' WHEN ${givenUp} THEN 'FAILED' ELSE webhook_delivery.status END`,
} as const;

/**
 * One message about the end of one job. The row is also its queue entry. The payload is not stored, because a final job
 * does not change.
 */
export const WebhookDeliveryEntity = defineEntity({
  name: 'WebhookDelivery',
  tableName: 'webhook_delivery',
  properties: {
    id: p.uuid().primary(),
    workspaceId: p.uuid(),
    jobId: p.uuid(),
    url: p.text(),
    /** A key for the URL's host and path; see jobs/end/endpoint.ts. */
    endpoint: p.uuid().hidden(),
    event: p.enum(webhookEvents),
    status: p.enum(webhookDeliveryStatuses).default(initialDeliveryStatus),
    /** Number of tries whose outcome is known. */
    attemptCount: p.integer().default(0),
    lastResponseStatus: p.integer().strictNullable(),
    lastError: p.text().strictNullable(),
    deliveredAt: p.datetime().strictNullable(),
    /** False during a backoff and while being sent, so that such rows do not clog the head of the ready index. */
    ready: p.boolean().default(true).hidden(),
    /** A process has taken it. */
    sending: p.boolean().default(false).hidden(),
    /** When it becomes ready: the end of the backoff, or of the lease of the try in flight. */
    dueAt: p.datetime().defaultRaw('now()').hidden(),
    /** Tries started since it was recorded or last redelivered. */
    tries: p.integer().default(0).hidden(),
    /**
     * Fencing number: grows whenever it is taken or redelivered. A try that returns with an older number changes
     * nothing.
     */
    attempt: p.integer().default(0).hidden(),
  },
  indexes: [
    { name: 'webhook_delivery_job_index', properties: ['jobId', 'id'] },
    { name: 'webhook_delivery_workspace_index', properties: ['workspaceId', 'id'] },
    // Most are delivered, and those that are not are looked for.
    { name: 'webhook_delivery_undelivered_index', properties: ['workspaceId', 'id'], where: withoutTable(sqlIs.undelivered) },
    {
      name: 'webhook_delivery_ready_index',
      properties: ['workspaceId', 'endpoint', 'tries', 'id'],
      where: withoutTable(sqlIs.ready),
    },
    { name: 'webhook_delivery_due_index', properties: ['dueAt'], where: withoutTable(sqlIs.waiting) },
    {
      name: 'webhook_delivery_sending_index',
      properties: ['workspaceId', 'endpoint'],
      where: withoutTable(sqlIs.sending),
    },
  ],
});

/** Postgres stores an index predicate without the table name. */
function withoutTable(predicate: string): string {
  return predicate.replaceAll('webhook_delivery.', '');
}
