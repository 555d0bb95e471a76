import { NotFoundError } from '../../errors.ts';
import { NotRetryableError } from '../model/job-errors.ts';
import type { JobsContext } from '../model/context.ts';
import { createJob } from './create.ts';
import type { CreationQueue } from './creation-queue.ts';
import { findJob } from '../read/find.ts';
import type { Job } from '../model/job.ts';
import { isRetryable } from '../model/state-machine.ts';
import { findEarlier } from './idempotency.ts';
import { requestKeyOf } from './request-key.ts';

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
  const sent = { retryOf: jobId };
  if (old === null || !isRetryable(old.status)) {
    const key = requestKeyOf({ idempotencyKey }, { dialect: 'NATIVE', retryOfId: jobId, sent });
    const [earlier] = (await findEarlier(context, workspaceId, key === null ? [] : [key])).values();
    if (earlier !== undefined) return earlier.job;
    throw old === null ? new NotFoundError('Job') : new NotRetryableError(old);
  }
  const { type, input, priority, tags, webhookUrl, maxAttempts, dialect, clientReference } = old;
  const request = { type, input, priority, tags, webhookUrl, maxAttempts, idempotencyKey };
  return createJob(context, queue, workspaceId, request, { dialect, clientReference, retryOfId: old.id, sent });
}
