import { LeaseLostError } from '../model/job-errors.ts';
import type { JobsContext, WorkspaceScope } from '../model/context.ts';
import type { Job } from '../model/job.ts';
import type { LeaseRef } from './lease-token.ts';
import { type JobRow, jobColumns, jobFromRow } from '../model/rows.ts';
import { sqlIs } from '../model/state-machine.ts';

/**
 * The fence: SQL that holds for `job` and `lease` while the attempt that the token was minted for still has its lease.
 * Parameters: the job's id, the token, and the workspace or null for any.
 */
export function heldBy(first: number): string {
  return `job.id = $${first}::uuid AND ${sqlIs.running}
    AND lease.job_id = job.id AND lease.attempt = job.attempt
    AND lease.token = $${first + 1}::uuid AND lease.expires_at > now()
    AND ($${first + 2}::uuid IS NULL OR job.workspace_id = $${first + 2}::uuid)`;
}

/** An attempt that the token was minted for, whatever became of it, and its job as it is now. */
export interface PastAttempt {
  job: Job;
  number: number;
  endedFailed: boolean;
  errorCode: string | null;
  errorMessage: string | null;
}

/** Null when the token names nothing in the workspace. */
export async function findPastAttempt(
  context: JobsContext,
  scope: WorkspaceScope,
  { jobId, token }: LeaseRef,
): Promise<PastAttempt | null> {
  const [row] = await context.database.hot.query<
    JobRow & { number: number; failed: boolean; attempt_code: string | null; attempt_message: string | null }
  >(
    `SELECT ${jobColumns('job')}, job_attempt.number, job_attempt.failed,
       job_attempt.error_code AS attempt_code, job_attempt.error_message AS attempt_message
     FROM job_attempt JOIN job ON job.id = job_attempt.job_id
     WHERE job_attempt.job_id = $1 AND job_attempt.token = $2
       AND ($3::uuid IS NULL OR job.workspace_id = $3::uuid)`,
    [jobId, token, scope],
  );
  if (row === undefined) return null;
  return {
    job: jobFromRow(row),
    number: row.number,
    endedFailed: row.failed,
    errorCode: row.attempt_code,
    errorMessage: row.attempt_message,
  };
}

/** What a late writer is told: LEASE_LOST, with the job where the token ever named one. */
export async function leaseLost(
  context: JobsContext,
  scope: WorkspaceScope,
  ref: LeaseRef | null,
): Promise<LeaseLostError> {
  const past = ref === null ? null : await findPastAttempt(context, scope, ref);
  return new LeaseLostError(past?.job ?? null);
}
