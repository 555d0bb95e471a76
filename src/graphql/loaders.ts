import DataLoader from 'dataloader';
import type { Database } from '../database/database.ts';
import type { Window } from '../database/keyset.ts';
import type { Jobs } from '../jobs/jobs.ts';
import type { JobAttempt } from '../jobs/read/attempts.ts';
import type { Worker } from '../jobs/workers/list.ts';
import { listDeliveries, type WebhookDelivery } from '../webhooks/deliveries.ts';

interface DeliveriesKey {
  jobId: string;
  window: Window;
}

/** Load related rows for many jobs of one response in one statement. */
export interface Loaders {
  attempts: DataLoader<string, JobAttempt[]>;
  deliveries: DataLoader<DeliveriesKey, WebhookDelivery[]>;
  /** How many jobs of a type wait in a workspace. */
  pending: DataLoader<{ workspaceId: string; type: string }, number>;
  /** How many jobs a worker holds. */
  held: DataLoader<Worker, number>;
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
    deliveries: new DataLoader((keys) => loadDeliveries(database, keys), withoutCache),
    pending: new DataLoader((keys) => countPending(jobs, keys), withoutCache),
    held: new DataLoader((workers) => countHeld(jobs, workers), withoutCache),
  };
}

async function countPending(jobs: Jobs, keys: readonly { workspaceId: string; type: string }[]): Promise<number[]> {
  const workspaces = [...new Set(keys.map(({ workspaceId }) => workspaceId))];
  const counts = new Map(await Promise.all(workspaces.map(async (id) => [id, (await jobs.countByStatus(id)).byType] as const)));
  return keys.map(({ workspaceId, type }) => counts.get(workspaceId)?.find((each) => each.type === type)?.pending ?? 0);
}

async function countHeld(jobs: Jobs, workers: readonly Worker[]): Promise<number[]> {
  const held = new Map<Worker, number>();
  for (const [workspaceId, theirs] of Map.groupBy(workers, (worker) => worker.workspaceId)) {
    const counts = await jobs.countHeld(workspaceId, theirs.map(({ name }) => name));
    for (const worker of theirs) held.set(worker, counts.get(worker.name) ?? 0);
  }
  return workers.map((worker) => held.get(worker) ?? 0);
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
