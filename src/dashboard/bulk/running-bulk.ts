import { signal } from '@preact/signals';
import { messageOf, query, subscribe } from '../app/api.ts';
import type { Count } from '../app/counted.ts';
import { mutate } from '../app/mutate.ts';
import { whileWatched } from '../app/watched.ts';
import {
  type BulkActionKind,
  CountJobsDocument,
  type JobFilter,
  type ListedBulkActionFragment,
  StartBulkActionDocument,
  type StartBulkActionInput,
  StopBulkActionDocument,
  WatchBulkActionDocument,
} from '../generated/bulk.ts';
import { bulkKinds } from './bulk-words.ts';

/** The jobs of a filter that it can be done to; null where there can be none. */
export function reached(kind: BulkActionKind, filter: JobFilter): JobFilter | null {
  const { to } = bulkKinds[kind];
  const statuses = filter.statuses == null ? [...to] : filter.statuses.filter((status) => to.includes(status));
  return statuses.length === 0 ? null : { ...filter, statuses };
}

/** How many there are; beyond 100,000 it is not told how many more. */
export async function countJobs(filter: JobFilter): Promise<Count> {
  return (await query(CountJobsDocument, { filter })).jobs.count;
}

/** A bulk action of this page, from its start to its end. Goes on when its dialog is closed, and on the server when the page is. */
export class RunningBulk {
  /** As it was heard last; null before it was started. */
  readonly action = signal<ListedBulkActionFragment | null>(null);
  /** Why it cannot be followed or stopped. */
  readonly problem = signal<string | null>(null);

  /** @throws LonghaulError */
  async start(input: StartBulkActionInput): Promise<void> {
    this.action.value = (await mutate(StartBulkActionDocument, { input })).bulkAction;
  }

  /** Follows it to its end. */
  async follow(): Promise<void> {
    await this.#attempt(async (id) => {
      // Whoever closes its dialog is still told of its end.
      await whileWatched(new AbortController().signal, async (watching) => {
        for await (const { bulkActionProgress } of subscribe(WatchBulkActionDocument, { id }, { signal: watching })) this.action.value = bulkActionProgress;
      });
    });
  }

  async stop(): Promise<void> {
    await this.#attempt(async (id) => {
      this.action.value = (await mutate(StopBulkActionDocument, { input: { id } })).bulkAction;
    });
  }

  async #attempt(act: (id: string) => Promise<void>): Promise<void> {
    const id = this.action.value?.id;
    if (id === undefined) return;
    this.problem.value = null;
    try {
      await act(id);
    } catch (error) {
      this.problem.value = messageOf(error);
    }
  }
}
