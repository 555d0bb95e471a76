import type { Queryable } from '../../database/queryable.ts';
import { initialStatus, sqlIs, transitions } from '../model/state-machine.ts';
import { sqlAlive } from '../workers/workforce.ts';

/** What waits and runs of one type, in all workspaces. */
interface TypeBacklog {
  type: string;
  pending: number;
  running: number;
  /** Seconds since the job next in turn became due, the longest of all workspaces; 0 where none is due. */
  oldestSeconds: number;
  /** Workers alive that claim it. */
  workers: number;
}

/** The most pairs of a workspace and a type whose next job is looked at. */
const mostPairs = 10_000;

const nextInTurn = 'ORDER BY job.workspace_id, job.type, job.dispatch_at, job.id LIMIT 1';

/*
 * The sums of the sweep, which are some seconds old; one descent of the dispatch index for each workspace and type with jobs
 * that are due; the workers. What has ended is not looked at.
 */
const statement = `
  WITH RECURSIVE head AS (
    (SELECT job.workspace_id, job.type, job.due_at, 1 AS place FROM job WHERE ${sqlIs.claimable} ${nextInTurn})
    UNION ALL
    SELECT following.* FROM head CROSS JOIN LATERAL (
      SELECT job.workspace_id, job.type, job.due_at, head.place + 1 FROM job
      WHERE ${sqlIs.claimable} AND (job.workspace_id, job.type) > (head.workspace_id, head.type) ${nextInTurn}
    ) AS following
    WHERE head.place < ${mostPairs}
  ),
  figure AS (
    SELECT type, sum(jobs) FILTER (WHERE status = '${initialStatus}') AS pending,
      sum(jobs) FILTER (WHERE status = '${transitions.claim.to}') AS running, NULL::float8 AS oldest, NULL::int AS workers
    FROM job_total WHERE status IN ('${initialStatus}', '${transitions.claim.to}') GROUP BY type
    UNION ALL
    SELECT type, NULL, NULL, extract(epoch FROM now() - min(due_at))::float8, NULL FROM head GROUP BY type
    UNION ALL
    SELECT claimed, NULL, NULL, NULL, count(*)::int FROM worker, jsonb_object_keys(types) AS claimed WHERE ${sqlAlive} GROUP BY claimed
  )
  SELECT type, coalesce(sum(pending), 0)::int AS pending, coalesce(sum(running), 0)::int AS running,
    greatest(0, coalesce(max(oldest), 0))::float8 AS "oldestSeconds", coalesce(max(workers), 0) AS workers
  FROM figure GROUP BY type`;

/** What waits and runs, by type. Costs the same however many jobs there are. */
export function readBacklog(database: Queryable): Promise<TypeBacklog[]> {
  return database.query<TypeBacklog>(statement);
}
