import {
  AlreadyFinishedError,
  type FieldIssue,
  InsufficientCreditsError,
  LonghaulError,
  QueueFullError,
  ValidationError,
} from '../../errors.ts';
import type { Job } from '../../jobs/model/job.ts';
import { UnauthenticatedError } from '../../workspaces/authenticate.ts';

/** Everything that a dialect can have to say no to. Each dialect renders them all, in its own form. */
export type Refusal =
  | { kind: 'UNAUTHENTICATED'; why: KeyFault }
  /** The key is good and lacks the scope. */
  | { kind: 'FORBIDDEN'; message: string }
  /** `job`: unknown, malformed or another workspace's, all alike; `path`: the dialect has no such route. */
  | { kind: 'NOT_FOUND'; what: 'job' | 'path' }
  /** The header `allow` is set for it. */
  | { kind: 'METHOD_NOT_ALLOWED'; allowed: readonly string[] }
  | { kind: 'INVALID_QUERY'; issues: FieldIssue[] }
  /** Paths as the client sent the fields. */
  | { kind: 'INVALID_BODY'; issues: FieldIssue[] }
  /** `empty`: none was sent; `type`: it is not said to be JSON; `syntax`: it is none. */
  | { kind: 'UNREADABLE_BODY'; why: 'empty' | 'type' | 'syntax' }
  | { kind: 'BODY_TOO_LARGE' }
  | { kind: 'INSUFFICIENT_CREDITS'; required: number; available: number }
  /** The header `retry-after` is set for it. `limit`: pending jobs that a workspace may have. */
  | { kind: 'QUEUE_FULL'; limit: number }
  | { kind: 'ALREADY_FINISHED'; job: Job }
  /** The header `retry-after` is set for it. `retryAfter` in whole seconds; `limit` and `used` are requests a minute. */
  | { kind: 'RATE_LIMITED'; retryAfter: number; limit: number; used: number }
  | { kind: 'UNAVAILABLE' }
  /** A bug of ours: masked, and logged. */
  | { kind: 'INTERNAL' };

/** When to try again where the queue is full: nobody knows, and a client that asks every minute does no harm. */
export const queueFullRetrySeconds = 60;

/** `malformed` is a key that is not known and does not begin as the dialect's keys do. */
export type KeyFault = 'missing' | 'malformed' | 'unknown' | 'revoked' | 'expired';

/** Thrown by what the dialects share, and by a dialect, for what it will not do. */
export class RefusedError extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.kind);
    this.name = 'RefusedError';
    this.refusal = refusal;
  }
}

/** What a dialect has to say about anything that was thrown while it answered. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof RefusedError) return error.refusal;
  if (error instanceof LonghaulError) return refusalOfKnown(error);
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500;
  if (status === 413) return { kind: 'BODY_TOO_LARGE' };
  // Fastify's own, of a body that breaks off or is shorter than it says.
  return status < 500 ? { kind: 'UNREADABLE_BODY', why: 'syntax' } : { kind: 'INTERNAL' };
}

function refusalOfKnown(error: LonghaulError): Refusal {
  if (error instanceof UnauthenticatedError) return { kind: 'UNAUTHENTICATED', why: error.why };
  if (error instanceof ValidationError) return { kind: 'INVALID_BODY', issues: error.issues };
  if (error instanceof AlreadyFinishedError) return { kind: 'ALREADY_FINISHED', job: error.job };
  if (error instanceof QueueFullError) return { kind: 'QUEUE_FULL', limit: error.limit };
  if (error instanceof InsufficientCreditsError) {
    const { required, available } = error;
    return { kind: 'INSUFFICIENT_CREDITS', required, available };
  }
  switch (error.code) {
    case 'NOT_FOUND':
      return { kind: 'NOT_FOUND', what: 'job' };
    case 'FORBIDDEN':
      return { kind: 'FORBIDDEN', message: error.message };
    case 'UNAUTHENTICATED':
      return { kind: 'UNAUTHENTICATED', why: 'unknown' };
    case 'PAYLOAD_TOO_LARGE':
      return { kind: 'BODY_TOO_LARGE' };
    case 'BAD_USER_INPUT':
    case 'LIMIT_EXCEEDED':
    case 'VALIDATION_ERROR':
      return { kind: 'INVALID_BODY', issues: [{ path: [], message: error.message }] };
    case 'UNAVAILABLE':
      return { kind: 'UNAVAILABLE' };
    // The dialects offer no idempotency keys, no leases and no retries; and what has a class of its own is above.
    case 'IDEMPOTENCY_CONFLICT':
    case 'LEASE_LOST':
    case 'NOT_RETRYABLE':
    case 'INSUFFICIENT_CREDITS':
    case 'QUEUE_FULL':
    case 'ALREADY_FINISHED':
    case 'RATE_LIMITED':
    case 'INTERNAL':
      return { kind: 'INTERNAL' };
  }
}
