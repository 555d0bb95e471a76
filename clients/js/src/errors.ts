import type { Job, JobSummary } from './job.ts';

/** One fault of an input: the path to it, and what is expected there. */
export interface Issue {
  path: string[];
  message: string;
}

/** What a server tells of a failure. */
export interface Failure {
  code: string;
  message: string;
  issues?: Issue[];
  /** The job that stands against it, as far as was asked. */
  job?: JobSummary | null;
  required?: number;
  available?: number;
  limit?: number;
  limitBytes?: number;
  /** Milliseconds. */
  retryAfter?: number;
}

/** Every failure that this package throws. `code` is the server's (see its README), or one of this package's classes. */
export class LonghaulError extends Error {
  /** Of the class, also where a bundler shortens names. */
  override readonly name: string = 'LonghaulError';
  readonly code: string;
  /** Whether the same call may succeed later as it is. */
  readonly retryable: boolean;
  /** What is wrong with which part of the input; empty for other failures. */
  readonly issues: readonly Issue[];
  /** Milliseconds that the server asked to wait; null where it did not. */
  readonly retryAfter: number | null;
  /** What the server told beside the code, such as `limit`. */
  readonly failure: Failure;

  constructor(failure: Failure, options?: ErrorOptions & { retryable?: boolean }) {
    super(failure.message, options);
    this.failure = failure;
    this.code = failure.code;
    this.retryable = options?.retryable ?? retryableCodes.has(failure.code);
    this.issues = failure.issues ?? [];
    this.retryAfter = failure.retryAfter ?? null;
  }
}

const retryableCodes = new Set(['UNAVAILABLE', 'RATE_LIMITED', 'QUEUE_FULL', 'INSUFFICIENT_STORAGE', 'QUOTA_EXCEEDED', 'CONNECTION']);

/** The input is not what the type takes: `issues` says where. */
export class ValidationError extends LonghaulError {
  override readonly name = 'ValidationError';
}

/** There is no such job, or none that the caller may see. */
export class NotFoundError extends LonghaulError {
  override readonly name = 'NotFoundError';
}

/** The workspace has too few credits: `failure.required`, `failure.available`. */
export class InsufficientCreditsError extends LonghaulError {
  override readonly name = 'InsufficientCreditsError';
}

/** Too many jobs wait: `failure.limit`. Later it may be taken. */
export class QueueFullError extends LonghaulError {
  override readonly name = 'QueueFullError';
}

/** The workspace's uploads would take more room than they may: `failure.limitBytes`. */
export class QuotaExceededError extends LonghaulError {
  override readonly name = 'QuotaExceededError';
}

/** Too many requests: `retryAfter` says how long to wait. */
export class RateLimitedError extends LonghaulError {
  override readonly name = 'RateLimitedError';
}

/** The idempotency key stands for another request already. */
export class IdempotencyConflictError extends LonghaulError {
  override readonly name = 'IdempotencyConflictError';
}

/** The job has ended: `job` says how. */
export class AlreadyFinishedError extends LonghaulError {
  override readonly name = 'AlreadyFinishedError';

  get job(): JobSummary | null {
    return this.failure.job ?? null;
  }
}

/** Only jobs that failed or were cancelled are retried. */
export class NotRetryableError extends LonghaulError {
  override readonly name = 'NotRetryableError';
}

/** The attempt is over for this worker. */
export class LeaseLostError extends LonghaulError {
  override readonly name = 'LeaseLostError';
}

/** No key, a wrong one, or one that was revoked: asking again changes nothing. */
export class UnauthenticatedError extends LonghaulError {
  override readonly name = 'UnauthenticatedError';
}

/** The access token's time is over, and `auth` gave no fresh one. */
export class TokenExpiredError extends LonghaulError {
  override readonly name = 'TokenExpiredError';
}

/** The key or token lacks the right. */
export class ForbiddenError extends LonghaulError {
  override readonly name = 'ForbiddenError';
}

/** The server, or what it needs, is not there now. */
export class UnavailableError extends LonghaulError {
  override readonly name = 'UnavailableError';
}

/** No answer came, or the connection broke. */
export class ConnectionError extends LonghaulError {
  override readonly name = 'ConnectionError';

  constructor(message: string, options?: ErrorOptions & { retryAfter?: number | undefined }) {
    super({ code: 'CONNECTION', message, ...(options?.retryAfter === undefined ? {} : { retryAfter: options.retryAfter }) }, options);
  }
}

/** The caller's signal was aborted; its reason is the `cause`. */
export class AbortError extends LonghaulError {
  override readonly name = 'AbortError';

  constructor(cause?: unknown) {
    super({ code: 'ABORTED', message: 'This was aborted by its signal.' }, { cause });
  }
}

/** The caller's `timeout` is over. */
export class TimeoutError extends LonghaulError {
  override readonly name = 'TimeoutError';

  constructor(milliseconds: number) {
    super({ code: 'TIMED_OUT', message: `This took longer than its timeout of ${milliseconds} ms.` });
  }
}

/** The job ended as FAILED: `code` is its error's. */
export class JobFailed extends LonghaulError {
  override readonly name = 'JobFailed';
  readonly job: Job;

  constructor(job: Job) {
    super(job.error ?? { code: 'FAILED', message: 'The job failed.' }, { retryable: false });
    this.job = job;
  }
}

/** The job ended as CANCELLED. */
export class JobCancelled extends LonghaulError {
  override readonly name = 'JobCancelled';
  readonly job: Job;

  constructor(job: Job) {
    super({ code: 'CANCELLED', message: job.cancelReason === null ? 'The job was cancelled.' : `The job was cancelled: ${job.cancelReason}` });
    this.job = job;
  }
}

const classes: Record<string, typeof LonghaulError> = {
  VALIDATION_ERROR: ValidationError,
  NOT_FOUND: NotFoundError,
  INSUFFICIENT_CREDITS: InsufficientCreditsError,
  QUEUE_FULL: QueueFullError,
  QUOTA_EXCEEDED: QuotaExceededError,
  RATE_LIMITED: RateLimitedError,
  IDEMPOTENCY_CONFLICT: IdempotencyConflictError,
  ALREADY_FINISHED: AlreadyFinishedError,
  NOT_RETRYABLE: NotRetryableError,
  LEASE_LOST: LeaseLostError,
  UNAUTHENTICATED: UnauthenticatedError,
  TOKEN_EXPIRED: TokenExpiredError,
  FORBIDDEN: ForbiddenError,
  UNAVAILABLE: UnavailableError,
};

/** The error of the failure's code. */
export function errorOf(failure: Failure): LonghaulError {
  const Class = classes[failure.code] ?? LonghaulError;
  return new Class(failure);
}

/** Whether it is worth another try by the package itself, without changing what is asked. */
export function isPassing(error: unknown): error is LonghaulError {
  return error instanceof LonghaulError && (error.code === 'CONNECTION' || error.code === 'UNAVAILABLE' || error.code === 'RATE_LIMITED');
}
