import { NoRoomError, StoreUnavailableError } from '../errors.ts';
import { textOf } from './xml.ts';

/** The service refused a request. */
export class S3Error extends Error {
  readonly status: number;
  /** What the service calls it, for example NoSuchKey; of a HEAD, which has no body, the status alone. */
  readonly code: string;
  /** Milliseconds that it asks to wait; null if it does not. */
  readonly retryAfter: number | null;
  /** The region of the bucket, where the service names it. */
  readonly region: string | null;

  constructor(what: string, answer: { status: number; body: string; retryAfter: number | null; region: string | null }) {
    const code = textOf(answer.body, 'Code') ?? `status ${answer.status}`;
    const message = textOf(answer.body, 'Message');
    super(`${what}: ${code}${message === null ? '' : ` (${message.slice(0, 300)})`}`);
    this.name = 'S3Error';
    this.status = answer.status;
    this.code = code;
    this.retryAfter = answer.retryAfter;
    this.region = answer.region ?? textOf(answer.body, 'Region');
  }
}

const transientStatuses = new Set([408, 429, 500, 502, 503, 504]);
const transientCodes = new Set(['InternalError', 'OperationAborted', 'RequestTimeout', 'ServiceUnavailable', 'SlowDown', 'TooManyRequests']);
const fullCodes = new Set(['InsufficientStorage', 'QuotaExceeded', 'XMinioStorageFull', 'status 507']);

/** Whether the same request may succeed a moment later: it was refused for now, or its connection failed. */
export function isTransient(error: unknown): boolean {
  if (error instanceof S3Error) return transientStatuses.has(error.status) || transientCodes.has(error.code);
  if (!(error instanceof Error)) return false;
  // Of sockets, of the resolver and of undici; those of TLS have other forms, and need somebody who mends them.
  return error.name === 'TimeoutError' || ('code' in error && /^(?:E(?!RR_)[A-Z_]+|UND_ERR_.*)$/.test(String(error.code)));
}

/** What the caller of the store is told. */
export function storeErrorOf(error: unknown): unknown {
  if (error instanceof StoreUnavailableError) return error;
  if (error instanceof S3Error && fullCodes.has(error.code)) return new NoRoomError(error);
  return isTransient(error) ? new StoreUnavailableError(error) : error;
}

export function isMissing(error: unknown): error is S3Error {
  return error instanceof S3Error && error.status === 404 && error.code !== 'NoSuchBucket';
}
