import type { Queryable } from '../database/queryable.ts';
import { recount } from '../jobs/statistics/recount.ts';
import type { Damage } from './examination.ts';

/** Whether `Workspace.jobCounts` says how many jobs wait and run. */
export async function countDamages(database: Queryable): Promise<Damage[]> {
  const miscounts = await recount(database);
  return miscounts.map(({ workspaceId, type, status, counted, jobs }) => ({
    what: `workspace ${workspaceId}, type ${type}: ${jobs} jobs are ${status}, and ${counted} are counted`,
    remedy:
      'Only somebody who writes into the database can cause it. Find out who, then correct the count: ' +
      `INSERT INTO job_total VALUES ('${workspaceId}', '${type.replaceAll("'", "''")}', '${status}', ${jobs - counted}) ` +
      `ON CONFLICT (workspace_id, type, status) DO UPDATE SET jobs = job_total.jobs + excluded.jobs;`,
  }));
}
