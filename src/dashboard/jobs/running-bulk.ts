import { signal } from '@preact/signals';
import { client, messageOf, noticed, query } from '../app/api.ts';
import { mutate } from '../app/mutate.ts';
import { newRequestKey } from '../app/request-key.ts';
import {
  BulkActionProgressDocument,
  type BulkActionProgressSubscription,
  type BulkProgressFragment,
  CountJobsDocument,
  type JobFilter,
  type JobStatus,
  StartBulkActionDocument,
  StopBulkActionDocument,
} from '../generated/jobs.ts';

export type BulkKind = 'CANCEL' | 'RETRY' | 'DELETE';

/** What each does to whom, in words. */
export const bulkKinds: Record<BulkKind, { verb: string; done: string; to: readonly JobStatus[]; explains: string }> = {
  CANCEL: { verb: 'Cancel', done: 'cancelled', to: ['PENDING', 'RUNNING'], explains: 'Jobs that wait or run are cancelled for good, and their credits are refunded.' },
  RETRY: { verb: 'Retry', done: 'retried', to: ['FAILED', 'CANCELLED'], explains: 'Each job that failed or was cancelled is created again as a new job, and charged again.' },
  DELETE: {
    verb: 'Delete',
    done: 'deleted',
    to: ['COMPLETED', 'FAILED', 'CANCELLED'],
    explains: 'Jobs that have ended are removed with their files and logs. This cannot be undone.',
  },
};

/** The jobs of a filter that it can be done to; null where there can be none. */
export function reached(kind: BulkKind, filter: JobFilter): JobFilter | null {
  const { to } = bulkKinds[kind];
  const statuses = filter.statuses == null ? [...to] : filter.statuses.filter((status) => to.includes(status));
  return statuses.length === 0 ? null : { ...filter, statuses };
}

/** How many there are; beyond 100,000 it is not told how many more. */
export async function countJobs(filter: JobFilter): Promise<{ value: number; exact: boolean }> {
  return (await query(CountJobsDocument, { filter })).jobs.count;
}

/** A bulk action of this page, from its start to its end. Goes on when its dialog is closed, and on the server when the page is. */
export class RunningBulk {
  readonly progress = signal<BulkProgressFragment | null>(null);
  readonly problem = signal<string | null>(null);
  /** The same for each try to start this one. */
  readonly #key = newRequestKey();

  /** @returns whether it was started; where not, `problem` says why */
  async start(kind: BulkKind, filter: JobFilter, reason: string): Promise<boolean> {
    return this.#attempt(async () => {
      const input = { kind, filter, idempotencyKey: this.#key, ...(reason === '' ? {} : { reason }) };
      this.progress.value = (await mutate(StartBulkActionDocument, { input })).bulkAction;
    });
  }

  /** Follows it to its end. */
  async follow(): Promise<void> {
    const id = this.progress.value?.id;
    if (id === undefined) return;
    await this.#attempt(async () => {
      const updates = client.subscribe<BulkActionProgressSubscription>(BulkActionProgressDocument.toString(), { id });
      for await (const { bulkActionProgress } of updates) this.progress.value = bulkActionProgress;
    });
  }

  async stop(): Promise<void> {
    const id = this.progress.value?.id;
    if (id === undefined) return;
    await this.#attempt(async () => {
      this.progress.value = (await mutate(StopBulkActionDocument, { input: { id } })).bulkAction;
    });
  }

  async #attempt(act: () => Promise<void>): Promise<boolean> {
    this.problem.value = null;
    try {
      await act();
      return true;
    } catch (error) {
      this.problem.value = messageOf(noticed(error));
      return false;
    }
  }
}
