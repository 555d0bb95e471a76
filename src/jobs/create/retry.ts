import { NotFoundError, ValidationError } from '../../errors.ts';
import { NotRetryableError } from '../model/job-errors.ts';
import type { JobsContext } from '../model/context.ts';
import { createJob } from './create.ts';
import type { CreationQueue } from './creation-queue.ts';
import { findJob } from '../read/find.ts';
import type { Submitter } from '../../workspaces/viewer.ts';
import type { Job } from '../model/job.ts';
import { isRetryable } from '../model/state-machine.ts';
import { findEarlier } from './idempotency.ts';
import type { JobOrigin, JobRequest } from './job-request.ts';
import { requestKeyOf } from './request-key.ts';
import { issuesOfRetry } from './submitter.ts';

interface RetryRequest {
  workspaceId: string;
  /** Of the job to retry. */
  id: string;
  idempotencyKey: string | null;
  submitter: Submitter | null;
}

/**
 * Creates a new job with the type, input, tags, priority, attempts, concurrency key and webhook of a FAILED or CANCELLED
 * one. The old job does not change. The new job keeps the old dialect, because the webhook receiver understands only that one.
 *
 * @throws NotFoundError, NotRetryableError, ValidationError for what an access token may not retry, and what createJob throws,
 * because the type may have changed since.
 */
export async function retryJob(
  context: JobsContext,
  queue: CreationQueue,
  { workspaceId, id, idempotencyKey, submitter }: RetryRequest,
): Promise<Job> {
  const old = await findJob(context.database.hot, workspaceId, id);
  const sent = { retryOf: id };
  if (old === null || !isRetryable(old.status)) {
    const key = requestKeyOf({ idempotencyKey }, { dialect: 'NATIVE', retryOfId: id, submitter, sent });
    const [earlier] = (await findEarlier(context, workspaceId, key === null ? [] : [key])).values();
    if (earlier !== undefined) return earlier.job;
    throw old === null ? new NotFoundError('Job') : new NotRetryableError(old);
  }
  const issues = submitter === null ? [] : issuesOfRetry(submitter, old);
  if (issues.length > 0) throw new ValidationError(issues);
  const { request, origin } = retryOf(old);
  return createJob(context, queue, workspaceId, { ...request, idempotencyKey }, { ...origin, submitter, sent });
}

/** The request for a job like this one. */
export function retryOf(old: Job): { request: JobRequest; origin: JobOrigin } {
  const { type, input, priority, tags, webhookUrl, maxAttempts, concurrencyKey, concurrencyLimit, dialect, clientReference } = old;
  const request = { type, input, priority, tags, webhookUrl, maxAttempts, concurrencyKey, concurrencyLimit };
  return { request, origin: { dialect, clientReference, retryOfId: old.id } };
}
