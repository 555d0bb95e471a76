import type { Queryable } from '../database/queryable.ts';
import type { ArtifactStore } from './store.ts';

/**
 * Removes files that no job will ever reference: those left by killed processes and by completions that came too late.
 *
 * A file is an orphan if no row references it and every attempt that was running in its workspace when the file was
 * first seen has ended, because only those attempts could still complete a job with it. A completion records its file
 * and deletes its lease in one statement, and the sweep reads both in one statement, so it cannot see one without the
 * other. It does not depend on a clock.
 */
export class OrphanedFiles {
  readonly #database: Queryable;
  readonly #store: ArtifactStore;
  /** By id of an unreferenced file: the leases whose attempts may still reference it. */
  #suspects = new Map<string, readonly string[]>();

  constructor(database: Queryable, store: ArtifactStore) {
    this.#database = database;
    this.#store = store;
  }

  /** Checks the whole volume once and returns how many files it removed. Processes may sweep concurrently. */
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
