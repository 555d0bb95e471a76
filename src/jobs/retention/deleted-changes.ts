import type { Queryable } from '../../database/queryable.ts';
import { sqlIsRunning } from '../bulk/entities.ts';

/** Rows of the log that one statement looks at. */
const stretch = 5_000;

interface Place {
  xid: string;
  jobId: string;
}

const beginning: Place = { xid: '0', jobId: '00000000-0000-0000-0000-000000000000' };

const find = `
  SELECT id, workspace_id AS "workspaceId" FROM bulk_action
  WHERE kind = 'DELETE' AND NOT changes_removed AND NOT (${sqlIsRunning}) ORDER BY id LIMIT 100`;

/*
 * A walk along a workspace's log in the order of its key. What nobody has counted yet stays, and so does a job's change while
 * the job is there: deletions look for the job, not for what the action did.
 */
const sweep = `
  WITH looked AS MATERIALIZED (
    SELECT change.xid, change.job_id, coalesce(pg_visible_in_snapshot(change.xid, counted.snapshot) OR change.changed_at <= counted.since, false) AS counted,
      NOT EXISTS (SELECT FROM job WHERE job.id = change.job_id) AS orphaned
    FROM (
      SELECT * FROM job_change WHERE workspace_id = $1::uuid AND (xid, job_id) > ($2::text::xid8, $3::uuid) ORDER BY xid, job_id LIMIT ${stretch}
    ) AS change
    LEFT JOIN counted_log AS counted ON counted.workspace_id = $1::uuid
  ),
  gone AS (
    DELETE FROM job_change USING looked
    WHERE job_change.workspace_id = $1::uuid AND job_change.xid = looked.xid AND job_change.job_id = looked.job_id AND looked.orphaned AND looked.counted
  )
  SELECT xid::text, job_id AS "jobId", count(*) OVER ()::int AS looked, (count(*) FILTER (WHERE orphaned AND NOT counted) OVER ())::int AS left
  FROM looked ORDER BY xid DESC, job_id DESC LIMIT 1`;

/**
 * Removes from the log what it has of jobs that bulk actions have deleted. Nothing is lost if a process dies meanwhile: the
 * next one walks again. Jobs that retention removes have none there, unless it keeps them for less than the log's week.
 */
export async function deleteChangesOfDeleted(database: Queryable): Promise<void> {
  for (const { id, workspaceId } of await database.query<{ id: string; workspaceId: string }>(find)) {
    if (await sweepLog(database, workspaceId)) await database.query('UPDATE bulk_action SET changes_removed = true WHERE id = $1', [id]);
  }
}

/** Returns whether nothing is left that was not counted yet. */
async function sweepLog(database: Queryable, workspaceId: string): Promise<boolean> {
  let left = 0;
  for (let place = beginning; ; ) {
    const [last] = await database.query<Place & { looked: number; left: number }>(sweep, [workspaceId, place.xid, place.jobId]);
    left += last?.left ?? 0;
    if (last === undefined || last.looked < stretch) return left === 0;
    place = last;
  }
}
