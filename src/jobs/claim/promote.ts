import { isDue } from '../end/attempt-failure.ts';
import { leaveKeys } from '../keys/leave.ts';
import type { JobsContext } from '../model/context.ts';

/** The most jobs in one sweep. The next sweep follows within a second. */
const batch = 1_000;

/**
 * Makes jobs claimable whose runAt or backoff has passed. This changes nothing that readers see, so versions stay the
 * same.
 *
 * @returns how many were promoted.
 */
export async function promoteDueJobs(context: JobsContext): Promise<number> {
  const promoted = await context.database.hot.query<{ workspace_id: string; type: string; concurrency_key: string | null }>(
    `WITH promoted AS (
       UPDATE job SET ready = true
       FROM (SELECT id FROM job WHERE ${isDue} ORDER BY due_at LIMIT ${batch} FOR UPDATE SKIP LOCKED) AS due
       WHERE job.id = due.id
       RETURNING job.workspace_id, job.type, job.concurrency_key
     ), ${leaveKeys('SELECT workspace_id, concurrency_key, NULL AS seat FROM promoted')}
     SELECT workspace_id, type, concurrency_key FROM promoted`,
  );
  for (const { workspace_id: workspaceId, type, concurrency_key: concurrencyKey } of promoted) {
    if (concurrencyKey === null) context.announcer.workAvailable({ workspaceId, type });
    else context.concurrencyKeys.changed({ concurrencyKey });
  }
  return promoted.length;
}
