import type { Queryable } from '../database/queryable.ts';
import type { ArtifactStore } from './store.ts';

/**
 * Removes the files that no job will ever name: those of killed processes, and of completions that came too late.
 *
 * A file is an orphan when the database names it nowhere and every attempt that was running in its workspace when it was
 * first seen has ended: nobody else could still complete a job with it. A completion names its file and takes its lease
 * away in one statement, and both are looked at in one, so that no sweep comes in between. No clock is asked.
 */
export class OrphanedFiles {
  readonly #database: Queryable;
  readonly #store: ArtifactStore;
  /** By the id of an unnamed file: the leases whose attempts may still name it. */
  #suspects = new Map<string, readonly string[]>();

  constructor(database: Queryable, store: ArtifactStore) {
    this.#database = database;
    this.#store = store;
  }

  /** Looks at the whole volume once, and returns how many files it removed. Every process may sweep at the same time. */
  async sweep(): Promise<number> {
    const suspects = new Map<string, readonly string[]>();
    let removed = 0;
    for await (const { workspaceId, ids } of this.#store.list()) {
      const { unnamed, leases } = await this.#look(workspaceId, ids);
      for (const id of unnamed) {
        const mayNameIt = this.#suspects.get(id)?.filter((lease) => leases.has(lease)) ?? [...leases];
        if (mayNameIt.length > 0) {
          suspects.set(id, mayNameIt);
        } else {
          await this.#store.remove(workspaceId, id);
          removed += 1;
        }
      }
    }
    this.#suspects = suspects;
    return removed;
  }

  async #look(workspaceId: string, ids: readonly string[]): Promise<{ unnamed: string[]; leases: Set<string> }> {
    const [row] = await this.#database.query<{ unnamed: string[]; leases: string[] }>(
      `SELECT
         ARRAY(
           SELECT file.id FROM unnest($2::uuid[]) AS file(id)
           WHERE NOT EXISTS (SELECT FROM artifact WHERE artifact.id = file.id)
         )::text[] AS unnamed,
         ARRAY(SELECT lease.token FROM lease WHERE lease.workspace_id = $1)::text[] AS leases`,
      [workspaceId, ids],
    );
    return { unnamed: row?.unnamed ?? [], leases: new Set(row?.leases) };
  }
}
