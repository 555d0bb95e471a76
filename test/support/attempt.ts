import type { Job, JobProgress } from '../../src/jobs/model/job.ts';
import type { JsonObject } from '../../src/json.ts';
import { type Attempt, HandlerError } from '../../src/worker/handler.ts';

/** A built-in handler's attempt without a queue. Records what the handler reports. */
export interface WatchedAttempt extends Attempt {
  reports: Partial<JobProgress>[];
}

export interface AttemptOptions {
  signal?: AbortSignal;
  onReport?: (progress: Partial<JobProgress>) => void;
}

export function makeAttempt(
  tools: Pick<Attempt, 'artifacts' | 'fetch'>,
  workspaceId: string,
  input: JsonObject,
  { signal = new AbortController().signal, onReport = () => {} }: AttemptOptions = {},
): WatchedAttempt {
  const reports: Partial<JobProgress>[] = [];
  const report = (progress: Partial<JobProgress>) => {
    reports.push(progress);
    onReport(progress);
  };
  return { ...tools, job: jobOf(workspaceId, input), signal, report, reports };
}

/** Expects the handler to fail with a HandlerError, and returns it. */
export async function failureOf(result: Promise<unknown>): Promise<HandlerError> {
  const error: unknown = await result.then(() => null, (reason: unknown) => reason);
  if (error instanceof HandlerError) return error;
  throw new Error('The handler did not end with a HandlerError.', { cause: error });
}

function jobOf(workspaceId: string, input: JsonObject): Job {
  const at = new Date('2026-01-01T00:00:00Z');
  return {
    id: '0198c0de-0000-7000-8000-000000000002',
    workspaceId,
    type: 'download',
    status: 'RUNNING',
    version: 2,
    input,
    progress: null,
    output: null,
    error: null,
    tags: [],
    priority: 0,
    attempt: 1,
    failedAttempts: 0,
    maxAttempts: 3,
    creditsCharged: 1,
    creditsRefunded: 0,
    webhookUrl: null,
    clientReference: null,
    dialect: 'NATIVE',
    artifactId: null,
    artifactExpiresAt: null,
    retryOfId: null,
    cancelReason: null,
    runAt: null,
    dueAt: at,
    createdAt: at,
    startedAt: at,
    finishedAt: null,
    statusChangedAt: at,
    updatedAt: at,
  };
}
