import DataLoader from 'dataloader';
import type { Database } from '../database/database.ts';
import type { Window } from '../database/keyset.ts';
import { type Artifact, listArtifacts } from '../files/artifacts.ts';
import type { Jobs } from '../jobs/jobs.ts';
import type { JobLogLine } from '../jobs/logs/line.ts';
import type { LinesAsked } from '../jobs/logs/read.ts';
import type { Job } from '../jobs/model/job.ts';
import type { JobUpload } from '../jobs/read/job-uploads.ts';
import type { JobAttempt } from '../jobs/read/attempts.ts';
import type { JsonValue } from '../json.ts';
import type { Schedule } from '../jobs/schedules/schedule.ts';
import type { Worker } from '../jobs/workers/list.ts';
import { listDeliveries, type WebhookDelivery } from '../webhooks/deliveries.ts';

interface ScheduleKey {
  workspaceId: string;
  id: string;
}

interface DeliveriesKey {
  jobId: string;
  window: Window;
}

interface LogsKey {
  jobId: string;
  workspaceId: string;
  asked: LinesAsked;
}

/** Load related rows for many jobs of one response in one statement. */
export interface Loaders {
  attempts: DataLoader<string, JobAttempt[]>;
  /** What the input of a job names, once for each place. */
  uploads: DataLoader<Pick<Job, 'id' | 'workspaceId'>, JobUpload[]>;
  /** The files of a job that have not expired. */
  artifacts: DataLoader<Pick<Job, 'id' | 'workspaceId'>, Artifact[]>;
  deliveries: DataLoader<DeliveriesKey, WebhookDelivery[]>;
  /** The same range of lines of each job's log. */
  logs: DataLoader<LogsKey, JobLogLine[]>;
  /** How many lines of a job are not kept any more. */
  droppedLines: DataLoader<Pick<Job, 'id' | 'workspaceId'>, number>;
  /** How many jobs of a type wait in a workspace. */
  pending: DataLoader<{ workspaceId: string; type: string }, number>;
  /** How many jobs a worker holds. */
  held: DataLoader<Worker, number>;
  /** What earlier attempts left to the worker that has claimed the job; null where they left nothing. */
  checkpoint: DataLoader<Job, JsonValue>;
  /** A schedule of a workspace; null if it is gone. */
  schedules: DataLoader<ScheduleKey, Schedule | null>;
}

/** Batch, but do not cache: in an operation with several mutations each must read what the one before changed. */
const withoutCache = { cache: false };

/** Makes the loaders of one execution. */
export function createLoaders({ jobs, database }: { jobs: Jobs; database: Database }): Loaders {
  return {
    attempts: new DataLoader(async (jobIds) => {
      const byJob = Map.groupBy(await jobs.attempts(jobIds), ({ jobId }) => jobId);
      return jobIds.map((id) => byJob.get(id) ?? []);
    }, withoutCache),
    uploads: new DataLoader(async (of) => {
      const byJob = Map.groupBy(await jobs.uploads(of), ({ jobId }) => jobId);
      return of.map(({ id }) => byJob.get(id) ?? []);
    }, withoutCache),
    artifacts: new DataLoader((of) => loadArtifacts(database, of), withoutCache),
    deliveries: new DataLoader((keys) => loadDeliveries(database, keys), withoutCache),
    logs: new DataLoader((keys) => loadLogs(jobs, keys), withoutCache),
    droppedLines: new DataLoader((keys) => countDropped(jobs, keys), withoutCache),
    pending: new DataLoader((keys) => countPending(jobs, keys), withoutCache),
    held: new DataLoader((workers) => countHeld(jobs, workers), withoutCache),
    checkpoint: new DataLoader(async (claimed) => {
      const left = await jobs.checkpoints(claimed);
      return claimed.map(({ id }) => left.get(id) ?? null);
    }, withoutCache),
    schedules: new DataLoader((keys) => loadSchedules(jobs, keys), withoutCache),
  };
}

async function countPending(jobs: Jobs, keys: readonly { workspaceId: string; type: string }[]): Promise<number[]> {
  const workspaces = [...new Set(keys.map(({ workspaceId }) => workspaceId))];
  const counts = new Map(await Promise.all(workspaces.map(async (id) => [id, (await jobs.counting.byStatus(id)).byType] as const)));
  return keys.map(({ workspaceId, type }) => counts.get(workspaceId)?.find((each) => each.type === type)?.pending ?? 0);
}

async function countHeld(jobs: Jobs, workers: readonly Worker[]): Promise<number[]> {
  const held = new Map<Worker, number>();
  for (const [workspaceId, theirs] of Map.groupBy(workers, (worker) => worker.workspaceId)) {
    const counts = await jobs.workers.countHeld(workspaceId, theirs.map(({ name }) => name));
    for (const worker of theirs) held.set(worker, counts.get(worker.name) ?? 0);
  }
  return workers.map((worker) => held.get(worker) ?? 0);
}

async function loadSchedules(jobs: Jobs, keys: readonly ScheduleKey[]): Promise<(Schedule | null)[]> {
  const found = new Map<string, Schedule>();
  for (const [workspaceId, theirs] of Map.groupBy(keys, (key) => key.workspaceId)) {
    const schedules = await jobs.schedules.find(workspaceId, [...new Set(theirs.map(({ id }) => id))]);
    for (const schedule of schedules) found.set(schedule.id, schedule);
  }
  return keys.map(({ id }) => found.get(id) ?? null);
}

async function loadArtifacts(database: Database, jobs: readonly Pick<Job, 'id' | 'workspaceId'>[]): Promise<Artifact[][]> {
  const found = new Map<string, Artifact[]>();
  for (const [workspaceId, theirs] of Map.groupBy(jobs, (job) => job.workspaceId)) {
    const artifacts = await listArtifacts(database.em(), workspaceId, theirs.map(({ id }) => id));
    for (const [id, own] of Map.groupBy(artifacts, ({ jobId }) => jobId)) found.set(id, own);
  }
  return jobs.map(({ id }) => found.get(id) ?? []);
}

async function loadDeliveries(database: Database, keys: readonly DeliveriesKey[]): Promise<WebhookDelivery[][]> {
  const found = new Map<DeliveriesKey, WebhookDelivery[]>();
  for (const same of Map.groupBy(keys, ({ window }) => JSON.stringify(window)).values()) {
    const [first] = same;
    if (first === undefined) continue;
    const ids = same.map(({ jobId }) => jobId);
    const byJob = Map.groupBy(await listDeliveries(database.em(), ids, first.window), ({ jobId }) => jobId);
    for (const key of same) found.set(key, byJob.get(key.jobId) ?? []);
  }
  return keys.map((key) => found.get(key) ?? []);
}

async function loadLogs(jobs: Jobs, keys: readonly LogsKey[]): Promise<JobLogLine[][]> {
  const found = new Map<LogsKey, JobLogLine[]>();
  for (const same of Map.groupBy(keys, ({ workspaceId, asked }) => JSON.stringify([workspaceId, asked])).values()) {
    const [first] = same;
    if (first === undefined) continue;
    const lines = await jobs.logs.list(first.workspaceId, same.map(({ jobId }) => jobId), first.asked);
    const byJob = Map.groupBy(lines, ({ jobId }) => jobId);
    for (const key of same) found.set(key, byJob.get(key.jobId) ?? []);
  }
  return keys.map((key) => found.get(key) ?? []);
}

async function countDropped(jobs: Jobs, keys: readonly Pick<Job, 'id' | 'workspaceId'>[]): Promise<number[]> {
  const dropped = new Map<string, number>();
  for (const [workspaceId, theirs] of Map.groupBy(keys, (key) => key.workspaceId)) {
    const counts = await jobs.logs.countDropped(workspaceId, theirs.map(({ id }) => id));
    for (const [id, count] of counts) dropped.set(id, count);
  }
  return keys.map(({ id }) => dropped.get(id) ?? 0);
}
