import type { Queryable } from '../../database/queryable.ts';
import { type JobStatus, sqlIs } from '../model/state-machine.ts';
import { totals } from './counts.ts';

/** A count that is not what a scan of the jobs gives. */
interface Miscount {
  workspaceId: string;
  type: string;
  status: JobStatus;
  counted: number;
  jobs: number;
}

/*
 * Of one snapshot, as it is one statement, so it may run beside a busy server. What has ended is counted with the jobs that were
 * deleted since, and cannot be counted again.
 */
const statement = `
  WITH ${totals},
  actual AS (
    SELECT type, status, count(*) AS jobs FROM job WHERE workspace_id = $1::uuid AND ${sqlIs.cancellable} GROUP BY type, status
  )
  SELECT $1::uuid AS "workspaceId", type, status, coalesce(total.jobs, 0)::int AS counted, coalesce(actual.jobs, 0)::int AS jobs
  FROM (SELECT * FROM total AS job WHERE ${sqlIs.cancellable}) AS total FULL JOIN actual USING (type, status)
  WHERE coalesce(total.jobs, 0) <> coalesce(actual.jobs, 0)
  ORDER BY type, status`;

/** Counts the jobs of every workspace that wait and run, and compares. Takes an index scan of those jobs. */
export async function recount(database: Queryable): Promise<Miscount[]> {
  const workspaces = await database.query<{ id: string }>('SELECT id FROM workspace ORDER BY id');
  const miscounts: Miscount[] = [];
  for (const { id } of workspaces) miscounts.push(...(await database.query<Miscount>(statement, [id])));
  return miscounts;
}
