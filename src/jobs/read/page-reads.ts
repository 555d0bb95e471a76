import type { Database } from '../../database/database.ts';
import type { Window } from '../../database/keyset.ts';
import { Batches } from '../batches.ts';
import type { Job } from '../model/job.ts';
import { type JobFilter, listJobs } from './list.ts';

interface Asked {
  workspaceId: string;
  filter: JobFilter;
  window: Window;
}

/**
 * Reads pages of jobs for everyone who asks. Many who look at one list at one moment, as the dashboards of one team do,
 * share a statement; as with JobReads, none joins one that has begun.
 */
export class PageReads {
  readonly #batches: Batches<Asked, readonly Job[]>;

  constructor(database: Database) {
    this.#batches = new Batches((asked) => readPages(database, asked), { lanes: 4, size: 100 });
  }

  /** As listJobs. The rows may be shared with others: they are not to be changed. */
  list(workspaceId: string, filter: JobFilter, window: Window): Promise<readonly Job[]> {
    return this.#batches.add({ workspaceId, filter, window });
  }
}

async function readPages(database: Database, asked: readonly Asked[]): Promise<(readonly Job[])[]> {
  const pages = new Map<string, Promise<readonly Job[]>>();
  return Promise.all(
    asked.map((page) => {
      const key = JSON.stringify(page);
      const known = pages.get(key) ?? listJobs(database, page.workspaceId, page.filter, page.window);
      pages.set(key, known);
      return known;
    }),
  );
}
