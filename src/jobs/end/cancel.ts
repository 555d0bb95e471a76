import { z } from 'zod';
import { NotFoundError } from '../../errors.ts';
import { AlreadyFinishedError } from '../model/job-errors.ts';
import { parseInput } from '../../input.ts';
import type { JobsContext } from '../model/context.ts';
import { endJob, firstParameter } from './ending.ts';
import { findJob } from '../read/find.ts';
import type { Job } from '../model/job.ts';
import { isFinal, sqlIs, transitions } from '../model/state-machine.ts';

const cancellation = z.object({ reason: z.string().max(1_000).nullish() });

/**
 * PENDING or RUNNING → CANCELLED, refunded. The status is final for every reader at once. A worker that holds the job
 * is told to abort and can no longer write.
 *
 * @throws NotFoundError, AlreadyFinishedError, ValidationError (a reason longer than 1,000 characters)
 */
export async function cancelJob(
  context: JobsContext,
  workspaceId: string,
  jobId: string,
  request: { reason?: string | null | undefined } = {},
): Promise<Job> {
  const { reason = null } = parseInput(cancellation, request);
  for (;;) {
    const seen = await findJob(context.database.hot, workspaceId, jobId);
    if (seen === null) throw new NotFoundError('Job');
    if (isFinal(seen.status)) throw new AlreadyFinishedError(seen);
    const job = await cancelAsSeen(context, seen, reason);
    if (job !== null) return job;
  }
}

// The compare-and-set includes the attempt. Otherwise a claim that commits while this statement waits for the row lock
// would leave its lease and slot behind, because they are newer than the statement's snapshot.
function cancelAsSeen(context: JobsContext, seen: Job, reason: string | null): Promise<Job | null> {
  const $ = firstParameter;
  return endJob(context, {
    update: `
      UPDATE job SET status = '${transitions.cancel.to}', version = version + 1, cancel_reason = $${$ + 3}::text,
        credits_refunded = credits_charged, finished_at = now(), status_changed_at = now(), updated_at = now()
      WHERE id = $${$}::uuid AND workspace_id = $${$ + 1}::uuid AND attempt = $${$ + 2}::int AND ${sqlIs.cancellable}
      RETURNING job.*`,
    parameters: [seen.id, seen.workspaceId, seen.attempt, reason],
    outcome: transitions.cancel.to,
    told: context.notifiesOfCancellation(seen.dialect),
  });
}
