import { randomUUID } from 'node:crypto';
import { describeIssue, type FieldIssue } from '../../errors.ts';
import { type JsonValue, isJsonObject } from '../../json.ts';
import { sentBody } from '../core/request-body.ts';
import type { Refused, RefusedRequest } from '../core/dialect-profile.ts';
import { keyConflict, type Refusal, unreadableBody, unreadableStatus } from '../core/refusal.ts';
import { answeredAtOnce } from './envelope.ts';
import { submissionEndpoint } from './revid-server.ts';
import { authenticationPath, notAuthorized } from './key-check.ts';
import { invalidPayload, isFalsy } from './python.ts';
import { server } from './revid-server.ts';

/** `{"message":"…"}`, except for an unknown job and for our own failures. */
export function refuse(refusal: Refusal, request: RefusedRequest): Refused {
  switch (refusal.kind) {
    case 'UNAUTHENTICATED':
      return asksForKey(request) ? { status: 401, body: notAuthorized() } : refused(401, 'Unauthorized');
    case 'FORBIDDEN':
      return refused(403, refusal.message);
    case 'NOT_FOUND':
      if (refusal.what === 'path') return refused(404, 'Not found');
      return jobNotFound(sentBody(request));
    case 'METHOD_NOT_ALLOWED':
      return refused(405, 'Method not allowed');
    case 'INVALID_QUERY':
      return refused(400, `Invalid query: ${refusal.issues.map(describeIssue).join('; ')}`);
    case 'INVALID_HEADER':
      return refused(400, `Invalid header: ${refusal.issues.map(describeIssue).join('; ')}`);
    case 'INVALID_BODY': {
      const body = sentBody(request);
      return namesNoJob(refusal.issues, body, request) ? jobNotFound(body) : refuseBody(refusal.issues, body);
    }
    case 'UNREADABLE_BODY':
      return refusal.why === 'empty' ? missing : refused(unreadableStatus(refusal), unreadableBody[refusal.why]);
    case 'BODY_TOO_LARGE':
      return refused(413, 'The request body is too large');
    // The vendor publishes no page of errors; its clients read the status.
    case 'INSUFFICIENT_CREDITS': {
      const { required, available } = refusal;
      return numbered(402, { message: `Insufficient credits: ${required} needed, ${available} left` });
    }
    case 'QUEUE_FULL': {
      const { limit } = refusal;
      const id = fieldOf(sentBody(request), 'id');
      return numbered(429, {
        id: typeof id === 'string' ? id : null,
        // As in the toolkit, although no job was created.
        job_id: randomUUID(),
        message: `MAX_QUEUE_LENGTH (${limit}) reached`,
        pid: process.pid,
        queue_id: server.queueId,
        queue_length: limit,
        build_number: server.buildNumber,
      });
    }
    case 'IDEMPOTENCY_CONFLICT': {
      const id = fieldOf(sentBody(request), 'id');
      const about = { endpoint: submissionEndpoint, code: 409, id: typeof id === 'string' ? id : null, response: null };
      const body = answeredAtOnce({ ...about, message: keyConflict }, { startedAt: performance.now(), queueLength: 0 });
      return { status: 409, body };
    }
    case 'ALREADY_FINISHED':
      return refused(409, 'The job has finished already');
    case 'RATE_LIMITED':
      return numbered(429, { message: `Rate limit exceeded. Retry after ${refusal.retryAfter} seconds.` });
    case 'UNAVAILABLE':
      return failed(503, 'service temporarily unavailable', request);
    case 'INTERNAL':
      return failed(500, 'internal server error', request);
  }
}

const missing = refused(400, 'Missing JSON in request');

function jobNotFound(body: unknown): Refused {
  return { status: 404, body: { error: 'Job not found', job_id: fieldOf(body, 'job_id') ?? null } };
}

/** To jsonschema any string is a valid `job_id`: one that cannot be stored is an unknown job's. */
function namesNoJob(issues: readonly FieldIssue[], body: unknown, { call }: RefusedRequest): boolean {
  if (call?.route.kind !== 'status' || typeof fieldOf(body, 'job_id') !== 'string') return false;
  return issues.some(({ path }) => path.join('.') === 'job_id');
}

/** One issue alone, as jsonschema reports it: a missing field before a wrong one. */
function refuseBody(issues: readonly FieldIssue[], body: unknown): Refused {
  if (isFalsy(body)) return missing;
  const lacking = issues.find(({ path: [name = '', ...inner] }) => inner.length === 0 && fieldOf(body, name) === undefined);
  const issue = lacking ?? issues[0] ?? { path: [], message: 'it is not valid' };
  return refused(400, issue.message.startsWith(invalidPayload) ? issue.message : invalidPayload + describeIssue(issue));
}

/** A field of the body, as it was sent. */
function fieldOf(body: unknown, name: string): JsonValue | undefined {
  return isJsonObject(body) && Object.hasOwn(body, name) ? body[name] : undefined;
}

function asksForKey({ call }: RefusedRequest): boolean {
  return call?.route.path === authenticationPath;
}

/** Masked: the reason is in the log. */
function failed(status: number, reason: string, { call }: RefusedRequest): Refused {
  switch (call?.route.kind) {
    case 'status':
      return { status, body: { error: `Failed to retrieve job status: ${reason}`, code: status } };
    case 'list':
      return { status, body: { error: `Failed to retrieve job statuses: ${reason}`, code: status } };
    default:
      return { status, body: { error: `Failed to process the request: ${reason}`, code: status } };
  }
}

function numbered(status: number, more: object): Refused {
  return { status, body: { code: status, ...more } };
}

function refused(status: number, message: string): Refused {
  return { status, body: { message } };
}
