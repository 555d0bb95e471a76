import type { Queryable } from '../../database/queryable.ts';
import type { JsonValue } from '../../json.ts';
import type { Job } from '../model/job.ts';
import { sqlIs } from '../model/state-machine.ts';

/** The largest checkpoint, in bytes as JSON. */
export const maxCheckpointBytes = 65_536;

/** Checkpoints that one statement of the sweep removes. */
const batch = 1_000;

/** What earlier attempts left to those that hold these jobs now, by job id. First attempts need not ask. */
export async function findCheckpoints(
  database: Queryable,
  held: readonly Pick<Job, 'id' | 'workspaceId'>[],
): Promise<Map<string, JsonValue>> {
  const rows = await database.query<{ job_id: string; value: JsonValue }>(
    `SELECT job_checkpoint.job_id, job_checkpoint.value
     FROM unnest($1::uuid[], $2::uuid[]) AS held(job_id, workspace_id)
     JOIN job_checkpoint ON job_checkpoint.job_id = held.job_id AND job_checkpoint.workspace_id = held.workspace_id`,
    [held.map(({ id }) => id), held.map(({ workspaceId }) => workspaceId)],
  );
  return new Map(rows.map(({ job_id: jobId, value }) => [jobId, value]));
}

/*
 * Ends of jobs write nothing here, so that jobs without a checkpoint pay nothing for those with one. Nor could they be sure: a
 * report that commits while an end waits for the job's lock is newer than what the end sees.
 *
 * The job is a subquery of its own on purpose: a descent of its key for each row, however many jobs there are.
 */
const sweep = `
  DELETE FROM job_checkpoint WHERE ctid = ANY (ARRAY(
    SELECT over.ctid FROM job_checkpoint AS over
    WHERE NOT EXISTS (SELECT FROM job WHERE job.id = over.job_id AND NOT (${sqlIs.final}) OFFSET 0)
    LIMIT ${batch} FOR UPDATE SKIP LOCKED
  ))
  RETURNING 1`;

/** Deletes what jobs have left that have ended. Processes may run it concurrently. */
export async function deleteCheckpointsOfEnded(database: Queryable): Promise<void> {
  let deleted: number;
  do {
    deleted = (await database.query(sweep)).length;
  } while (deleted === batch);
}
