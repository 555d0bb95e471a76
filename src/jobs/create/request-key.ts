import { createHash } from 'node:crypto';
import { checkInput, textIssues } from '../../input.ts';
import { canonicalJson } from '../../json.ts';
import type { Job } from '../model/job.ts';
import { keyOfToken } from './submitter.ts';
import { idempotencyKey, type JobOrigin, type JobRequest } from './job-request.ts';

/** An idempotency key, and what tells whether it comes with the same request again. */
export interface RequestKey {
  text: string;
  /** Of the request as it came: a deploy that changes what the server fills in does not make it another one. */
  requestHash: string;
  /** Whether a version that hashed what it had filled in would have made this job for the request. */
  wouldHaveMade: (job: Job) => boolean;
}

/** Marks hashes of requests as they came. Those of earlier versions have no mark. */
const form = 'sent:';

/** Marks hashes of requests that were answered with a job that was there already. */
const joined = 'joined:';

/** Null if the request has no key, or one that cannot have been used. Nothing else of the request has to be valid. */
export function requestKeyOf({ idempotencyKey: text, ...asked }: Partial<JobRequest>, origin: JobOrigin): RequestKey | null {
  const { retryOfId = null, submitter = null, sent = withoutNulls(asked) } = origin;
  if (text == null || !checkInput(idempotencyKey, text).ok || textIssues(sent).length > 0) return null;
  return {
    text: submitter === null ? text : keyOfToken(submitter, text),
    requestHash: form + createHash('sha256').update(canonicalJson(sent)).digest('hex'),
    wouldHaveMade: (job) =>
      retryOfId === null
        ? origin.sent === undefined && job.retryOfId === null && isRequestOf(job, asked)
        : job.retryOfId === retryOfId,
  };
}

/** The hash of a request that is answered with a job that is there already, and makes none. */
export function joinedHash({ requestHash }: RequestKey): string {
  return joined + requestHash;
}

/** Whether the key of this hash, which made or joined this job, was used for this request. */
export function isSameRequest({ requestHash, job }: { requestHash: string; job: Job }, key: RequestKey): boolean {
  if (requestHash.startsWith(joined)) return requestHash === joinedHash(key);
  return requestHash.startsWith(form) ? requestHash === key.requestHash : key.wouldHaveMade(job);
}

/** Left out and null mean the same. */
function withoutNulls(asked: object): object {
  return Object.fromEntries(Object.entries(asked).filter(([, value]) => value != null));
}

function isRequestOf(job: Job, asked: Partial<JobRequest>): boolean {
  const wanted = [
    asked.type,
    asked.input ?? {},
    asked.priority ?? 0,
    asked.runAt ?? null,
    [...new Set(asked.tags)],
    asked.webhookUrl ?? null,
    asked.maxAttempts ?? job.maxAttempts,
  ];
  const { type, input, priority, runAt, tags, webhookUrl, maxAttempts } = job;
  return canonicalJson(wanted) === canonicalJson([type, input, priority, runAt, tags, webhookUrl, maxAttempts]);
}
