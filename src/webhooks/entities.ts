import { defineEntity, p } from '@mikro-orm/core';

export const webhookEvents = ['JOB_COMPLETED', 'JOB_FAILED', 'JOB_CANCELLED'] as const;
export type WebhookEvent = (typeof webhookEvents)[number];

export const webhookDeliveryStatuses = ['PENDING', 'DELIVERED', 'FAILED'] as const;
export type WebhookDeliveryStatus = (typeof webhookDeliveryStatuses)[number];

/** SQL predicates. Literal, because the planner proves that a partial index applies only from constants. */
export const sqlIs = {
  /** Not delivered yet, and not given up. */
  pending: `webhook_delivery.status = 'PENDING'`,
  /** Its next try may be made. */
  ready: `webhook_delivery.status = 'PENDING' AND webhook_delivery.ready`,
  /** In a pause, or taken. */
  waiting: `webhook_delivery.status = 'PENDING' AND NOT webhook_delivery.ready`,
  /** A process is at it. */
  sending: `webhook_delivery.status = 'PENDING' AND webhook_delivery.sending`,
} as const;

/** The whole key of webhook_delivery_ready_index: an ORDER BY with it makes sure that no other index is read. */
export const inReadyOrder =
  'webhook_delivery.workspace_id, webhook_delivery.endpoint, webhook_delivery.tries, webhook_delivery.id';

/** What a delivery's status becomes, as SQL. */
export const sqlBecomes = {
  pending: `status = 'PENDING'`,
  failedWhen: (condition: string) => `status = CASE WHEN ${condition} THEN 'FAILED' ELSE webhook_delivery.status END`,
  deliveredWhen: (arrived: string, givenUp: string) =>
    `status = CASE WHEN ${arrived} THEN 'DELIVERED' WHEN ${givenUp} THEN 'FAILED' ELSE webhook_delivery.status END`,
} as const;

/**
 * One message about one job's end, and its own entry in the queue. Its payload is not stored: a job that has ended does
 * not change any more.
 */
export const WebhookDeliveryEntity = defineEntity({
  name: 'WebhookDelivery',
  tableName: 'webhook_delivery',
  properties: {
    id: p.uuid().primary(),
    workspaceId: p.uuid(),
    jobId: p.uuid(),
    url: p.text(),
    /** Where the URL leads, as a key: see endpoint.ts. */
    endpoint: p.uuid(),
    event: p.enum(() => webhookEvents),
    status: p.enum(() => webhookDeliveryStatuses).default('PENDING'),
    /** Tries whose outcome is known. */
    attemptCount: p.integer().default(0),
    lastResponseStatus: p.integer().nullable(),
    lastError: p.text().nullable(),
    deliveredAt: p.datetime().nullable(),
    /** May be taken. False during a pause and while it is sent: the head of the index is never clogged. */
    ready: p.boolean().default(true),
    /** Taken by a process. */
    sending: p.boolean().default(false),
    /** When it becomes ready: the end of the pause, or of the lease of a try that is under way. */
    dueAt: p.datetime().defaultRaw('now()'),
    /** Tries that were begun since it was noted or last asked for again. */
    tries: p.integer().default(0),
    /** Grows whenever it is taken or asked for again. A try that comes back with an older number changes nothing. */
    attempt: p.integer().default(0),
  },
  indexes: [
    { name: 'webhook_delivery_job_index', properties: ['jobId', 'id'] },
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

/** An index predicate stands alone: Postgres stores it without the table's name. */
function withoutTable(predicate: string): string {
  return predicate.replaceAll('webhook_delivery.', '');
}
