import { NotFoundError } from '../../errors.ts';
import { NotRetryableError } from '../model/job-errors.ts';
import type { JobsContext } from '../model/context.ts';
import { createJob } from './create.ts';
import type { CreationQueue } from './creation-queue.ts';
import { findJob } from '../read/find.ts';
import type { Job } from '../model/job.ts';
import { isRetryable } from '../model/state-machine.ts';

/**
 * Makes a new job with the type, input, tags, priority, attempts and webhook of one that FAILED or was CANCELLED. The
 * old one stays as it ended. The new one is of the dialect of the old one: its receiver knows no other words.
 *
 * @throws NotFoundError, NotRetryableError, and what createJob throws: the type may have changed since.
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
