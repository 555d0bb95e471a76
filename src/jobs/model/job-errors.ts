import { LonghaulError } from '../../errors.ts';
import type { Job } from './job.ts';

export class IdempotencyConflictError extends LonghaulError {
  readonly job: Job;

  constructor(job: Job) {
    super(
      'IDEMPOTENCY_CONFLICT',
      'This idempotency key already created a job from a different request. Use a new key for a new request.',
    );
    this.job = job;
  }
}

export class AlreadyFinishedError extends LonghaulError {
  readonly job: Job;

  constructor(job: Job) {
    super('ALREADY_FINISHED', `The job is already ${job.status} and can no longer change.`);
    this.job = job;
  }
}

export class LeaseLostError extends LonghaulError {
  /** Null if the token matches no job. */
  readonly job: Job | null;

  constructor(job: Job | null) {
    super(
      'LEASE_LOST',
      'The lease on this attempt is gone: it expired, was superseded, or the job was cancelled. Stop working on it.',
    );
    this.job = job;
  }
}

export class NotRetryableError extends LonghaulError {
  readonly job: Job;

  constructor(job: Job) {
    super('NOT_RETRYABLE', `Only FAILED and CANCELLED jobs can be retried; this one is ${job.status}.`);
    this.job = job;
  }
}
