import { validate as isUuid } from 'uuid';
import { z } from 'zod';
import type { NamedFile } from '../../files/named-file.ts';
import { ValidationError } from '../../errors.ts';
import { LeaseLostError } from '../model/job-errors.ts';
import { parseInput } from '../../input.ts';
import type { AskedCompletion, JobsContext } from '../model/context.ts';
import type { WorkspaceScope } from '../model/workspace-scope.ts';
import type { Job } from '../model/job.ts';
import type { JsonValue } from '../../json.ts';
import { decodeLeaseToken } from '../claim/lease-token.ts';
import { filesOf, resultUploads, type ResultUpload } from './uploaded-files.ts';

const completion = z.object({
  token: z.string(),
  output: z.custom<JsonValue>(() => true).optional(),
  artifacts: resultUploads.nullish(),
});

const requests = z.object({ completions: z.array(z.null()).min(1).max(1_000) });

export interface Completion {
  token: string;
  /** Any JSON value, at most MAX_OUTPUT_BYTES as JSON. */
  output?: JsonValue | undefined;
  /** Uploads made with this lease's token that become the job's files, the main one first. At most 100. */
  artifacts?: readonly ResultUpload[] | null | undefined;
}

/**
 * RUNNING → COMPLETED, by the worker that holds the lease. Repeating the same completion after a lost reply returns the
 * same result.
 *
 * @param stored files that a built-in handler has written, in place of `artifacts`
 * @throws ValidationError, LeaseLostError
 */
export async function completeJob(
  context: JobsContext,
  scope: WorkspaceScope,
  request: Completion,
  stored: readonly NamedFile[] = [],
): Promise<Job> {
  const { token, output = null, artifacts } = parseInput(completion, request);
  const json = JSON.stringify(output);
  const ref = decodeLeaseToken(token);
  const excess = excessOf(json, context.limits.maxOutputBytes);
  if (ref === null) throw excess ?? new LeaseLostError(null);

  const uploads = artifacts ?? [];
  const areUploads = uploads.length > 0;
  const files = areUploads ? uploads.map(({ uploadId: id, name }) => ({ id, name })) : stored.map(({ name, file: { id } }) => ({ id, name }));
  const asked = { ref, scope, output: json, files };
  const find = () => (areUploads ? findUploads(context, asked, uploads) : { files: stored, issues: [] });
  const found = await find();
  const isReady = excess === null && found.issues.length === 0;
  const job = isReady ? await context.completions.add({ ...asked, artifacts: found.files, areUploads }) : null;
  if (job !== null) return job;
  // What was accepted once is answered alike, whatever the limit is by then; its uploads are gone.
  const late = await context.lateCompletions.add(asked);
  if (late?.isRepeated === true) return late.job;
  if (excess !== null) throw excess;
  // Uploads end with their lease: if it is lost, that is the reason. Else one of them may have been removed meanwhile.
  if (late?.isHeld === true) {
    const { issues } = isReady ? await find() : found;
    if (issues.length > 0) throw new ValidationError(issues);
  }
  throw new LeaseLostError(late?.isNewest === true ? late.job : null);
}

async function findUploads(
  { attemptUploads }: JobsContext,
  { ref, scope, files }: AskedCompletion,
  named: Parameters<typeof filesOf>[0],
): Promise<ReturnType<typeof filesOf>> {
  const ids = files.map(({ id }) => id).filter(isUuid);
  return filesOf(named, await attemptUploads.add({ jobId: ref.jobId, leaseToken: ref.token, scope, ids }));
}

/** What became of one of several completions. */
export type CompletionOutcome = Job | LeaseLostError | ValidationError;

/**
 * Completes 1 to 1,000 jobs, each for itself, and returns what became of each, in the order given. They share the statements
 * of `completeJob`. Of two with one token the first counts; the second is as if it came later.
 *
 * @throws ValidationError for another number. Paths in the outcomes begin with `completions` and the index.
 */
export async function completeJobs(context: JobsContext, scope: WorkspaceScope, asked: readonly Completion[]): Promise<CompletionOutcome[]> {
  parseInput(requests, { completions: asked.map(() => null) });
  const byToken = new Map<string, Promise<CompletionOutcome>>();
  return Promise.all(
    asked.map((request, index) => {
      const complete = () => outcomeOf(completeJob(context, scope, request), ['completions', String(index)]);
      const outcome = byToken.get(request.token)?.then(complete) ?? complete();
      byToken.set(request.token, outcome);
      return outcome;
    }),
  );
}

async function outcomeOf(job: Promise<Job>, place: readonly string[]): Promise<CompletionOutcome> {
  try {
    return await job;
  } catch (error) {
    if (error instanceof LeaseLostError) return error;
    if (!(error instanceof ValidationError)) throw error;
    return new ValidationError(error.issues.map(({ path, message }) => ({ path: [...place, ...path], message })));
  }
}

function excessOf(json: string, limit: number): ValidationError | null {
  const bytes = Buffer.byteLength(json);
  if (bytes <= limit) return null;
  return new ValidationError([
    {
      path: ['output'],
      message: `is ${bytes} bytes as JSON; the limit is ${limit}. Store large results elsewhere and send their URL.`,
    },
  ]);
}
