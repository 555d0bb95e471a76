import type { Queryable } from '../../database/queryable.ts';
import type { Job } from '../model/job.ts';
import { type JobRow, jobColumns, jobFromRow } from '../model/rows.ts';

/** Reads one job for a transition. Returns null if it does not exist or belongs to another workspace. */
export async function findJob(database: Queryable, workspaceId: string, jobId: string): Promise<Job | null> {
  const [row] = await database.query<JobRow>(
    `SELECT ${jobColumns('job')} FROM job WHERE job.id = $1 AND job.workspace_id = $2`,
    [jobId, workspaceId],
  );
  return row === undefined ? null : jobFromRow(row);
}
