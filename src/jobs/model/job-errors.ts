import { LonghaulError } from '../../errors.ts';
import type { Job } from './job.ts';

/** What a key was used for before. */
type EarlierUse = { job: Job } | { bulkActionId: string };

export class IdempotencyConflictError extends LonghaulError {
  /** Null where the key started a bulk action. */
  readonly job: Job | null;
  /** Null where the key created a job. */
  readonly bulkActionId: string | null;

  constructor(earlier: EarlierUse) {
    const did = 'job' in earlier ? 'created a job' : 'started a bulk action';
    super('IDEMPOTENCY_CONFLICT', `This idempotency key already ${did} from a different request. Use a new key for a new request.`);
    this.job = 'job' in earlier ? earlier.job : null;
    this.bulkActionId = 'job' in earlier ? null : earlier.bulkActionId;
  }
}

/** Of a watch: the job was deleted before the watcher was told all. The same code as for a job that is not there. */
export class JobDeletedError extends LonghaulError {
  constructor(message: string) {
    super('NOT_FOUND', message);
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
