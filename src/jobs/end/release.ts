import { z } from 'zod';
import { LeaseLostError } from '../model/job-errors.ts';
import { parseInput } from '../../input.ts';
import { releasedAttempt } from './attempt-failure.ts';
import type { JobsContext } from '../model/context.ts';
import type { WorkspaceScope } from '../model/workspace-scope.ts';
import { endJob, firstParameter } from './ending.ts';
import { heldBy, leaseLost } from '../claim/held.ts';
import type { Job } from '../model/job.ts';
import { decodeLeaseToken } from '../claim/lease-token.ts';

const release = z.object({ token: z.string() });

/**
 * RUNNING → PENDING: hands an attempt back, as a worker does when it shuts down. The attempt does not count as failed,
 * and another worker may claim the job at once.
 *
 * @throws ValidationError, LeaseLostError
 */
export async function releaseJob(
  context: JobsContext,
  scope: WorkspaceScope,
  request: { token: string },
): Promise<Job> {
  const { token } = parseInput(release, request);
  const ref = decodeLeaseToken(token);
  if (ref === null) throw new LeaseLostError(null);

  const job = await endJob(context, {
    update: `UPDATE job SET ${releasedAttempt} FROM lease WHERE ${heldBy(firstParameter)} RETURNING job.*`,
    parameters: [ref.jobId, ref.token, scope],
    outcome: 'RELEASED',
  });
  if (job === null) throw await leaseLost(context, scope, ref);
  context.announcer.workAvailable(job);
  return job;
}
