import type { Queryable } from '../../database/queryable.ts';
import type { JobsContext } from '../model/context.ts';
import type { Job } from '../model/job.ts';
import { type JobRow, jobColumns, jobFromRow } from '../model/rows.ts';

/** How long a key stands for the request that used it. */
export const keyHours = 24;

/** What a key was used for. */
export interface UsedKey {
  requestHash: string;
  job: Job;
}

/** The keys among these that were used in the last 24 hours. Older ones are forgotten on the way. */
export async function findUsedKeys(
  context: JobsContext,
  workspaceId: string,
  keys: readonly string[],
): Promise<Map<string, UsedKey>> {
  const used = new Map<string, UsedKey>();
  if (keys.length === 0) return used;
  const stale: string[] = [];
  const rows = await context.database.hot.query<
    { key: string; request_hash: string; stale: boolean } & (JobRow | { id: null })
  >(
    `SELECT idempotency_key.key, idempotency_key.request_hash, ${jobColumns('job')},
       idempotency_key.created_at <= now() - interval '${keyHours} hours' AS stale
     FROM idempotency_key LEFT JOIN job ON job.id = idempotency_key.job_id
     WHERE idempotency_key.workspace_id = $1 AND idempotency_key.scope = 'JOB' AND idempotency_key.key = ANY($2::text[])`,
    [workspaceId, keys],
  );
  for (const row of rows) {
    if (row.stale || row.id === null) stale.push(row.key);
    else used.set(row.key, { requestHash: row.request_hash, job: jobFromRow(row) });
  }
  if (stale.length > 0) await forget(context, workspaceId, stale);
  return used;
}

/** Deletes every key that has had its time. */
export async function forgetOldKeys(database: Queryable): Promise<void> {
  await database.query(`DELETE FROM idempotency_key WHERE created_at <= now() - interval '${keyHours} hours'`);
}

// The age is looked at again: another process may have used the key anew in the meantime.
async function forget(context: JobsContext, workspaceId: string, keys: readonly string[]): Promise<void> {
  await context.database.hot.query(
    `DELETE FROM idempotency_key
     WHERE workspace_id = $1 AND scope = 'JOB' AND key = ANY($2::text[])
       AND (created_at <= now() - interval '${keyHours} hours'
         OR NOT EXISTS (SELECT FROM job WHERE job.id = idempotency_key.job_id))`,
    [workspaceId, keys],
  );
}
