import { createHash } from 'node:crypto';
import type { FieldIssue } from '../../errors.ts';
import type { Submitter } from '../../workspaces/viewer.ts';
import { type JobRequest, mostTags } from './job-request.ts';

/** What keys alone give to a job. */
const ofKeys: ReadonlySet<string> = new Set(['webhookUrl', 'priority', 'concurrencyKey', 'concurrencyLimit']);

/** Why an access token may not make this request. */
export function issuesOfToken({ tag, types }: Submitter, request: JobRequest): FieldIssue[] {
  const issues = Object.entries(request).flatMap(([name, value]) =>
    value != null && ofKeys.has(name) ? [{ path: [name], message: 'is for keys; an access token sets none' }] : [],
  );
  if (types?.includes(request.type) === false) {
    issues.push({ path: ['type'], message: `is none that this access token may create: ${types.join(', ')}` });
  }
  if (tagsWith(tag, request.tags).length > mostTags) {
    issues.push({ path: ['tags'], message: `leave no room for the access token's own: give at most ${mostTags - 1} others` });
  }
  return issues;
}

/** Why an access token may not retry this job, which it sees. */
export function issuesOfRetry({ tag, types }: Submitter, job: Pick<JobRequest, 'type' | 'tags'>): FieldIssue[] {
  const faults = [
    ...(types?.includes(job.type) === false ? [`is of a type that this access token may not create: ${job.type}`] : []),
    ...(tagsWith(tag, job.tags).length > mostTags ? [`has ${mostTags} tags, and no room for the access token's own`] : []),
  ];
  return faults.map((message) => ({ path: ['id'], message }));
}

/** The tags of a job, each once, the forced one first. */
export function tagsWith(forced: string | null, tags: readonly string[] | null | undefined): string[] {
  return [...new Set([...(forced === null ? [] : [forced]), ...(tags ?? [])])];
}

/** Tells the idempotency keys of the tokens with one first tag, made with one key, from those of others and of keys. */
export function keyOfToken({ apiKeyId, tag }: Submitter, text: string): string {
  return `token:${createHash('sha256').update(JSON.stringify([apiKeyId, tag, text])).digest('hex')}`;
}
