import { NotFoundError } from '../../errors.ts';
import { NotRetryableError } from '../model/job-errors.ts';
import type { JobsContext } from '../model/context.ts';
import { createJob } from './create.ts';
import type { CreationQueue } from './creation-queue.ts';
import { findJob } from '../read/find.ts';
import type { Job } from '../model/job.ts';
import { isRetryable } from '../model/state-machine.ts';

/**
 * Creates a new job with the type, input, tags, priority, attempts and webhook of a FAILED or CANCELLED one. The old
 * job does not change. The new job keeps the old dialect, because the webhook receiver understands only that one.
 *
 * @throws NotFoundError, NotRetryableError, and what createJob throws, because the type may have changed since.
 */
export async function retryJob(
  context: JobsContext,
  queue: CreationQueue,
  workspaceId: string,
  jobId: string,
  idempotencyKey: string | null,
): Promise<Job> {
  const old = await findJob(context.database.hot, workspaceId, jobId);
  if (old === null) throw new NotFoundError('Job');
  if (!isRetryable(old.status)) throw new NotRetryableError(old);
  const { type, input, priority, tags, webhookUrl, maxAttempts, dialect, clientReference } = old;
  const request = { type, input, priority, tags, webhookUrl, maxAttempts, idempotencyKey };
  return createJob(context, queue, workspaceId, request, { dialect, clientReference, retryOfId: old.id });
}
