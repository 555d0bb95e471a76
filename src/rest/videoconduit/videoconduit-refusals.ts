import { describeIssue, type FieldIssue } from '../../errors.ts';
import { sentBody } from '../core/request-body.ts';
import type { Refused, RefusedRequest } from '../core/dialect-profile.ts';
import { keyConflict, queueFullRetrySeconds, type Refusal, unreadableBody } from '../core/refusal.ts';

/** Always both keys, `detail` and `code`; some of the vendor's own examples lack one. */
export function refuse(refusal: Refusal, request: RefusedRequest): Refused {
  switch (refusal.kind) {
    case 'UNAUTHENTICATED':
      // The vendor tells a key that was deactivated from one that never was.
      if (refusal.why === 'revoked') return refused(403, 'forbidden', 'This API key is deactivated');
      return refused(401, 'unauthorized', 'Invalid or missing API key');
    case 'FORBIDDEN':
      return refused(403, 'forbidden', refusal.message);
    case 'NOT_FOUND':
      return refused(404, 'not_found', refusal.what === 'job' ? 'Job not found' : 'Not found');
    case 'METHOD_NOT_ALLOWED':
      return refused(405, 'method_not_allowed', 'Method not allowed');
    case 'INVALID_QUERY':
    case 'INVALID_HEADER':
      return refused(400, 'bad_request', refusal.issues.map(describeIssue).join('; '));
    case 'INVALID_BODY': {
      const body = sentBody(request);
      return invalid(refusal.issues.map((issue) => fieldError(issue, body)));
    }
    case 'UNREADABLE_BODY':
      return refusal.why === 'encoding'
        ? refused(415, 'bad_request', unreadableBody.encoding)
        : invalid([unreadable[refusal.why]]);
    case 'BODY_TOO_LARGE':
      return refused(413, 'bad_request', 'The request body is too large');
    case 'INSUFFICIENT_CREDITS': {
      const { required, available } = refusal;
      return refused(402, 'insufficient_credits', 'Insufficient credits', { required, available });
    }
    case 'QUEUE_FULL': {
      const detail = `${refusal.limit} jobs are pending already. Retry when some have started.`;
      return refused(429, 'rate_limited', detail, { retry_after: queueFullRetrySeconds });
    }
    case 'IDEMPOTENCY_CONFLICT':
      return refused(409, 'idempotency_conflict', keyConflict);
    case 'ALREADY_FINISHED':
      return refused(409, 'conflict', 'The job has finished already');
    case 'RATE_LIMITED': {
      const { retryAfter } = refusal;
      const detail = `Rate limit exceeded. Retry after ${retryAfter} seconds.`;
      return refused(429, 'rate_limited', detail, { retry_after: retryAfter });
    }
    case 'UNAVAILABLE':
      return refused(503, 'service_unavailable', 'Service temporarily unavailable. Retry with backoff.');
    case 'INTERNAL':
      return refused(500, 'server_error', 'Internal server error');
  }
}

/** One issue of a body, in the form of the vendor's 422. */
interface FieldError {
  loc: string[];
  msg: string;
  type: string;
}

const unreadable = {
  empty: { loc: ['body'], msg: 'field required', type: 'value_error.missing' },
  type: { loc: ['body'], msg: 'Send JSON, with Content-Type: application/json', type: 'type_error' },
  syntax: { loc: ['body'], msg: 'The body is not valid JSON', type: 'value_error.jsondecode' },
} satisfies Record<string, FieldError>;

function fieldError({ path, message }: FieldIssue, body: unknown): FieldError {
  const loc = ['body', ...path];
  if (valueAt(body, path) === undefined) return { loc, msg: 'field required', type: 'value_error.missing' };
  return { loc, msg: message, type: 'value_error' };
}

function valueAt(body: unknown, path: readonly string[]): unknown {
  let value = body;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = Object.entries(value).find(([name]) => name === key)?.[1];
  }
  return value;
}

function invalid(detail: FieldError[]): Refused {
  return { status: 422, body: { detail, code: 'validation_error' } };
}

function refused(status: number, code: string, detail: string, more: object = {}): Refused {
  return { status, body: { detail, code, ...more } };
}
