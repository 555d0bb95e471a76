import {
  bodyEncodings,
  describeError,
  type FieldIssue,
  InsufficientCreditsError,
  LonghaulError,
  QueueFullError,
  UnsupportedEncodingError,
  ValidationError,
} from '../../errors.ts';
import { unavailableOf } from '../../database/unavailable.ts';
import { AlreadyFinishedError } from '../../jobs/model/job-errors.ts';
import type { Job } from '../../jobs/model/job.ts';
import { type KeyFault as OwnKeyFault, UnauthenticatedError } from '../../workspaces/authenticate.ts';

/** Every reason for which a dialect can refuse a request. Each dialect renders them all in its own form. */
export type Refusal =
  | { kind: 'UNAUTHENTICATED'; why: KeyFault }
  /** The key is valid and lacks the scope. */
  | { kind: 'FORBIDDEN'; message: string }
  /** `job`: unknown, malformed or of another workspace, which all look alike; `path`: the dialect has no such route. */
  | { kind: 'NOT_FOUND'; what: 'job' | 'path' }
  /** The header `allow` is set for it. */
  | { kind: 'METHOD_NOT_ALLOWED'; allowed: readonly string[] }
  | { kind: 'INVALID_QUERY'; issues: FieldIssue[] }
  /** 400 in every dialect. */
  | { kind: 'INVALID_HEADER'; issues: FieldIssue[] }
  /** Paths as the client sent the fields. */
  | { kind: 'INVALID_BODY'; issues: FieldIssue[] }
  | { kind: 'UNREADABLE_BODY'; why: keyof typeof unreadableBody }
  | { kind: 'BODY_TOO_LARGE' }
  | { kind: 'INSUFFICIENT_CREDITS'; required: number; available: number }
  /** The header `retry-after` is set for it. `limit`: pending jobs that a workspace may have. */
  | { kind: 'QUEUE_FULL'; limit: number }
  | { kind: 'IDEMPOTENCY_CONFLICT' }
  | { kind: 'ALREADY_FINISHED'; job: Job }
  /** The header `retry-after` is set for it. `retryAfter` in whole seconds; `limit` and `used` are requests a minute. */
  | { kind: 'RATE_LIMITED'; retryAfter: number; limit: number; used: number }
  | { kind: 'UNAVAILABLE' }
  /** A bug of ours: masked, and logged. */
  | { kind: 'INTERNAL' };

/** For the error of every dialect. */
export const keyConflict = 'This Idempotency-Key was used for another request within 24 hours. Use a new key.';

/** Why a body cannot be read, for vendors that have no words of their own for it. */
export const unreadableBody = {
  empty: 'The body is empty. Send a JSON object.',
  type: 'The body must be a JSON object, sent with Content-Type: application/json',
  syntax: 'The body is not JSON in UTF-8',
  encoding: `The body has a Content-Encoding that is not taken here. Use ${bodyEncodings}, or none.`,
} as const;

/** 415 says that the body would be read in another encoding; the vendors have 400 for the rest. */
export function unreadableStatus({ why }: { why: keyof typeof unreadableBody }): 400 | 415 {
  return why === 'encoding' ? 415 : 400;
}

/** When to try again after a full queue. Nobody can know; a client that asks once a minute does no harm. */
export const queueFullRetrySeconds = 60;

/** `malformed`: unknown, and it does not begin as the dialect's keys do. */
export type KeyFault = OwnKeyFault | 'malformed';

/** Thrown by the core and by dialects to refuse a request. */
export class RefusedError extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.kind);
    this.name = 'RefusedError';
    this.refusal = refusal;
  }
}

/** The refusal that anything thrown while a dialect answered becomes. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof RefusedError) return error.refusal;
  const known = error instanceof LonghaulError ? error : unavailableOf(error);
  if (known !== null) return refusalOfKnown(known);
  // Fastify's own: of a body that is too large, breaks off or is shorter than announced.
  const { status, code } = describeError(error);
  if (code === 'PAYLOAD_TOO_LARGE') return { kind: 'BODY_TOO_LARGE' };
  return status < 500 ? { kind: 'UNREADABLE_BODY', why: 'syntax' } : { kind: 'INTERNAL' };
}

function refusalOfKnown(error: LonghaulError): Refusal {
  if (error instanceof UnauthenticatedError) return { kind: 'UNAUTHENTICATED', why: error.why };
  if (error instanceof UnsupportedEncodingError) return { kind: 'UNREADABLE_BODY', why: 'encoding' };
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
    case 'TOKEN_EXPIRED':
      return { kind: 'UNAUTHENTICATED', why: 'unknown' };
    case 'PAYLOAD_TOO_LARGE':
      return { kind: 'BODY_TOO_LARGE' };
    case 'BAD_USER_INPUT':
    case 'LIMIT_EXCEEDED':
    case 'VALIDATION_ERROR':
      return { kind: 'INVALID_BODY', issues: [{ path: [], message: error.message }] };
    case 'UNAVAILABLE':
      return { kind: 'UNAVAILABLE' };
    case 'IDEMPOTENCY_CONFLICT':
      return { kind: 'IDEMPOTENCY_CONFLICT' };
    // The dialects offer no leases, no retries, no bulk actions and no uploads; and what has a class of its own is above.
    case 'LEASE_LOST':
    case 'NOT_RETRYABLE':
    case 'QUOTA_EXCEEDED':
    case 'INSUFFICIENT_STORAGE':
    case 'NOT_FINISHED':
    case 'INSUFFICIENT_CREDITS':
    case 'QUEUE_FULL':
    case 'ALREADY_FINISHED':
    case 'RATE_LIMITED':
    case 'INTERNAL':
      return { kind: 'INTERNAL' };
  }
}
