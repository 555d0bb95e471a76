import { describeIssue, type FieldIssue } from '../../errors.ts';
import { isJsonObject } from '../../json.ts';
import { sentBody } from '../core/request-body.ts';
import type { Refused, RefusedRequest } from '../core/dialect-profile.ts';
import { keyConflict, type KeyFault, queueFullRetrySeconds, type Refusal, unreadableBody, unreadableStatus } from '../core/refusal.ts';
import { statusOf } from './vydra-job.ts';

/** `{"error":"…","code":"…"}`, and `details` if there are any. */
export function refuse(refusal: Refusal, request: RefusedRequest): Refused {
  switch (refusal.kind) {
    case 'UNAUTHENTICATED':
      return refuseKey(refusal.why, request);
    case 'FORBIDDEN':
      return refused(403, 'INSUFFICIENT_SCOPE', refusal.message);
    case 'NOT_FOUND':
      if (refusal.what === 'path') return refused(404, 'NOT_FOUND', 'Not found');
      return refused(404, 'JOB_NOT_FOUND', 'Job not found');
    case 'METHOD_NOT_ALLOWED':
      return refused(405, 'METHOD_NOT_ALLOWED', 'Method not allowed');
    case 'INVALID_QUERY':
    case 'INVALID_HEADER':
      return refused(400, 'INVALID_INPUT', refusal.issues.map(describeIssue).join('; '));
    case 'INVALID_BODY':
      return refuseBody(refusal.issues, request);
    case 'UNREADABLE_BODY':
      return refused(unreadableStatus(refusal), 'INVALID_INPUT', unreadableBody[refusal.why]);
    case 'BODY_TOO_LARGE':
      return refused(413, 'INVALID_INPUT', 'The request body is too large');
    case 'INSUFFICIENT_CREDITS': {
      const { required: creditsRequired, available: creditsRemaining } = refusal;
      return refused(402, 'INSUFFICIENT_CREDITS', 'Insufficient credits', { creditsRequired, creditsRemaining });
    }
    // The vendor's plans limit the jobs under way; it says so in this form, its only one with a time to come back.
    case 'QUEUE_FULL': {
      const { limit } = refusal;
      const error = `${limit} jobs are pending already. Retry when some have started.`;
      return limited(error, queueFullRetrySeconds, { type: 'queue', limit, used: limit });
    }
    case 'IDEMPOTENCY_CONFLICT':
      return refused(409, 'IDEMPOTENCY_CONFLICT', keyConflict);
    case 'ALREADY_FINISHED': {
      const status = statusOf(refusal.job);
      const error = `The job is ${status} already and cannot be cancelled`;
      return { status: 400, body: { success: false, error, code: 'JOB_NOT_CANCELLABLE', details: { status } } };
    }
    case 'RATE_LIMITED': {
      const { retryAfter, limit, used } = refusal;
      return limited('Rate limit exceeded', retryAfter, { type: 'minute', limit, used });
    }
    case 'UNAVAILABLE':
      return refused(503, 'SERVICE_UNAVAILABLE', 'Service temporarily unavailable. Retry with backoff.');
    case 'INTERNAL':
      return refused(500, 'INTERNAL_ERROR', 'Internal server error');
  }
}

function refuseKey(why: KeyFault, { headers }: RefusedRequest): Refused {
  switch (why) {
    case 'missing':
      // There may be a header without a bearer token.
      return headers.authorization === undefined
        ? refused(401, 'MISSING_AUTH', 'Missing Authorization header')
        : refused(401, 'INVALID_FORMAT', 'Invalid API key format');
    case 'malformed':
      return refused(401, 'INVALID_FORMAT', 'Invalid API key format');
    case 'unknown':
      return refused(401, 'KEY_NOT_FOUND', 'API key not found');
    case 'revoked':
      return refused(401, 'KEY_REVOKED', 'API key was revoked');
    case 'expired':
      return refused(401, 'KEY_EXPIRED', 'API key has expired');
  }
}

/** The vendor has its own code for a bad URL; the general one is right if anything else is wrong too. */
function refuseBody(issues: readonly FieldIssue[], request: RefusedRequest): Refused {
  const code = issues.every(({ path }) => path[0] === 'webhookUrl') ? 'INVALID_URL' : 'INVALID_INPUT';
  const sent = sentBody(request) ?? {};
  const lacksWorkflow = isJsonObject(sent) && (typeof sent['workflow'] !== 'string' || sent['workflow'] === '');
  const error = lacksWorkflow ? 'Missing required field: workflow (string)' : issues.map(describeIssue).join('; ');
  return refused(400, lacksWorkflow ? 'INVALID_INPUT' : code, error);
}

function limited(error: string, retryAfter: number, limits: { type: string; limit: number; used: number }): Refused {
  return refused(429, 'RATE_LIMIT_EXCEEDED', error, { retryAfter, limits });
}

function refused(status: number, code: string, error: string, more: object = {}): Refused {
  return { status, body: { error, code, ...more } };
}
