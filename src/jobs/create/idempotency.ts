import type { JobsContext } from '../model/context.ts';
import { IdempotencyConflictError } from '../model/job-errors.ts';
import type { Job } from '../model/job.ts';
import { lastExpired } from '../../workspaces/idempotency-key.ts';
import { type JobRow, jobColumns, jobFromRow } from '../model/rows.ts';
import { isSameRequest, joinedHash, type RequestKey } from './request-key.ts';

/** The request and job that a key was used for. */
interface UsedKey {
  requestHash: string;
  job: Job;
}

/** The job that a request was answered with before. */
export interface EarlierJob {
  job: Job;
  /** Whether the request did not make it. */
  wasJoined: boolean;
}

/** Finds which of these keys were used in the last 24 hours. Deletes older ones among them. */
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
       idempotency_key.created_at <= ${lastExpired} AS stale
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

/**
 * The jobs that these requests were answered with before, by their keys. To be asked before a request is refused for anything else: what
 * was accepted once is answered alike for 24 hours, whatever types, limits and credits are by then.
 *
 * @throws IdempotencyConflictError if a key was used for another request
 */
export async function findEarlier(
  context: JobsContext,
  workspaceId: string,
  keys: readonly RequestKey[],
): Promise<Map<string, EarlierJob>> {
  const used = await findUsedKeys(context, workspaceId, keys.map(({ text }) => text));
  const earlier = new Map<string, EarlierJob>();
  for (const key of keys) {
    const known = used.get(key.text);
    if (known === undefined) continue;
    if (!isSameRequest(known, key)) throw new IdempotencyConflictError(known);
    earlier.set(key.text, { job: known.job, wasJoined: known.requestHash === joinedHash(key) });
  }
  return earlier;
}

/** Notes that a request was answered with this job, which it did not make. Returns whether its key was free. */
export async function noteJoined(context: JobsContext, workspaceId: string, key: RequestKey, jobId: string): Promise<boolean> {
  const rows = await context.database.hot.query(
    `INSERT INTO idempotency_key (workspace_id, scope, key, request_hash, job_id) VALUES ($1, 'JOB', $2, $3, $4)
     ON CONFLICT DO NOTHING RETURNING 1`,
    [workspaceId, key.text, joinedHash(key), jobId],
  );
  return rows.length > 0;
}

// Checks the age again, because another process may have reused the key in the meantime.
async function forget(context: JobsContext, workspaceId: string, keys: readonly string[]): Promise<void> {
  await context.database.hot.query(
    `DELETE FROM idempotency_key
     WHERE workspace_id = $1 AND scope = 'JOB' AND key = ANY($2::text[])
       AND (created_at <= ${lastExpired}
         OR NOT EXISTS (SELECT FROM job WHERE job.id = idempotency_key.job_id))`,
    [workspaceId, keys],
  );
}
