import type { Database } from '../../database/database.ts';
import type { Window } from '../../database/keyset.ts';
import { countHeld, findWorkerById, listWorkers, type Worker } from './list.ts';
import type { Workforce } from './workforce.ts';

/** The processes that claim jobs: the facade that surfaces use. */
export class Workers {
  readonly #database: Database;
  readonly #workforce: Workforce;

  constructor(database: Database, workforce: Workforce) {
    this.#database = database;
    this.#workforce = workforce;
  }

  /** How many that are alive take jobs of this type in this workspace. */
  countLive(workspaceId: string, type: string): number {
    return this.#workforce.count(workspaceId, type);
  }

  /** @param alive null for all */
  list(workspaceId: string, alive: boolean | null, window: Window): Promise<Worker[]> {
    return listWorkers(this.#database.reads, workspaceId, alive, window);
  }

  /** Returns null if the worker does not exist or claims with a key of another workspace. */
  find(workspaceId: string, id: string): Promise<Worker | null> {
    return findWorkerById(this.#database.reads, workspaceId, id);
  }

  /** How many jobs each of these workers of a workspace holds now, by name. */
  countHeld(workspaceId: string, names: readonly string[]): Promise<Map<string, number>> {
    return countHeld(this.#database.reads, workspaceId, names);
  }
}
