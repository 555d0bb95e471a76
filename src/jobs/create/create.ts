import { z } from 'zod';
import { newId } from '../../database/ids.ts';
import { type FieldIssue, ValidationError } from '../../errors.ts';
import { httpUrl, parseInput } from '../../input.ts';
import { requestHash } from './request-hash.ts';
import type { JobsContext } from '../model/context.ts';
import type { CreationQueue } from './creation-queue.ts';
import type { Job, JsonObject } from '../model/job.ts';
import type { JobOrigin, NewJob } from './new-job.ts';
import { isJsonObject } from '../types/job-type.ts';
import { unknownTypeMessage } from '../types/registry.ts';

const earliest = new Date('2000-01-01T00:00:00Z');
const tooLate = new Date('+010000-01-01T00:00:00Z');

const request = z.object({
  type: z.string().min(1).max(100),
  // Accepts any object: parseInput checks its text, and the job type's schema checks its fields.
  input: z.custom<JsonObject>(isJsonObject, { error: 'expected an object' }).nullish(),
  priority: z.int().min(-100).max(100).nullish(),
  runAt: z.date().refine((at) => at >= earliest && at < tooLate, { error: 'must be in the years 2000 to 9999' }).nullish(),
  tags: z.array(z.string().min(1).max(100)).max(20).nullish(),
  webhookUrl: httpUrl.nullish(),
  maxAttempts: z.int().min(1).max(100).nullish(),
  idempotencyKey: z.string().min(1).max(255).nullish(),
});

const requests = z.object({ jobs: z.array(request).min(1).max(1_000) });

/** A request to create a job. */
export interface JobRequest {
  /** A registered job type. */
  type: string;
  /** Must match the type's schema, at most MAX_INPUT_BYTES as JSON. {} by default. */
  input?: JsonObject | null | undefined;
  /** Minutes of head start over jobs of the same workspace and type, -100 to 100. 0 by default. */
  priority?: number | null | undefined;
  /** The job does not start before this instant. */
  runAt?: Date | null | undefined;
  /** At most 20 tags of 1 to 100 characters. */
  tags?: string[] | null | undefined;
  /** An http or https URL of at most 2,048 characters, called when the job has ended. */
  webhookUrl?: string | null | undefined;
  /** 1 to 100. The type's own number by default. */
  maxAttempts?: number | null | undefined;
  /** 1 to 255 characters. The same key and request within 24 hours return the same job, charged once. */
  idempotencyKey?: string | null | undefined;
}

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
  const job = check(context, parseInput(request, asked), origin);
  if (Array.isArray(job)) throw new ValidationError(job);
  const [created] = await queue.add(workspaceId, [job]);
  if (created === undefined) throw new Error('a creation resolved without its job');
  return created;
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
  const { jobs } = parseInput(requests, { jobs: asked });
  const checked = jobs.map((job) => check(context, job, origin));
  const issues = checked.flatMap((result, index) =>
    Array.isArray(result) ? result.map(({ path, message }) => ({ path: ['jobs', String(index), ...path], message })) : [],
  );
  if (issues.length > 0) throw new ValidationError(issues);
  return queue.add(workspaceId, checked.flatMap((result) => (Array.isArray(result) ? [] : [result])));
}

function check(context: JobsContext, asked: z.output<typeof request>, origin: JobOrigin): NewJob | FieldIssue[] {
  const type = context.types.get(asked.type);
  if (type === undefined) return [{ path: ['type'], message: unknownTypeMessage(asked.type, context.types) }];
  const given = asked.input ?? {};
  const bytes = Buffer.byteLength(JSON.stringify(given));
  if (bytes > context.limits.maxInputBytes) {
    const limit = context.limits.maxInputBytes;
    const message = `is ${bytes} bytes as JSON; the limit is ${limit}. Store large inputs elsewhere and send their URL.`;
    return [{ path: ['input'], message }];
  }
  const parsed = type.parseInput(given);
  if (!parsed.ok) return parsed.issues.map(({ path, message }) => ({ path: ['input', ...path], message }));

  const job = {
    type: type.name,
    input: parsed.input,
    priority: asked.priority ?? 0,
    runAt: asked.runAt ?? null,
    tags: [...new Set(asked.tags)],
    webhookUrl: asked.webhookUrl ?? null,
    maxAttempts: asked.maxAttempts ?? type.maxAttempts,
  };
  const same = { ...job, runAt: job.runAt?.toISOString() ?? null, retryOf: origin.retryOfId ?? null };
  const key = asked.idempotencyKey ?? null;
  return {
    ...job,
    id: newId(),
    ledgerId: newId(),
    credits: type.credits,
    key: key === null ? null : { text: key, requestHash: requestHash(same) },
    origin,
  };
}
