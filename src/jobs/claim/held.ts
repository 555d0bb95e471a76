import type { Queryable } from '../../database/queryable.ts';
import { LeaseLostError } from '../model/job-errors.ts';
import type { JobsContext } from '../model/context.ts';
import type { WorkspaceScope } from '../model/workspace-scope.ts';
import type { Job } from '../model/job.ts';
import { decodeLeaseToken, type LeaseRef } from './lease-token.ts';
import { type JobRow, jobColumns, jobFromRow } from '../model/rows.ts';
import { type AttemptOutcome, sqlIs } from '../model/state-machine.ts';

/**
 * The fence: an SQL condition on `job` and `lease` that is true while the token's attempt still holds its lease.
 *
 * @param first the first of three parameters: job id, token, and workspace id or null for any.
 */
export function heldBy(first: number): string {
  return `job.id = $${first}::uuid AND ${sqlIs.running}
    AND lease.job_id = job.id AND lease.attempt = job.attempt
    AND lease.token = $${first + 1}::uuid AND lease.expires_at > now()
    AND ($${first + 2}::uuid IS NULL OR job.workspace_id = $${first + 2}::uuid)`;
}

/** Finds a job of any workspace that a worker with this key holds now. Returns null for any other. */
export async function findHeldJob(database: Queryable, apiKeyId: string, jobId: string): Promise<Job | null> {
  const [row] = await database.query<JobRow>(
    `SELECT ${jobColumns('job')} FROM job
     JOIN lease ON lease.job_id = job.id AND lease.attempt = job.attempt AND lease.expires_at > now()
     WHERE job.id = $1 AND ${sqlIs.running} AND lease.api_key_id = $2`,
    [jobId, apiKeyId],
  );
  return row === undefined ? null : jobFromRow(row);
}

/** The attempt that a token was issued for, whatever its outcome, and the current state of its job. */
interface PastAttempt {
  job: Job;
  number: number;
  /** Null if its lease has expired but was not swept yet. */
  outcome: AttemptOutcome | null;
  errorCode: string | null;
  errorMessage: string | null;
}

/** Returns null if the token matches no attempt in the workspace. */
export async function findPastAttempt(
  context: JobsContext,
  scope: WorkspaceScope,
  { jobId, token }: LeaseRef,
): Promise<PastAttempt | null> {
  const [row] = await context.database.hot.query<
    JobRow & { number: number; outcome: AttemptOutcome | null; attempt_code: string | null; attempt_message: string | null }
  >(
    `SELECT ${jobColumns('job')}, past.number, past.outcome, past.error_code AS attempt_code, past.error_message AS attempt_message
     FROM (
       SELECT number, outcome, error_code, error_message FROM job_attempt WHERE job_id = $1 AND token = $2
       UNION ALL
       SELECT attempt, NULL, NULL, NULL FROM lease WHERE job_id = $1 AND token = $2
     ) AS past
     JOIN job ON job.id = $1 AND ($3::uuid IS NULL OR job.workspace_id = $3::uuid)`,
    [jobId, token, scope],
  );
  if (row === undefined) return null;
  return {
    job: jobFromRow(row),
    number: row.number,
    outcome: row.outcome,
    errorCode: row.attempt_code,
    errorMessage: row.attempt_message,
  };
}

/** The id of the worker that holds the lease of a token. Returns null if there is no such lease in the workspace. */
export async function findWorker(
  context: JobsContext,
  scope: WorkspaceScope,
  { jobId, token }: LeaseRef,
): Promise<string | null> {
  const [row] = await context.database.hot.query<{ worker_id: string }>(
    `SELECT worker_id FROM lease
     WHERE job_id = $1 AND token = $2 AND ($3::uuid IS NULL OR workspace_id = $3::uuid)`,
    [jobId, token, scope],
  );
  return row?.worker_id ?? null;
}

/** A lease that is held now. */
export interface HeldLeaseRef extends LeaseRef {
  workspaceId: string;
}

/** The lease of a token. @throws LeaseLostError unless it is held now, in the workspace */
export async function requireLease(context: JobsContext, scope: WorkspaceScope, token: string): Promise<HeldLeaseRef> {
  const ref = decodeLeaseToken(token);
  if (ref === null) throw new LeaseLostError(null);
  const [row] = await context.database.hot.query<{ workspace_id: string }>(
    `SELECT job.workspace_id FROM job JOIN lease ON ${heldBy(1)}`,
    [ref.jobId, ref.token, scope],
  );
  if (row === undefined) throw await leaseLost(context, scope, ref);
  return { ...ref, workspaceId: row.workspace_id };
}

/** The error for a late writer: LEASE_LOST. */
export async function leaseLost(context: JobsContext, scope: WorkspaceScope, ref: LeaseRef): Promise<LeaseLostError> {
  return leaseLostBy(await findPastAttempt(context, scope, ref));
}

/** LEASE_LOST for a past attempt, or for a token that matches none. It has no job once another attempt has begun. */
export function leaseLostBy(past: PastAttempt | null): LeaseLostError {
  return new LeaseLostError(past !== null && isNewest(past) ? past.job : null);
}

/** Whether no other attempt has begun. Its token then still shows the job. */
export function isNewest({ job, number }: PastAttempt): boolean {
  return job.attempt === number;
}
