import type { Store } from './stores/store.ts';

/** Knows what names files. */
interface Namers {
  /** Those of these files that nothing names, and the leases of the workspace at the same moment, whose attempts may yet name one. */
  findUnnamedFiles(workspaceId: string, ids: readonly string[]): Promise<{ ids: readonly string[]; leases: ReadonlySet<string> }>;
}

/**
 * Removes files that no job will ever reference: those left by killed processes and by completions that came too late.
 *
 * A file is an orphan if nothing names it (no artifact, no upload, and no checkpoint of an open job) and every attempt that was
 * running in its workspace when the file was first seen has ended, because only those attempts could still complete a job with it.
 * It does not depend on a clock.
 */
export class OrphanedFiles {
  readonly #store: Store;
  readonly #jobs: Namers;
  /** By id of an unreferenced file: the leases whose attempts may still reference it. */
  #suspects = new Map<string, readonly string[]>();

  constructor(store: Store, jobs: Namers) {
    this.#store = store;
    this.#jobs = jobs;
  }

  /** Checks the whole store once and returns how many files it removed. Processes may sweep concurrently. */
  async sweep(): Promise<number> {
    const suspects = new Map<string, readonly string[]>();
    let removed = 0;
    for await (const { workspaceId, ids } of this.#store.list()) {
      const { ids: unnamed, leases } = await this.#jobs.findUnnamedFiles(workspaceId, ids);
      for (const id of unnamed) {
        const mayNameIt = this.#suspects.get(id)?.filter((lease) => leases.has(lease)) ?? [...leases];
        if (mayNameIt.length > 0) {
          suspects.set(id, mayNameIt);
        } else {
          await this.#store.remove({ workspaceId, id });
          removed += 1;
        }
      }
    }
    this.#suspects = suspects;
    return removed;
  }
}
