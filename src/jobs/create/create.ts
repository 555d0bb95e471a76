import { z } from 'zod';
import { newId } from '../../database/ids.ts';
import { type FieldIssue, ValidationError } from '../../errors.ts';
import { mayNameUploads } from '../../files/uploads/reference.ts';
import { checkInput, maxIssues, parseInput } from '../../input.ts';
import { findEarlier } from './idempotency.ts';
import { type JobOrigin, type JobRequest, jobRequest } from './job-request.ts';
import { type RequestKey, requestKeyOf } from './request-key.ts';
import type { JobsContext } from '../model/context.ts';
import type { CreationQueue } from './creation-queue.ts';
import type { Job } from '../model/job.ts';
import { namedUploads } from './named-uploads.ts';
import type { NewJob } from './new-job.ts';
import { issuesOfToken, tagsWith } from './submitter.ts';
import { issuesOfShown, issuesWithoutSecrets } from '../types/hiding.ts';
import { hidden } from '../types/masking.ts';
import { withGuess } from '../types/nearest.ts';
import { unknownTypeMessage } from '../types/registry.ts';

const requests = z.object({ jobs: z.array(z.null()).min(1).max(1_000) });

/**
 * Creates one job: PENDING and charged, or nothing at all.
 *
 * @throws ValidationError, InsufficientCreditsError, QueueFullError, IdempotencyConflictError
 */
export async function createJob(
  context: JobsContext,
  queue: CreationQueue,
  workspaceId: string,
  asked: JobRequest,
  origin: JobOrigin,
): Promise<Job> {
  const [job] = await createAll(context, queue, workspaceId, [asked], origin, () => []);
  if (job === undefined) throw new Error('a creation resolved without its job');
  return job;
}

/**
 * Creates 1 to 1,000 jobs, all or none, and returns them in the order given. If an idempotency key was used before for
 * the same request, the existing job is returned in that place and is not charged again.
 *
 * @throws the same errors as createJob. Issue paths begin with `jobs` and the index.
 */
export async function createJobs(
  context: JobsContext,
  queue: CreationQueue,
  workspaceId: string,
  asked: JobRequest[],
  origin: JobOrigin,
): Promise<Job[]> {
  parseInput(requests, { jobs: asked.map(() => null) });
  return createAll(context, queue, workspaceId, asked, origin, (index) => ['jobs', String(index)]);
}

/** A request that is valid, or the job that it made before. */
type Settled = { fresh: NewJob } | { earlier: Job };

/** @param placeOf the path of a request in what the client sent */
async function createAll(
  context: JobsContext,
  queue: CreationQueue,
  workspaceId: string,
  asked: readonly JobRequest[],
  origin: JobOrigin,
  placeOf: (index: number) => string[],
): Promise<Job[]> {
  const keys = asked.map((one) => requestKeyOf(one, origin));
  const checked = asked.map((one, index) => prepareJob(context, one, origin, keys[index] ?? null));
  const refused = checked.flatMap((result, index) => (Array.isArray(result) ? (keys[index] ?? []) : []));
  const known = await findEarlier(context, workspaceId, refused);
  const issues: FieldIssue[] = [];
  const settled = checked.flatMap((result, index): Settled[] => {
    if (!Array.isArray(result)) return [{ fresh: placed(result, placeOf(index)) }];
    const earlier = known.get(keys[index]?.text ?? '');
    if (earlier !== undefined) return [{ earlier: earlier.job }];
    issues.push(...result.map(({ path, message }) => ({ path: [...placeOf(index), ...path], message })));
    return [];
  });
  if (issues.length > 0) throw new ValidationError(issues.slice(0, maxIssues));
  const created = await queue.add(workspaceId, settled.flatMap((one) => ('fresh' in one ? one.fresh : [])));
  return settled.flatMap((one) => ('fresh' in one ? (created.shift() ?? []) : one.earlier));
}

/** What is found out about its uploads later is told with the request's place. */
function placed(job: NewJob, place: readonly string[]): NewJob {
  if (job.uploads.length === 0) return job;
  return { ...job, uploads: job.uploads.map(({ path, ...upload }) => ({ ...upload, path: [...place, ...path] })) };
}

/** Makes of a request what is inserted, or says what is wrong with it. */
export function prepareJob(context: JobsContext, given: JobRequest, origin: JobOrigin, key: RequestKey | null): NewJob | FieldIssue[] {
  const valid = checkInput(jobRequest, given);
  if (!valid.ok) return valid.issues;
  const asked = valid.value;
  const { submitter = null, retryOfId = null } = origin;
  // What a retry repeats is the job's own.
  const refused = submitter === null || retryOfId !== null ? [] : issuesOfToken(submitter, asked);
  if (refused.length > 0) return refused;
  const type = context.types.get(asked.type);
  if (type === undefined) return [{ path: ['type'], message: unknownTypeMessage(asked.type, context.types) }];
  const input = asked.input ?? {};
  const json = JSON.stringify(input);
  const bytes = Buffer.byteLength(json);
  if (bytes > context.limits.maxInputBytes) {
    const limit = context.limits.maxInputBytes;
    const message = `is ${bytes} bytes as JSON; the limit is ${limit}. Store large inputs elsewhere and send their URL.`;
    return [{ path: ['input'], message }];
  }
  const sentBack = json.includes(hidden) ? issuesOfShown(type, input) : [];
  if (sentBack.length > 0) return sentBack.map(({ path, message }) => ({ path: ['input', ...path], message }));
  const parsed = type.parseInput(input);
  if (!parsed.ok) {
    const told = issuesWithoutSecrets(type, input, parsed.issues);
    // Dialects have names of their own for the fields, and ignore what they do not know.
    const issues = origin.dialect === 'NATIVE' ? told.map((issue) => withGuess(issue, input)) : told;
    return issues.map(({ path, message }) => ({ path: ['input', ...path], message }));
  }
  const named = mayNameUploads(json) ? namedUploads(type, parsed.input) : { uploads: [], issues: [] };
  if (named.issues.length > 0) return named.issues;
  return {
    id: newId(),
    ledgerId: newId(),
    type: type.name,
    input: parsed.input,
    priority: asked.priority ?? 0,
    runAt: asked.runAt ?? null,
    tags: tagsWith(submitter?.tag ?? null, asked.tags),
    webhookUrl: asked.webhookUrl ?? null,
    maxAttempts: asked.maxAttempts ?? type.maxAttempts,
    clientReference: origin.clientReference ?? asked.clientReference ?? null,
    concurrencyKey: asked.concurrencyKey ?? null,
    concurrencyLimit: asked.concurrencyKey == null ? null : (asked.concurrencyLimit ?? 1),
    credits: type.credits,
    uploads: named.uploads,
    key,
    origin,
  };
}
