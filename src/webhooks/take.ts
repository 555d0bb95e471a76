import { randomUUID } from 'node:crypto';
import type { Database } from '../database/database.ts';
import type { Job } from '../jobs/model/job.ts';
import { type JobRow, jobColumns, jobFromRow } from '../jobs/model/rows.ts';
import { sqlValidRetiredSecrets } from '../workspaces/retired-webhook-secrets.ts';
import { sqlHost, sqlLastOfHost } from '../jobs/end/endpoint.ts';
import { inReadyOrder, sqlIs, type WebhookEvent } from './entities.ts';

/**
 * A try that this process has taken, with everything needed to send it. No process takes it again until the lease
 * ends.
 */
export interface Try {
  deliveryId: string;
  workspaceId: string;
  endpoint: string;
  url: string;
  event: WebhookEvent;
  /** Fences the outcome. */
  attempt: number;
  /** Tries in this series, this one included. */
  tries: number;
  /** The number of this try, from 1. Tries of earlier series count. */
  number: number;
  job: Job;
  /** All valid secrets, as stored, newest first: the current one, then those retired within the last 24 hours. */
  secrets: [string, ...string[]];
}

/** Where the next call continues. */
export interface Place {
  /** The workspace that had the last turn. */
  workspaceId: string;
  /** The endpoint to start from in each workspace. */
  endpoint: string;
  /** Whether anything was taken or skipped since the first workspace's turn. */
  again: boolean;
}

interface Taken {
  tries: Try[];
  next: Place;
  /** Whether more tries may be available now. */
  more: boolean;
}

const least = '00000000-0000-0000-0000-000000000000';

/** Before every workspace and endpoint. */
export const beginning: Place = { workspaceId: least, endpoint: least, again: false };

/** Tries per workspace in one process. Unresponsive receivers of one tenant cannot starve other tenants. */
const mostOfWorkspace = 40;

/** Tries per workspace and host in one process. A host that hangs leaves room for the workspace's other hosts. */
const mostOfHost = 20;

/** Tries per workspace and endpoint over all processes. An endpoint that hangs leaves room for others on its host. */
const mostOfEndpoint = 10;

/** A try takes at most 10 seconds. If a try has no outcome when its lease ends, its process is gone. */
const leaseSeconds = 60;

/** The most workspaces that one statement looks at. */
const turns = 20;

/** The first row of the ready index that meets a condition: one index descent, however many rows wait. */
function next(column: string, condition: string): string {
  return `SELECT webhook_delivery.${column} FROM webhook_delivery
    WHERE ${sqlIs.ready} AND ${condition} ORDER BY ${inReadyOrder} LIMIT 1`;
}

/** How many tries this process has in flight to a host, for the workspace whose turn it is. */
const ownOfHost = (endpoint: string) =>
  `(SELECT count(*) FROM own WHERE own.workspace_id = turn.workspace_id AND own.host = ${sqlHost(endpoint)})`;

/*
 * Two nested loose index scans: workspaces with ready deliveries, and the endpoints within each. All endpoints of a
 * host that is at its limit are skipped in one step. Then workspaces, hosts and endpoints take turns.
 *
 * $1, $2: the workspace to start after, and the endpoint to start from in each workspace. $3: how many tries to take.
 * $4, $5: workspaces and endpoints of the tries that this process has in flight. They are passed in because a try
 * whose delivery was redelivered is still in flight, although its row no longer says so.
 *
 * The gate makes the endpoint limit hold over all processes. It is a compare-and-set against this statement's
 * snapshot: a process that waited for another one's update finds the gate changed and takes nothing, because its
 * snapshot does not show what the other process took.
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
 * Takes up to `limit` tries that may be made now. Workspaces take turns, and first tries come before retries.
 *
 * If `limit` was reached, the next call continues with other workspaces and a random endpoint in each, so that no
 * endpoint is always last. Otherwise it starts over.
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

/** Rounds repeat until one takes nothing, except that a single statement that saw everything needs no second round. */
function whereNext(seen: { from: Place; last: string | null; full: boolean; idle: boolean }): Omit<Taken, 'tries'> {
  const { from, last, full, idle } = seen;
  const again = from.again || !idle;
  if (full) return { next: { workspaceId: last ?? least, endpoint: randomUUID(), again }, more: true };
  if (last !== null) return { next: { workspaceId: last, endpoint: least, again }, more: true };
  return { next: beginning, more: again && from !== beginning };
}

/** Retries while other processes pass the gate first. Each retry means that one of them made progress. */
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
