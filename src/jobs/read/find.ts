import type { Queryable } from '../../database/queryable.ts';
import type { Job } from '../model/job.ts';
import { type JobRow, jobColumns, jobFromRow } from '../model/rows.ts';

/** One job of a workspace, for a transition; null for another workspace's as for one that does not exist. */
export async function findJob(database: Queryable, workspaceId: string, jobId: string): Promise<Job | null> {
  const [row] = await database.query<JobRow>(
    `SELECT ${jobColumns('job')} FROM job WHERE job.id = $1 AND job.workspace_id = $2`,
    [jobId, workspaceId],
  );
  return row === undefined ? null : jobFromRow(row);
}
