import { describeIssue } from '../../errors.ts';
import type { Refused } from '../core/dialect-profile.ts';
import { keyConflict, type Refusal, unreadableBody, unreadableStatus } from '../core/refusal.ts';

/** `{"error":{"code":"…","message":"…"}}`. */
export function refuse(refusal: Refusal): Refused {
  switch (refusal.kind) {
    case 'UNAUTHENTICATED': {
      const malformed = refusal.why === 'malformed';
      return refused(401, 'authentication_error', malformed ? 'Invalid API key format' : 'Invalid or missing API key');
    }
    case 'FORBIDDEN':
      return refused(403, 'insufficient_scope', refusal.message);
    case 'NOT_FOUND':
      return refused(404, 'not_found', refusal.what === 'job' ? 'Job not found' : 'Not found');
    case 'METHOD_NOT_ALLOWED':
      return refused(405, 'method_not_allowed', 'Method not allowed');
    case 'INVALID_QUERY':
    case 'INVALID_HEADER':
    case 'INVALID_BODY':
      return refused(400, 'validation_error', refusal.issues.map(describeIssue).join('; '));
    case 'UNREADABLE_BODY':
      return refused(unreadableStatus(refusal), 'validation_error', unreadableBody[refusal.why]);
    case 'BODY_TOO_LARGE':
      return refused(413, 'validation_error', 'The request body is too large');
    case 'INSUFFICIENT_CREDITS':
      // The vendor has plans instead of credits; this is its answer when one is used up.
      return refused(403, 'limit_exceeded', `This costs ${refusal.required} credits; ${refusal.available} are left`);
    case 'QUEUE_FULL':
      return refused(429, 'rate_limit_exceeded', `${refusal.limit} jobs are pending already. Retry when some have started.`);
    case 'IDEMPOTENCY_CONFLICT':
      return refused(409, 'idempotency_conflict', keyConflict);
    case 'ALREADY_FINISHED':
      return refused(409, 'conflict', 'The job has finished already');
    case 'RATE_LIMITED':
      return refused(429, 'rate_limit_exceeded', `Rate limit exceeded. Retry after ${refusal.retryAfter} seconds.`);
    case 'UNAVAILABLE':
      return refused(503, 'internal_error', 'Service temporarily unavailable. Retry with backoff.');
    case 'INTERNAL':
      return refused(500, 'internal_error', 'Internal server error');
  }
}

function refused(status: number, code: string, message: string): Refused {
  return { status, body: { error: { code, message } } };
}
