import type { Job, JobProgress } from '../../src/jobs/model/job.ts';
import type { JsonObject, JsonValue } from '../../src/json.ts';
import type { LogLine } from '../../src/jobs/logs/append.ts';
import { AttemptLog } from '../../src/worker/attempt-log.ts';
import { type Attempt, HandlerError } from '../../src/worker/handler.ts';

/** A built-in handler's attempt without a queue. Records what the handler reports. */
export interface WatchedAttempt extends Attempt {
  reports: Partial<JobProgress>[];
  /** What it keeps. */
  kept: JsonValue[];
  /** The lines that it has logged so far. */
  logged(): Promise<LogLine[]>;
}

export interface AttemptOptions {
  /** What an earlier attempt has kept. Null by default. */
  checkpoint?: JsonValue;
  signal?: AbortSignal;
  onReport?: (progress: Partial<JobProgress>) => void;
}

async function noUpload(): Promise<null> {
  return null;
}

export function makeAttempt(
  tools: Pick<Attempt, 'artifacts' | 'fetch'>,
  workspaceId: string,
  input: JsonObject,
  { signal = new AbortController().signal, checkpoint = null, onReport = () => {} }: AttemptOptions = {},
): WatchedAttempt {
  const reports: Partial<JobProgress>[] = [];
  const report = (progress: Partial<JobProgress>) => {
    reports.push(progress);
    onReport(progress);
  };
  const kept: JsonValue[] = [];
  const keep = async (left: JsonValue) => {
    kept.push(left);
    return true;
  };
  const lines: LogLine[] = [];
  const log = new AttemptLog(async (written) => void lines.push(...written));
  const logged = async () => {
    await log.settled();
    return lines;
  };
  return { ...tools, job: jobOf(workspaceId, input), openUpload: noUpload, loggable: (error) => error, signal, report, reports, checkpoint: async () => checkpoint, keep, kept, log, logged };
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
    concurrencyKey: null,
    concurrencyLimit: null,
    dialect: 'NATIVE',
    artifactId: null,
    artifactExpiresAt: null,
    videoArtifactId: null,
    imageArtifactId: null,
    retryOfId: null,
    scheduleId: null,
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
