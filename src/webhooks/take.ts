import { randomUUID } from 'node:crypto';
import type { Database } from '../database/database.ts';
import type { Job } from '../jobs/model/job.ts';
import { type JobRow, jobColumns, jobFromRow } from '../jobs/model/rows.ts';
import { sqlValidRetiredSecrets } from '../workspaces/retired-webhook-secrets.ts';
import { sqlHost, sqlLastOfHost } from './endpoint.ts';
import { inReadyOrder, sqlIs, type WebhookEvent } from './entities.ts';

/** One try that this process has taken: all that it needs. Nobody else takes it until its lease is over. */
export interface Try {
  deliveryId: string;
  workspaceId: string;
  endpoint: string;
  url: string;
  event: WebhookEvent;
  /** What fences its outcome. */
  attempt: number;
  /** Tries of the series, this one included. */
  tries: number;
  /** Number of this try, 1 for the first; those of earlier series count. */
  number: number;
  job: Job;
  /** All that are valid, the newest first: the one in force, and those that were within the last 24 hours. */
  secrets: [string, ...string[]];
}

/** Where taking goes on. */
export interface Place {
  /** The workspace that had its turn last. */
  workspaceId: string;
  /** The endpoint to begin with in each workspace. */
  endpoint: string;
  /** Whether something was taken, or passed over, since the first workspace had its turn. */
  again: boolean;
}

export interface Taken {
  tries: Try[];
  next: Place;
  /** Whether there may be more that could be taken now. */
  more: boolean;
}

const least = '00000000-0000-0000-0000-000000000000';

/** Before everything. */
export const beginning: Place = { workspaceId: least, endpoint: least, again: false };

/** Of one workspace in one process: others find room, however many receivers of one tenant do not answer. */
const mostOfWorkspace = 40;

/** Of these, those at one host: a host that hangs leaves room to the others. */
const mostOfHost = 20;

/** Of one workspace at one endpoint, over all processes: an endpoint that hangs leaves room to its neighbours. */
const mostOfEndpoint = 10;

/** A try takes 10 seconds. What has no outcome by then was taken by a process that is gone. */
const leaseSeconds = 60;

/** Workspaces that one statement looks at. */
const turns = 20;

/** The first row of the ready index under a condition: one descent, however much waits in it. */
function next(column: string, condition: string): string {
  return `SELECT webhook_delivery.${column} FROM webhook_delivery
    WHERE ${sqlIs.ready} AND ${condition} ORDER BY ${inReadyOrder} LIMIT 1`;
}

/** Tries of this process for a host, of the workspace whose turn it is. */
const ownOfHost = (endpoint: string) =>
  `(SELECT count(*) FROM own WHERE own.workspace_id = turn.workspace_id AND own.host = ${sqlHost(endpoint)})`;

/*
 * Two loose scans, one in the other: workspaces with something ready, and in each of them endpoints; those of a host
 * without room are stepped over together. Then tries by turn.
 *
 * $1, $2: after which workspace, and from which endpoint in each of them. $3: how many. $4, $5: workspaces and endpoints
 * of the tries that this process has under way. Of these, one whose delivery was asked for again is still under way
 * although its row says so no more.
 *
 * The gate makes the limit of an endpoint hold over all processes. It is a compare-and-set with what this statement's
 * snapshot shows: whoever waited for another process to take finds it changed, and takes nothing, for the snapshot does
 * not show what the other has taken.
 */
const statement = `
  WITH RECURSIVE own AS MATERIALIZED (
    SELECT workspace_id, endpoint, ${sqlHost('endpoint')} AS host
    FROM unnest($4::uuid[], $5::uuid[]) AS own(workspace_id, endpoint)
  ),
  gate AS (
    INSERT INTO setting AS gate (name, value) VALUES ('webhook_turn', '1')
    ON CONFLICT (name) DO UPDATE SET value = (gate.value::bigint + 1)::text
    WHERE gate.value = (SELECT value FROM setting WHERE name = 'webhook_turn')
    RETURNING name
  ),
  walk AS (
    (${next('workspace_id', 'webhook_delivery.workspace_id > $1::uuid')})
    UNION ALL
    SELECT following.workspace_id
    FROM walk CROSS JOIN LATERAL (${next('workspace_id', 'webhook_delivery.workspace_id > walk.workspace_id')}) AS following
  ),
  turn AS MATERIALIZED (
    SELECT walk.workspace_id,
      ${mostOfWorkspace} - (SELECT count(*) FROM own WHERE own.workspace_id = walk.workspace_id) AS room
    FROM walk WHERE EXISTS (SELECT FROM gate) LIMIT ${turns}
  ),
  open AS (
    SELECT turn.*, endpoint.* FROM turn CROSS JOIN LATERAL (
      WITH RECURSIVE walk AS (
        (${next('endpoint', 'webhook_delivery.workspace_id = turn.workspace_id AND webhook_delivery.endpoint >= $2::uuid')})
        UNION ALL
        SELECT following.endpoint FROM walk CROSS JOIN LATERAL (
          ${next(
            'endpoint',
            `webhook_delivery.workspace_id = turn.workspace_id AND webhook_delivery.endpoint >
               CASE WHEN ${ownOfHost('walk.endpoint')} < ${mostOfHost} THEN walk.endpoint
                 ELSE ${sqlLastOfHost('walk.endpoint')} END`,
          )}
        ) AS following
      )
      SELECT walk.endpoint, ${mostOfHost} - ${ownOfHost('walk.endpoint')} AS host_room,
        ${mostOfEndpoint} - busy.tries AS endpoint_room
      FROM walk CROSS JOIN LATERAL (
        SELECT greatest(count(*), (
          SELECT count(*) FROM own WHERE own.workspace_id = turn.workspace_id AND own.endpoint = walk.endpoint
        )) AS tries
        FROM webhook_delivery WHERE ${sqlIs.sending}
          AND webhook_delivery.workspace_id = turn.workspace_id AND webhook_delivery.endpoint = walk.endpoint
      ) AS busy
      WHERE busy.tries < ${mostOfEndpoint} LIMIT $3::int
    ) AS endpoint
    WHERE turn.room > 0
  ),
  candidate AS (
    SELECT open.*, ${sqlHost('open.endpoint')} AS host, delivery.id, delivery.tries > 0 AS retry,
      row_number() OVER (PARTITION BY open.workspace_id, open.endpoint ORDER BY delivery.tries, delivery.id) AS n
    FROM open CROSS JOIN LATERAL (
      SELECT webhook_delivery.id, webhook_delivery.tries FROM webhook_delivery
      WHERE ${sqlIs.ready} AND webhook_delivery.workspace_id = open.workspace_id
        AND webhook_delivery.endpoint = open.endpoint
      ORDER BY ${inReadyOrder} LIMIT open.endpoint_room
    ) AS delivery
  ),
  of_host AS (
    SELECT *, row_number() OVER (PARTITION BY workspace_id, host ORDER BY retry, n, id) AS n_of_host FROM candidate
  ),
  of_workspace AS (
    SELECT *, row_number() OVER (PARTITION BY workspace_id ORDER BY retry, n, id) AS n_of_workspace
    FROM of_host WHERE n_of_host <= host_room
  ),
  locked AS (
    SELECT webhook_delivery.id FROM webhook_delivery
    WHERE ${sqlIs.ready} AND webhook_delivery.id = ANY (ARRAY(
      SELECT id FROM of_workspace WHERE n_of_workspace <= room
      ORDER BY retry, n_of_workspace, workspace_id LIMIT $3::int
    ))
    FOR UPDATE SKIP LOCKED
  ),
  taken AS (
    UPDATE webhook_delivery SET ready = false, sending = true, due_at = now() + interval '${leaseSeconds} s',
      tries = tries + 1, attempt = attempt + 1
    WHERE webhook_delivery.id = ANY (ARRAY(SELECT id FROM locked))
    RETURNING webhook_delivery.*
  ),
  looked AS (
    SELECT EXISTS (SELECT FROM gate) AS passed, count(*)::int AS turns,
      (SELECT workspace_id FROM turn ORDER BY workspace_id DESC LIMIT 1) AS after
    FROM turn
  )
  SELECT looked.*, try.* FROM looked LEFT JOIN (
    SELECT ${jobColumns('job')}, taken.id AS delivery_id, taken.endpoint AS delivery_endpoint,
      taken.url AS delivery_url, taken.event AS delivery_event, taken.attempt AS delivery_attempt,
      taken.tries AS delivery_tries, taken.attempt_count AS delivery_count, workspace.webhook_secret AS secret,
      ARRAY(${sqlValidRetiredSecrets('taken.workspace_id')}) AS retired_secrets
    FROM taken
    JOIN job ON job.id = taken.job_id AND job.workspace_id = taken.workspace_id
    JOIN workspace ON workspace.id = taken.workspace_id
  ) AS try ON true`;

interface Looked {
  passed: boolean;
  turns: number;
  after: string | null;
}

type TryRow = JobRow & {
  delivery_id: string;
  delivery_endpoint: string;
  delivery_url: string;
  delivery_event: WebhookEvent;
  delivery_attempt: number;
  delivery_tries: number;
  delivery_count: number;
  secret: string;
  retired_secrets: string[];
};

type LookedRow = Looked & (TryRow | { delivery_id: null });

/**
 * Takes up to `limit` tries that may be made now, workspaces in turn and first tries ahead of retries.
 *
 * Where there is more than that, the next call goes on with other workspaces, and with an endpoint by chance in each, so
 * that none is always the last; otherwise it begins at the beginning.
 */
export async function takeReady(
  database: Database,
  { limit, from, own }: { limit: number; from: Place; own: readonly Try[] },
): Promise<Taken> {
  const rows = await throughGate(database, [
    from.workspaceId,
    from.endpoint,
    limit,
    own.map(({ workspaceId }) => workspaceId),
    own.map(({ endpoint }) => endpoint),
  ]);
  const tries = rows.flatMap((row) => (row.delivery_id === null ? [] : [tryFromRow(row)]));
  const [looked] = rows;
  const last = looked?.turns === turns ? looked.after : null;
  return { tries, ...whereNext({ from, last, full: tries.length === limit, idle: tries.length === 0 }) };
}

/** One round follows another until one takes nothing; a single statement that saw everything is a round that is enough. */
function whereNext(seen: { from: Place; last: string | null; full: boolean; idle: boolean }): Omit<Taken, 'tries'> {
  const { from, last, full, idle } = seen;
  const again = from.again || !idle;
  if (full) return { next: { workspaceId: last ?? least, endpoint: randomUUID(), again }, more: true };
  if (last !== null) return { next: { workspaceId: last, endpoint: least, again }, more: true };
  return { next: beginning, more: again && from !== beginning };
}

/** Looks again for as long as other processes take meanwhile: each time one of them gets on. */
async function throughGate(database: Database, parameters: readonly unknown[]): Promise<LookedRow[]> {
  for (;;) {
    const rows = await database.hot.query<LookedRow>(statement, parameters);
    if (rows.some(({ passed }) => passed)) return rows;
  }
}

function tryFromRow(row: TryRow): Try {
  return {
    deliveryId: row.delivery_id,
    workspaceId: row.workspace_id,
    endpoint: row.delivery_endpoint,
    url: row.delivery_url,
    event: row.delivery_event,
    attempt: row.delivery_attempt,
    tries: row.delivery_tries,
    number: row.delivery_count + 1,
    job: jobFromRow(row),
    secrets: [row.secret, ...row.retired_secrets],
  };
}
