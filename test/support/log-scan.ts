import { expect } from 'vitest';
import type { Database } from '../../src/database/database.ts';
import type { Queryable } from '../../src/database/queryable.ts';
import type { JobStatus } from '../../src/jobs/model/state-machine.ts';
import { countByStatus, type JobCounts } from '../../src/jobs/statistics/counts.ts';
import { rollUp } from '../../src/jobs/statistics/roll-up.ts';
import { readStatistics, type StatisticsAsked } from '../../src/jobs/statistics/statistics.ts';
import { eventually } from './eventually.ts';

interface Change {
  at: number;
  type: string;
  status: JobStatus;
  previous: JobStatus | null;
  code: string | null;
  due: number | null;
  claimed: number | null;
}

/** The whole log of a workspace, in seconds. */
async function scan(database: Queryable, workspaceId: string): Promise<Change[]> {
  return database.query<Change>(
    `SELECT extract(epoch FROM changed_at)::float8 AS at, type, status, previous_status AS previous, error_code AS code,
       extract(epoch FROM due_at)::float8 AS due, extract(epoch FROM claimed_at)::float8 AS claimed
     FROM job_change WHERE workspace_id = $1`,
    [workspaceId],
  );
}

/** All that is read is of one moment, whatever sweeps do meanwhile. */
function atOnce<T>(database: Database, read: (snapshot: Queryable) => Promise<T>): Promise<T> {
  return database.transaction(async (snapshot) => {
    await snapshot.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
    return read(snapshot);
  });
}

/** Expects the counts to be what a scan of the log says, and of the jobs. The log must be whole. */
export function expectCounts(database: Database, workspaceId: string): Promise<JobCounts> {
  return atOnce(database, (snapshot) => expectCountsAt(snapshot, workspaceId));
}

async function expectCountsAt(database: Queryable, workspaceId: string): Promise<JobCounts> {
  const counts = await countByStatus(database, workspaceId);
  const changes = await scan(database, workspaceId);
  const inStatus = (status: JobStatus, type?: string) => {
    const own = changes.filter((change) => type === undefined || change.type === type);
    return own.filter((change) => change.status === status).length - own.filter((change) => change.previous === status).length;
  };
  const [{ scheduled, due } = { scheduled: null, due: null }] = await database.query<{ scheduled: number; due: string | null }>(
    `SELECT count(*) FILTER (WHERE NOT ready)::int AS scheduled, (array_agg(due_at ORDER BY dispatch_at, id) FILTER (WHERE ready))[1] AS due
     FROM job WHERE workspace_id = $1 AND status = 'PENDING'`,
    [workspaceId],
  );
  const types = [...new Set(changes.map(({ type }) => type))].toSorted();
  const active = types.map((type) => ({ type, pending: inStatus('PENDING', type), running: inStatus('RUNNING', type) }));
  expect(counts).toMatchObject({
    pending: inStatus('PENDING'),
    running: inStatus('RUNNING'),
    completed: inStatus('COMPLETED'),
    failed: inStatus('FAILED'),
    cancelled: inStatus('CANCELLED'),
    scheduled,
    oldestDueAt: due === null ? null : new Date(due),
    byType: active.filter(({ pending, running }) => pending + running > 0),
  });
  const rows = await database.query<{ status: JobStatus; jobs: number }>(
    `SELECT status, count(*)::int AS jobs FROM job WHERE workspace_id = $1 AND status IN ('PENDING', 'RUNNING') GROUP BY status`,
    [workspaceId],
  );
  const there = Object.fromEntries(rows.map(({ status, jobs }) => [status, jobs]));
  expect(counts).toMatchObject({ pending: there['PENDING'] ?? 0, running: there['RUNNING'] ?? 0 });
  return counts;
}

const seconds = { MINUTE: 60, HOUR: 3_600, DAY: 86_400 };

/** Expects the statistics to be what a scan of the log says. The log must be whole. */
export function expectStatistics(database: Database, workspaceId: string, asked: StatisticsAsked & { to: Date }): Promise<void> {
  return atOnce(database, (snapshot) => expectStatisticsAt(snapshot, workspaceId, asked));
}

async function expectStatisticsAt(database: Queryable, workspaceId: string, asked: StatisticsAsked & { to: Date }): Promise<void> {
  const points = await readStatistics(database, workspaceId, asked);
  const length = seconds[asked.step];
  const start = Math.floor(asked.from.getTime() / 1_000 / length) * length;
  const changes = (await scan(database, workspaceId)).filter(({ type }) => asked.types?.includes(type) ?? true);
  const byStep = Map.groupBy(changes, ({ at }) => Math.floor((at - start) / length));
  const expected = Array.from({ length: Math.ceil((asked.to.getTime() / 1_000 - start) / length) }, (_, index) => {
    const own = byStep.get(index) ?? [];
    const ended = (status: JobStatus) => own.filter((change) => change.status === status).length;
    const waits = own.flatMap(({ at, due, status }) => (status === 'RUNNING' && due !== null ? [at - due] : []));
    const runs = own.flatMap(({ at, claimed }) => (claimed === null ? [] : [at - claimed]));
    return {
      at: new Date((start + index * length) * 1_000),
      created: own.filter(({ previous }) => previous === null).length,
      completed: ended('COMPLETED'),
      failed: ended('FAILED'),
      cancelled: ended('CANCELLED'),
      failedAttempts: own.filter(({ code }) => code !== null).length,
      waitP50: near(nearestRank(waits, 0.5), points[index]?.waitP50),
      waitP95: near(nearestRank(waits, 0.95), points[index]?.waitP95),
      runP50: near(nearestRank(runs, 0.5), points[index]?.runP50),
      runP95: near(nearestRank(runs, 0.95), points[index]?.runP95),
    };
  });
  expect(points).toEqual(expected);
}

function nearestRank(values: readonly number[], share: number): number | null {
  return values.toSorted((one, other) => one - other)[Math.ceil(share * values.length) - 1] ?? null;
}

/** The shortest time that statistics show: what is shorter counts as that. */
const shortest = 0.0001;

/** The estimate, where it is within 10 % of the exact value, which it is expected to be. */
function near(exact: number | null, estimate: number | null | undefined): number | null {
  if (exact === null || estimate == null) return exact;
  return Math.abs(estimate - Math.max(exact, shortest)) <= 0.1 * Math.max(exact, shortest) ? estimate : exact;
}

/** Counts until all that has happened in the workspace is counted: a sweep that runs anyway may be at it. */
export async function untilCounted(database: Database, workspaceId: string): Promise<void> {
  await eventually(async () => {
    await rollUp(database);
    const counted = await database.reads.query(
      `SELECT FROM counted_log WHERE workspace_id = $1 AND pg_snapshot_xmax(snapshot) <= pg_snapshot_xmax(pg_current_snapshot())
         AND NOT EXISTS (SELECT FROM job_change WHERE workspace_id = $1 AND changed_at > since AND NOT pg_visible_in_snapshot(xid, snapshot))`,
      [workspaceId],
    );
    expect(counted).toHaveLength(1);
  });
}
