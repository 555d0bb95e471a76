import { createHash } from 'node:crypto';
import type { Database } from '../database/database.ts';
import type { Job } from '../jobs/model/job.ts';
import { type JobRow, jobColumns, jobFromRow } from '../jobs/model/rows.ts';
import { sqlValidRetiredSecrets } from '../workspaces/retired-webhook-secrets.ts';
import { sqlBecomes, sqlPending, type WebhookEvent } from './entities.ts';
import type { QueuedSeries, WebhookQueue } from './queue.ts';
import type { Outcome } from './sender.ts';

/** All that one try needs. */
export interface Try {
  deliveryId: string;
  url: string;
  event: WebhookEvent;
  /** Number of this try, 1 for the first; those of earlier series count. */
  number: number;
  job: Job;
  /** All that are valid, the newest first: the one in force, and those that were within the last 24 hours. */
  secrets: [string, ...string[]];
}

/** Rows that one relay hands over. */
const relayed = 100;

/** Whether anything waits for a try, and whether some of it is not in the queue yet. */
export async function findPending(database: Database): Promise<{ pending: boolean; fresh: boolean }> {
  const [row] = await database.query<{ pending: boolean; fresh: boolean }>(
    `SELECT EXISTS (SELECT FROM webhook_delivery WHERE ${sqlPending}) AS pending,
       EXISTS (SELECT FROM webhook_delivery WHERE ${sqlPending} AND NOT relayed) AS fresh`,
    [],
    'prepared',
  );
  return row ?? { pending: false, fresh: false };
}

/**
 * Hands noted deliveries of every workspace to the queue. A transition notes them in its own statement, which cannot
 * reach pg-boss without writing into tables whose form is pg-boss's own business: the row is the outbox, and this empties
 * it. Each series is added under its own id and marked afterwards, so that a crash in between, or another process at the
 * same time, adds nothing twice.
 */
export async function relayNoted(database: Database, queue: WebhookQueue): Promise<void> {
  for (;;) {
    const rows = await database.query<{ id: string; series_id: string; workspace_id: string; url: string }>(
      `SELECT id, series_id, workspace_id, url FROM webhook_delivery
       WHERE ${sqlPending} AND NOT relayed ORDER BY id LIMIT ${relayed}`,
      [],
      'prepared',
    );
    if (rows.length === 0) return;
    await queue.add(rows.map(toSeries));
    // A redelivery in between has begun another series, which is not in the queue.
    await database.query(
      `UPDATE webhook_delivery SET relayed = true
       FROM unnest($1::uuid[], $2::uuid[]) AS added(id, series_id)
       WHERE webhook_delivery.id = added.id AND webhook_delivery.series_id = added.series_id`,
      [rows.map(({ id }) => id), rows.map((row) => row.series_id)],
      'prepared',
    );
    if (rows.length < relayed) return;
  }
}

/** Null where the series is no longer in force: delivered by a try that was thought dead, or superseded. */
export async function loadTry(database: Database, series: QueuedSeries): Promise<Try | null> {
  const [row] = await database.query<
    JobRow & {
      delivery_url: string;
      delivery_event: WebhookEvent;
      delivery_tries: number;
      secret: string;
      retired_secrets: string[];
    }
  >(
    `SELECT ${jobColumns('job')}, webhook_delivery.url AS delivery_url, webhook_delivery.event AS delivery_event,
       webhook_delivery.attempt_count AS delivery_tries, workspace.webhook_secret AS secret,
       ARRAY(${sqlValidRetiredSecrets('webhook_delivery.workspace_id')}) AS retired_secrets
     FROM webhook_delivery
     JOIN job ON job.id = webhook_delivery.job_id AND job.workspace_id = webhook_delivery.workspace_id
     JOIN workspace ON workspace.id = webhook_delivery.workspace_id
     WHERE webhook_delivery.id = $1::uuid AND webhook_delivery.workspace_id = $2::uuid
       AND webhook_delivery.series_id = $3::uuid AND ${sqlPending}`,
    [series.deliveryId, series.workspaceId, series.seriesId],
    'prepared',
  );
  if (row === undefined) return null;
  return {
    deliveryId: series.deliveryId,
    url: row.delivery_url,
    event: row.delivery_event,
    number: row.delivery_tries + 1,
    job: jobFromRow(row),
    secrets: [row.secret, ...row.retired_secrets],
  };
}

/** Writes what became of a try into the log, unless its series is no longer in force. */
export async function noteOutcome(database: Database, series: QueuedSeries, { status, problem }: Outcome): Promise<void> {
  await database.query(
    `UPDATE webhook_delivery SET attempt_count = attempt_count + 1, last_response_status = $4::int, last_error = $5::text,
       ${sqlBecomes.deliveredWhen('$5::text IS NULL')},
       delivered_at = CASE WHEN $5::text IS NULL THEN now() END
     WHERE id = $1::uuid AND workspace_id = $2::uuid AND series_id = $3::uuid AND ${sqlPending}`,
    [series.deliveryId, series.workspaceId, series.seriesId, status, problem],
    'prepared',
  );
}

/** Nobody tries these again, unless somebody asks for it. */
export async function noteGivenUp(database: Database, series: readonly QueuedSeries[]): Promise<void> {
  await database.query(
    `UPDATE webhook_delivery SET ${sqlBecomes.failed}
     FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS given_up(id, workspace_id, series_id)
     WHERE webhook_delivery.id = given_up.id AND webhook_delivery.workspace_id = given_up.workspace_id
       AND webhook_delivery.series_id = given_up.series_id AND ${sqlPending}`,
    [
      series.map(({ deliveryId }) => deliveryId),
      series.map(({ workspaceId }) => workspaceId),
      series.map(({ seriesId }) => seriesId),
    ],
    'prepared',
  );
}

function toSeries(row: { id: string; series_id: string; workspace_id: string; url: string }): QueuedSeries {
  const url = URL.parse(row.url);
  return {
    workspaceId: row.workspace_id,
    deliveryId: row.id,
    seriesId: row.series_id,
    host: url?.host ?? '',
    // The query is the sender's own, of one job more often than not; paths may be secrets.
    endpoint: createHash('sha256').update(`${url?.origin}${url?.pathname}`).digest('base64url'),
    tried: 0,
  };
}
