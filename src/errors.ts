/**
 * The only table of errors. Every failure that a caller can see has a row here. A test compares the README's catalogue
 * and the GraphQL schema with it.
 *
 * - `expected` failures are outcomes of a mutation. GraphQL returns them as union members, REST as a status and body.
 * - `client` errors mean that the request could not be accepted. GraphQL throws them with `extensions.code`.
 * - A `bug` is our fault. It is masked, and logged with an id.
 */
export const errorTable = {
  VALIDATION_ERROR: { kind: 'expected', httpStatus: 400, graphqlType: 'ValidationError' },
  NOT_FOUND: { kind: 'expected', httpStatus: 404, graphqlType: 'NotFoundError' },
  INSUFFICIENT_CREDITS: { kind: 'expected', httpStatus: 402, graphqlType: 'InsufficientCreditsError' },
  QUEUE_FULL: { kind: 'expected', httpStatus: 429, graphqlType: 'QueueFullError' },
  IDEMPOTENCY_CONFLICT: { kind: 'expected', httpStatus: 409, graphqlType: 'IdempotencyConflictError' },
  ALREADY_FINISHED: { kind: 'expected', httpStatus: 409, graphqlType: 'AlreadyFinishedError' },
  LEASE_LOST: { kind: 'expected', httpStatus: 409, graphqlType: 'LeaseLostError' },
  NOT_RETRYABLE: { kind: 'expected', httpStatus: 409, graphqlType: 'NotRetryableError' },
  QUOTA_EXCEEDED: { kind: 'expected', httpStatus: 413, graphqlType: 'QuotaExceededError' },
  NOT_FINISHED: { kind: 'client', httpStatus: 409, graphqlType: null },
  UNAUTHENTICATED: { kind: 'client', httpStatus: 401, graphqlType: null },
  TOKEN_EXPIRED: { kind: 'client', httpStatus: 401, graphqlType: null },
  FORBIDDEN: { kind: 'client', httpStatus: 403, graphqlType: null },
  BAD_USER_INPUT: { kind: 'client', httpStatus: 400, graphqlType: null },
  LIMIT_EXCEEDED: { kind: 'client', httpStatus: 400, graphqlType: null },
  PAYLOAD_TOO_LARGE: { kind: 'client', httpStatus: 413, graphqlType: null },
  RATE_LIMITED: { kind: 'client', httpStatus: 429, graphqlType: null },
  INSUFFICIENT_STORAGE: { kind: 'client', httpStatus: 507, graphqlType: null },
  UNAVAILABLE: { kind: 'client', httpStatus: 503, graphqlType: null },
  INTERNAL: { kind: 'bug', httpStatus: 500, graphqlType: null },
} as const satisfies Record<string, ErrorRow>;

interface ErrorRow {
  kind: 'expected' | 'client' | 'bug';
  httpStatus: number;
  /** The member type in mutation unions; null if the error is thrown instead. */
  graphqlType: string | null;
}

export type ErrorCode = keyof typeof errorTable;

/** Whether the value is a code of the table. */
export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(errorTable, value);
}

/** An error that callers may see. Any other thrown value is a bug and is masked. */
export class LonghaulError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }

  get httpStatus(): number {
    return errorTable[this.code].httpStatus;
  }
}

/** One fault in an input: its path within the input, and what is expected there. */
export interface FieldIssue {
  path: string[];
  message: string;
}

/** How many issues the message includes. `issues` has all of them. */
const shownIssues = 5;

export class ValidationError extends LonghaulError {
  readonly issues: FieldIssue[];

  constructor(issues: FieldIssue[]) {
    const more = issues.length > shownIssues ? `; and ${issues.length - shownIssues} more` : '';
    super('VALIDATION_ERROR', issues.slice(0, shownIssues).map(describeIssue).join('; ') + more);
    this.issues = issues;
  }
}

/** Formats an issue as text: `input.url: expected …`. */
export function describeIssue({ path, message }: FieldIssue): string {
  return [path.join('.'), message].filter((part) => part !== '').join(': ');
}

export class NotFoundError extends LonghaulError {
  constructor(what: string) {
    super('NOT_FOUND', `${what} not found. Check the id and the workspace that the key belongs to.`);
  }
}

export class InsufficientCreditsError extends LonghaulError {
  readonly required: number;
  readonly available: number;

  constructor(required: number, available: number) {
    super(
      'INSUFFICIENT_CREDITS',
      `This costs ${required} credits and the workspace has ${available}. Grant credits, then send it again.`,
    );
    this.required = required;
    this.available = available;
  }
}

export class QueueFullError extends LonghaulError {
  readonly limit: number;

  constructor(limit: number) {
    super('QUEUE_FULL', `The workspace has ${limit} pending jobs, its limit. Try again when some have started.`);
    this.limit = limit;
  }
}

/** The uploads of a workspace would take more room than they may. */
export class QuotaExceededError extends LonghaulError {
  readonly limitBytes: number;

  constructor(limitBytes: number) {
    super(
      'QUOTA_EXCEEDED',
      `The workspace's uploads may take ${limitBytes} bytes together, and this one would exceed that. Use those that are there, or wait until they have expired.`,
    );
    this.limitBytes = limitBytes;
  }
}

/** The volume of the files is full or only reads. */
export class StorageFullError extends LonghaulError {
  constructor(options?: ErrorOptions) {
    super('INSUFFICIENT_STORAGE', 'There is no room for files on the server now. Try again later.', options);
  }
}

/** The body's Content-Encoding is none that we take. */
export class UnsupportedEncodingError extends LonghaulError {
  constructor() {
    super('BAD_USER_INPUT', `The body has a Content-Encoding that is not taken here. Use ${bodyEncodings}, or none.`);
  }

  override get httpStatus(): number {
    return 415;
  }
}

/** In which a request's body may come, beside as it is. */
export const bodyEncodings = 'gzip, deflate, br';

/** The body is larger than this route takes, as it came or unpacked. */
export class BodyTooLargeError extends LonghaulError {
  constructor(limit: number) {
    super('PAYLOAD_TOO_LARGE', `The body has more than ${limit} bytes. Send less, or in several requests.`);
  }
}

/** Whether Fastify refused the body for its size. */
export function isBodyTooLarge(error: unknown): boolean {
  return error instanceof Error && 'statusCode' in error && error.statusCode === errorTable.PAYLOAD_TOO_LARGE.httpStatus;
}

/** The caller asks for more than its share: of requests in a minute, or of what waits at the same time. */
export class RateLimitedError extends LonghaulError {
  /** Whole seconds until it should ask again. */
  readonly retryAfter: number;

  constructor(limit: string, retryAfter: number) {
    super('RATE_LIMITED', `${limit} Try again in ${retryAfter} s.`);
    this.retryAfter = retryAfter;
  }
}

/** For how long a caller should wait whose claims or counts are too many at a time, in seconds: others of them end meanwhile. */
export const crowdedRetrySeconds = 5;

/** When to try again while the database is away, in seconds. */
export const unavailableRetrySeconds = 2;

/** Converts any thrown value, including Fastify's own errors, to what the caller sees. Bugs are masked. */
export function describeError(error: unknown): { status: number; code: ErrorCode; message: string } {
  if (error instanceof LonghaulError) return { status: error.httpStatus, code: error.code, message: error.message };
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500;
  if (status === errorTable.PAYLOAD_TOO_LARGE.httpStatus) {
    return { status, code: 'PAYLOAD_TOO_LARGE', message: 'The body is too large. Send less, or in several requests.' };
  }
  if (status === 415) {
    return { status, code: 'BAD_USER_INPUT', message: 'Send JSON, with `Content-Type: application/json`.' };
  }
  if (status < 500 && error instanceof Error) return { status, code: 'BAD_USER_INPUT', message: error.message };
  return { status: 500, code: 'INTERNAL', message: 'Something went wrong on our side. Try again.' };
}
