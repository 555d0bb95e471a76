import { z } from 'zod';
import { LeaseLostError } from '../model/job-errors.ts';
import { parseInput } from '../../input.ts';
import { failedAttempt } from './attempt-failure.ts';
import type { JobsContext } from '../model/context.ts';
import type { WorkspaceScope } from '../model/workspace-scope.ts';
import { endJob, firstParameter } from './ending.ts';
import { findPastAttempt, heldBy, isNewest, leaseLostBy } from '../claim/held.ts';
import type { Job } from '../model/job.ts';
import { decodeLeaseToken } from '../claim/lease-token.ts';
import { isPending, transitions } from '../model/state-machine.ts';

const failure = z.object({
  token: z.string(),
  code: z.string().regex(/^[A-Za-z0-9_.:-]{1,100}$/, {
    error: 'must be 1 to 100 letters, digits, or any of _ . : -, for example PROCESSING_ERROR',
  }),
  message: z.string().min(1).max(10_000),
  retryable: z.boolean().optional(),
  retryAfterSeconds: z.int().min(0).max(86_400).nullish(),
});

export interface FailedAttempt {
  token: string;
  /** A stable error code, for example PROCESSING_ERROR. */
  code: string;
  message: string;
  /** False fails the job even if it has attempts left. */
  retryable?: boolean | undefined;
  /** Not before so many seconds, in place of the usual backoff. 0 to 86,400. */
  retryAfterSeconds?: number | null | undefined;
}

/**
 * RUNNING → PENDING with a backoff, or → FAILED and refunded if the attempt was the last one or is not retryable.
 * Repeating the same failure after a lost reply returns the same result, until another attempt has begun.
 *
 * @throws ValidationError, LeaseLostError
 */
export async function failJob(context: JobsContext, scope: WorkspaceScope, request: FailedAttempt): Promise<Job> {
  const { token, code, message, retryable = true, retryAfterSeconds = null } = parseInput(failure, request);
  const ref = decodeLeaseToken(token);
  if (ref === null) throw new LeaseLostError(null);

  const $ = firstParameter;
  const sql = { code: '$4::text', message: '$5::text', declaredFinal: `NOT $${$ + 3}::boolean`, retryAfter: `$${$ + 4}::int` };
  const job = await endJob(context, {
    update: `
      UPDATE job SET ${failedAttempt(sql)}
      FROM lease WHERE ${heldBy($)}
      RETURNING job.*`,
    parameters: [ref.jobId, ref.token, scope, retryable, retryAfterSeconds],
    outcome: transitions.fail.to,
    failure: { code, message },
  });
  if (job !== null) {
    if (retryAfterSeconds === 0 && isPending(job.status)) context.announcer.workAvailable(job);
    return job;
  }
  const past = await findPastAttempt(context, scope, ref);
  const isRepeated = past?.outcome === transitions.fail.to && past.errorCode === code && past.errorMessage === message;
  if (isRepeated && isNewest(past)) return past.job;
  throw leaseLostBy(past);
}
