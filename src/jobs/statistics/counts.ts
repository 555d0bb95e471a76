import type { Queryable } from '../../database/queryable.ts';
import { initialStatus, isRunning, type JobStatus, sqlIs } from '../model/state-machine.ts';
import { uncounted } from './uncounted.ts';

/** The jobs of a workspace by what has become of them. */
export interface JobCounts {
  pending: number;
  /** Those of the pending that wait for their runAt or for the end of a backoff. */
  scheduled: number;
  running: number;
  /** These three since the workspace exists, also of jobs that were deleted. */
  completed: number;
  failed: number;
  cancelled: number;
  /** When the job next in turn became due. */
  oldestDueAt: Date | null;
  /** The types that have jobs waiting or running, in order of their names. */
  byType: JobTypeCounts[];
}

export interface JobTypeCounts {
  type: string;
  pending: number;
  running: number;
  oldestDueAt: Date | null;
}

/** CTEs that sum up the jobs of workspace `$1` by type and status: what the sweep has counted, and the changes since then. */
export const totals = `
  ${uncounted},
  news AS MATERIALIZED (
    SELECT coalesce(type, '') AS type, status, previous_status, count(*) AS jobs FROM uncounted GROUP BY 1, 2, 3
  ),
  total AS MATERIALIZED (
    SELECT type, status, sum(jobs)::bigint AS jobs FROM (
      SELECT type, status, jobs FROM job_total WHERE workspace_id = $1::uuid
      UNION ALL
      SELECT type, status, jobs FROM news
      UNION ALL
      SELECT type, previous_status, -jobs FROM news WHERE previous_status IS NOT NULL
    ) AS moved GROUP BY type, status
  )`;

/*
 * The sums; then one descent of the dispatch index for each type that waits, and the
 * jobs that wait for their time, which a partial index holds.
 */
const statement = `
  WITH ${totals}
  SELECT total.type, total.status, total.jobs, head.due_at, head.place,
    (SELECT count(*)::int FROM job WHERE job.workspace_id = $1::uuid AND ${sqlIs.waiting}) AS scheduled
  FROM total LEFT JOIN LATERAL (
    SELECT job.due_at, extract(epoch FROM job.dispatch_at)::float8 AS place FROM job
    WHERE total.status = '${initialStatus}' AND total.jobs > 0
      AND job.workspace_id = $1::uuid AND job.type = total.type AND ${sqlIs.claimable}
    ORDER BY job.workspace_id, job.type, job.dispatch_at, job.id LIMIT 1
  ) AS head ON true
  WHERE total.jobs <> 0
  ORDER BY total.type`;

interface TotalRow {
  type: string;
  status: JobStatus;
  jobs: number;
  due_at: string | null;
  /** Seconds since 1970: a parked job's is in a year that no date has. */
  place: number | null;
  scheduled: number;
}

/** Counts the jobs of a workspace. What it takes does not depend on how many have ended. */
export async function countByStatus(database: Queryable, workspaceId: string): Promise<JobCounts> {
  const rows = await database.query<TotalRow>(statement, [workspaceId]);
  const sums: Record<JobStatus, number> = { PENDING: 0, RUNNING: 0, COMPLETED: 0, FAILED: 0, CANCELLED: 0 };
  for (const { status, jobs } of rows) sums[status] += jobs;
  const heads = rows.flatMap(({ due_at: due, place }) => (due === null || place === null ? [] : [{ due, place }]));
  const next = heads.toSorted((one, other) => one.place - other.place)[0];
  return {
    pending: sums.PENDING,
    scheduled: rows[0]?.scheduled ?? 0,
    running: sums.RUNNING,
    completed: sums.COMPLETED,
    failed: sums.FAILED,
    cancelled: sums.CANCELLED,
    oldestDueAt: next === undefined ? null : new Date(next.due),
    byType: byType(rows),
  };
}

function byType(rows: readonly TotalRow[]): JobTypeCounts[] {
  const types = Map.groupBy(
    rows.filter(({ status }) => status === initialStatus || isRunning(status)),
    ({ type }) => type,
  );
  return [...types].map(([type, counts]) => {
    const waiting = counts.find(({ status }) => status === initialStatus);
    const running = counts.find(({ status }) => isRunning(status));
    const due = waiting?.due_at ?? null;
    return { type, pending: waiting?.jobs ?? 0, running: running?.jobs ?? 0, oldestDueAt: due === null ? null : new Date(due) };
  });
}
