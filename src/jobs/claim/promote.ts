import { isDue } from '../end/attempt-failure.ts';
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
  const promoted = await context.database.hot.query<{ workspace_id: string; type: string }>(
    `UPDATE job SET ready = true
     FROM (SELECT id FROM job WHERE ${isDue} ORDER BY due_at LIMIT ${batch} FOR UPDATE SKIP LOCKED) AS due
     WHERE job.id = due.id
     RETURNING job.workspace_id, job.type`,
  );
  for (const row of promoted) context.announcer.workAvailable({ workspaceId: row.workspace_id, type: row.type });
  return promoted.length;
}
