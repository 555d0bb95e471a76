import DataLoader from 'dataloader';
import type { Database } from '../database/database.ts';
import type { Window } from '../database/keyset.ts';
import { type JobAttempt, listAttempts } from '../jobs/attempts.ts';
import { findJobs } from '../jobs/find.ts';
import type { Job } from '../jobs/job.ts';
import { listDeliveries, type WebhookDelivery } from '../webhooks/deliveries.ts';

interface JobKey {
  workspaceId: string;
  id: string;
}

interface DeliveriesKey {
  jobId: string;
  window: Window;
}

/** What hangs on many rows of one answer, read in one statement for all of them. */
export interface Loaders {
  jobs: DataLoader<JobKey, Job | null>;
  attempts: DataLoader<string, JobAttempt[]>;
  deliveries: DataLoader<DeliveriesKey, WebhookDelivery[]>;
}

/** Batches only: a subscription's events share a context, and each must read what is true then. */
const withoutCache = { cache: false };

/** One set for each request. */
export function createLoaders(database: Database): Loaders {
  return {
    jobs: new DataLoader((keys) => loadJobs(database, keys), withoutCache),
    attempts: new DataLoader(async (jobIds) => {
      const byJob = Map.groupBy(await listAttempts(database, jobIds), ({ jobId }) => jobId);
      return jobIds.map((id) => byJob.get(id) ?? []);
    }, withoutCache),
    deliveries: new DataLoader((keys) => loadDeliveries(database, keys), withoutCache),
  };
}

async function loadJobs(database: Database, keys: readonly JobKey[]): Promise<(Job | null)[]> {
  const found = new Map<string, Job>();
  const workspaces = Map.groupBy(keys, ({ workspaceId }) => workspaceId);
  for (const [workspaceId, own] of workspaces) {
    const ids = own.map(({ id }) => id);
    for (const job of await findJobs(database, workspaceId, ids)) found.set(`${workspaceId} ${job.id}`, job);
  }
  return keys.map(({ workspaceId, id }) => found.get(`${workspaceId} ${id}`) ?? null);
}

async function loadDeliveries(database: Database, keys: readonly DeliveriesKey[]): Promise<WebhookDelivery[][]> {
  const found = new Map<DeliveriesKey, WebhookDelivery[]>();
  for (const same of Map.groupBy(keys, ({ window }) => JSON.stringify(window)).values()) {
    const [first] = same;
    if (first === undefined) continue;
    const ids = same.map(({ jobId }) => jobId);
    const byJob = Map.groupBy(await listDeliveries(database, ids, first.window), ({ jobId }) => jobId);
    for (const key of same) found.set(key, byJob.get(key.jobId) ?? []);
  }
  return keys.map((key) => found.get(key) ?? []);
}
