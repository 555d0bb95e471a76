import type { Queryable } from '../database/queryable.ts';
import { createdAtOf } from '../database/ids.ts';
import { binder, type Window, windowOrder, withinWindow } from '../database/keyset.ts';
import type { WebhookDeliveryStatus, WebhookEvent } from './entities.ts';

/** One message about the end of one job, and its delivery state. */
export interface WebhookDelivery {
  id: string;
  jobId: string;
  url: string;
  event: WebhookEvent;
  status: WebhookDeliveryStatus;
  attemptCount: number;
  lastResponseStatus: number | null;
  lastError: string | null;
  createdAt: Date;
  deliveredAt: Date | null;
}

interface DeliveryRow {
  id: string;
  job_id: string;
  url: string;
  event: WebhookEvent;
  status: WebhookDeliveryStatus;
  attempt_count: number;
  last_response_status: number | null;
  last_error: string | null;
  delivered_at: string | null;
}

const columns = [
  'id',
  'job_id',
  'url',
  'event',
  'status',
  'attempt_count',
  'last_response_status',
  'last_error',
  'delivered_at',
]
  .map((name) => `webhook_delivery.${name}`)
  .join(', ');

/**
 * Reads the same page of deliveries for each of several jobs in one statement. The caller must be allowed to see them.
 */
export async function listDeliveries(
  database: Queryable,
  jobIds: readonly string[],
  window: Window,
): Promise<WebhookDelivery[]> {
  const parameters: unknown[] = [jobIds];
  const bind = binder(parameters);
  const where = ['webhook_delivery.job_id = asked.job_id', ...withinWindow('webhook_delivery.id', window, bind)];
  const rows = await database.query<DeliveryRow>(
    `SELECT page.* FROM unnest($1::uuid[]) AS asked(job_id) CROSS JOIN LATERAL (
       SELECT ${columns} FROM webhook_delivery WHERE ${where.join(' AND ')}
       ${windowOrder('webhook_delivery.id', window, bind)}
     ) AS page`,
    parameters,
  );
  return rows.map(fromRow);
}

/** Returns null if the delivery does not exist or belongs to another workspace. */
export async function findDelivery(
  database: Queryable,
  workspaceId: string,
  deliveryId: string,
): Promise<WebhookDelivery | null> {
  const [row] = await database.query<DeliveryRow>(
    `SELECT ${columns} FROM webhook_delivery WHERE webhook_delivery.id = $1 AND webhook_delivery.workspace_id = $2`,
    [deliveryId, workspaceId],
  );
  return row === undefined ? null : fromRow(row);
}

function fromRow(row: DeliveryRow): WebhookDelivery {
  return {
    id: row.id,
    jobId: row.job_id,
    url: row.url,
    event: row.event,
    status: row.status,
    attemptCount: row.attempt_count,
    lastResponseStatus: row.last_response_status,
    lastError: row.last_error,
    createdAt: createdAtOf(row.id),
    deliveredAt: row.delivered_at === null ? null : new Date(row.delivered_at),
  };
}
