import type { Database } from '../../database/database.ts';
import type { Queryable } from '../../database/queryable.ts';
import { sqlSum } from './histogram.ts';
import { cut, formatMark, nothingCounted, parseMark } from './mark.ts';
import { pointsOf } from './points.ts';
import { sqlTally, type Tally } from './tally.ts';

/** Changes of a workspace that one transaction counts, and a few more if the last of them share theirs with others. */
const portion = 10_000;

/*
 * One descent of the log's key for each workspace shows its newest change, and one for each transaction that was under way at
 * the mark whether it has committed since.
 */
const findWorkspaces = `
  SELECT workspace.id, counted.snapshot IS NULL AS "isNew"
  FROM workspace
  LEFT JOIN counted_log AS counted ON counted.workspace_id = workspace.id
  LEFT JOIN LATERAL (
    SELECT xid FROM job_change WHERE workspace_id = workspace.id AND xid < pg_snapshot_xmax(pg_current_snapshot())
    ORDER BY xid DESC, job_id DESC LIMIT 1
  ) AS newest ON true
  WHERE newest.xid >= coalesce(pg_snapshot_xmax(counted.snapshot), '0')
    OR pg_snapshot_xmin(counted.snapshot) < pg_snapshot_xmax(counted.snapshot)
    OR pg_snapshot_xmax(counted.snapshot) > pg_snapshot_xmax(pg_current_snapshot())`;

const begin = `INSERT INTO counted_log (workspace_id, snapshot) VALUES ($1, '${nothingCounted}') ON CONFLICT DO NOTHING`;

const lock = 'SELECT snapshot::text, counted_at AS "countedAt" FROM counted_log WHERE workspace_id = $1 FOR UPDATE SKIP LOCKED';

/** The present, and the last transaction of the next portion. */
const look = `
  SELECT pg_current_snapshot()::text AS present, (
    SELECT max(next.xid::text::bigint)::text FROM (
      SELECT xid FROM job_change
      WHERE workspace_id = $1 AND xid >= $2::text::xid8 AND xid < pg_snapshot_xmax(pg_current_snapshot())
      ORDER BY xid, job_id LIMIT ${portion}
    ) AS next
  ) AS last`;

/** The changes between two marks. */
const between = `
  SELECT * FROM job_change
  WHERE workspace_id = $1 AND xid >= $2::text::xid8 AND xid < $3::text::xid8 AND pg_visible_in_snapshot(xid, $4::text::pg_snapshot)
  UNION ALL
  SELECT change.* FROM unnest($5::text[]::xid8[]) AS open(xid) CROSS JOIN LATERAL (
    SELECT * FROM job_change WHERE workspace_id = $1 AND job_change.xid = open.xid OFFSET 0
  ) AS change
  WHERE pg_visible_in_snapshot(change.xid, $4::text::pg_snapshot)`;

/** The changes that a restored dump had not counted, and those since: the transaction ids of the latter are small. */
const restored = `
  SELECT * FROM job_change
  WHERE workspace_id = $1 AND (NOT pg_visible_in_snapshot(xid, $2::text::pg_snapshot) OR changed_at > $3::timestamptz)`;

/** Counts how many jobs came to a status and left it, and tallies the changes for the statistics. */
function count(changes: string): string {
  return `
  WITH change AS MATERIALIZED (
    SELECT change.* FROM (${changes}) AS change JOIN counted_log AS mark ON mark.workspace_id = $1 AND change.changed_at > mark.since
  ),
  moved AS (
    SELECT coalesce(type, '') AS type, status, 1 AS jobs FROM change
    UNION ALL
    SELECT coalesce(type, ''), previous_status, -1 FROM change WHERE previous_status IS NOT NULL
  ),
  summed AS (
    INSERT INTO job_total (workspace_id, type, status, jobs)
    SELECT $1, type, status, sum(jobs) FROM moved GROUP BY type, status
    ON CONFLICT (workspace_id, type, status) DO UPDATE SET jobs = job_total.jobs + excluded.jobs
  )
  ${sqlTally('change')}`;
}

const countBetween = count(between);
const countRestored = count(restored);

const counters = ['created', 'completed', 'failed', 'cancelled', 'failed_attempts'];

const upsert = `
  INSERT INTO job_statistic (workspace_id, step, at, type, ${counters.join(', ')}, waits, runs)
  SELECT $1, point.step, point.at, point.type, point.created, point.completed, point.failed, point.cancelled,
    point."failedAttempts", point.waits, point.runs
  FROM jsonb_to_recordset($2::jsonb) AS point(step text, at timestamptz, type text, created int, completed int, failed int,
    cancelled int, "failedAttempts" int, waits int[], runs int[])
  ON CONFLICT (workspace_id, step, at, type) DO UPDATE SET
    ${counters.map((name) => `${name} = job_statistic.${name} + excluded.${name}`).join(', ')},
    waits = ${sqlSum('job_statistic.waits', 'excluded.waits')}, runs = ${sqlSum('job_statistic.runs', 'excluded.runs')}`;

const advance = 'UPDATE counted_log SET snapshot = $2::text::pg_snapshot, counted_at = now() WHERE workspace_id = $1';

/** From here on, no change counts whose transaction id is still to come here. */
const outgrow = `
  UPDATE counted_log SET since = coalesce((
    SELECT max(changed_at) FROM job_change WHERE workspace_id = $1 AND xid >= pg_snapshot_xmax($2::text::pg_snapshot)
  ), since) WHERE workspace_id = $1`;

/**
 * Counts what the log has gained, workspace by workspace, in bounded portions. Processes may run it concurrently: each
 * workspace is counted by one of them at a time.
 */
export async function rollUp(database: Database): Promise<void> {
  const workspaces = await database.hot.query<{ id: string; isNew: boolean }>(findWorkspaces);
  for (const { id, isNew } of workspaces) {
    if (isNew) await database.hot.query(begin, [id]);
    while (await database.transaction((transaction) => countPortion(transaction, id)));
  }
}

/**
 * Counts a portion and moves the mark past it, in one transaction. The mark is locked by a statement of its own, so that the
 * snapshots of the others see whatever another process has counted.
 *
 * @returns whether there may be more
 */
async function countPortion(transaction: Queryable, workspaceId: string): Promise<boolean> {
  const [counted] = await transaction.query<{ snapshot: string; countedAt: string }>(lock, [workspaceId]);
  if (counted === undefined) return false;
  const from = parseMark(counted.snapshot);
  const [seen] = await transaction.query<{ present: string; last: string | null }>(look, [workspaceId, from.end.toString()]);
  if (seen === undefined) throw new Error('the database returned no snapshot');
  const present = parseMark(seen.present);
  if (from.end > present.end) {
    await store(transaction, workspaceId, await transaction.query(countRestored, [workspaceId, counted.snapshot, counted.countedAt]));
    await transaction.query(outgrow, [workspaceId, seen.present]);
    await transaction.query(advance, [workspaceId, seen.present]);
    return true;
  }
  const to = cut(present, seen.last === null ? from.end : BigInt(seen.last) + 1n);
  if (formatMark(to) === formatMark(from)) return false;
  const marks = [from.end.toString(), to.end.toString(), formatMark(to), from.open.map(String)];
  await store(transaction, workspaceId, await transaction.query(countBetween, [workspaceId, ...marks]));
  await transaction.query(advance, [workspaceId, formatMark(to)]);
  return seen.last !== null;
}

async function store(transaction: Queryable, workspaceId: string, tallies: readonly Tally[]): Promise<void> {
  if (tallies.length > 0) await transaction.query(upsert, [workspaceId, JSON.stringify(pointsOf(tallies))]);
}
