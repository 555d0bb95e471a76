import { Loop } from '../../concurrency/loop.ts';
import type { Database } from '../../database/database.ts';
import type { Log } from '../../log.ts';
import type { WorkspaceScope } from '../model/workspace-scope.ts';
import { Sightings, typeKey, writeSightings } from './sightings.ts';

const pollMilliseconds = 5_000;

/** How long a worker that is not heard counts as alive. */
const aliveSeconds = 60;

/** Whether a row of `worker` is of one that is alive, in SQL. */
export const sqlAlive = `worker.last_seen_at > now() - interval '${aliveSeconds} seconds'`;

const liveStatement = `
  SELECT CASE WHEN everywhere THEN NULL ELSE workspace_id END AS scope, type, count(*)::int AS workers
  FROM worker, jsonb_object_keys(types) AS type WHERE ${sqlAlive} GROUP BY 1, 2`;

/**
 * Which workers are alive and what they claim, over all processes. What this process hears is kept in memory and written in
 * one statement every few seconds, and what all have written is read with it: no claim, report or creation waits for either.
 *
 * So a worker's first claim is known here at once, and elsewhere within five seconds. One that ends counts as alive for a
 * minute, and is known to be gone within five seconds more.
 */
export class Workforce {
  readonly #database: Database;
  readonly loop: Loop;
  #heard = new Sightings();
  /** What is being written. */
  #writing: Sightings | null = null;
  /** Live workers by `typeKey`; null until they were read. */
  #live: ReadonlyMap<string, number> | null = null;

  constructor(database: Database, log: Log) {
    this.#database = database;
    this.loop = new Loop({ name: 'keeping the list of workers', work: () => this.#exchange(), pollMilliseconds, log });
  }

  /** Resolves when the workers were read, or could not be. */
  async start(): Promise<void> {
    this.loop.start();
    await this.loop.settle();
  }

  /** Writes what was heard last. May be called twice. */
  async stop(): Promise<void> {
    await this.loop.settle();
    await this.loop.stop();
  }

  /** @param types none if it named the jobs: it takes no others of their types */
  claimed(scope: WorkspaceScope, name: string, types: Iterable<string>): void {
    const wasKnown = Array.from(types).every((type) => this.#claims(scope, type));
    this.#heard.claimed(scope, name, types);
    if (!wasKnown) this.loop.wake();
  }

  reported(scope: WorkspaceScope, name: string): void {
    this.#heard.reported(scope, name);
  }

  /** Whether a worker that is alive takes jobs of this type in this workspace. True while that is not known. */
  takes(workspaceId: string, type: string): boolean {
    return this.#live === null || this.#claims(workspaceId, type) || this.#claims(null, type);
  }

  /** How many workers that are alive take jobs of this type in this workspace. */
  count(workspaceId: string, type: string): number {
    return (this.#live?.get(typeKey(workspaceId, type)) ?? 0) + (this.#live?.get(typeKey(null, type)) ?? 0);
  }

  #claims(scope: WorkspaceScope, type: string): boolean {
    const isHeard = [this.#heard, this.#writing].some((sightings) => sightings?.hasClaimOf(scope, type));
    return isHeard || this.#live?.has(typeKey(scope, type)) === true;
  }

  async #exchange(): Promise<void> {
    const writing = this.#heard;
    this.#writing = writing;
    this.#heard = new Sightings();
    try {
      await writeSightings(this.#database.hot, writing);
      const rows = await this.#database.hot.query<{ scope: string | null; type: string; workers: number }>(liveStatement);
      this.#live = new Map(rows.map(({ scope, type, workers }) => [typeKey(scope, type), workers]));
    } catch (error) {
      this.#heard.addAll(writing);
      throw error;
    } finally {
      this.#writing = null;
    }
  }
}
