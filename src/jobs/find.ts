import type { Queryable } from '../database/database.ts';
import type { Job } from './job.ts';
import { type JobRow, jobColumns, jobFromRow } from './rows.ts';

/** One job of a workspace; null for another workspace's as for one that does not exist. */
export async function findJob(database: Queryable, workspaceId: string, jobId: string): Promise<Job | null> {
  const [job] = await findJobs(database, workspaceId, [jobId]);
  return job ?? null;
}

/** Those of the jobs that the workspace has, in no particular order. */
export async function findJobs(database: Queryable, workspaceId: string, jobIds: readonly string[]): Promise<Job[]> {
  const rows = await database.query<JobRow>(
    `SELECT ${jobColumns('job')} FROM job WHERE job.id = ANY($1::uuid[]) AND job.workspace_id = $2`,
    [jobIds, workspaceId],
  );
  return rows.map(jobFromRow);
}
