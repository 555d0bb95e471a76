import { LRUCache } from 'lru-cache';
import type { Queryable } from '../../database/queryable.ts';
import type { JobsContext } from '../model/context.ts';
import { insertJobs } from './insert.ts';
import type { Job } from '../model/job.ts';
import type { NewJob } from './new-job.ts';
import { sqlIs } from '../model/state-machine.ts';

/** How long a count is trusted. One that found plenty of room is trusted for this many jobs. */
const trustedMilliseconds = 250;
const trustedJobs = 1_000;

/**
 * With less room than this, creations take turns and each one counts. It is far more than all processes together create
 * while a count is trusted, so that no process still relies on an old count when the last room is taken.
 */
const nearlyFull = 25_000;

/** Advisory lock key space. Distinct from those in src/database/process-lock.ts. */
const lockSpace = 0x10_4b;

/** Either all jobs were created, or none, and `room` says how many would have fitted. */
export type Placed = { jobs: Job[] } | { room: number };

/**
 * Keeps the pending jobs of a workspace within MAX_QUEUE_LENGTH, over all processes. Counting 100,000 rows for every
 * creation would cost more than the creation itself, so a count that finds plenty of room is trusted for a while. If
 * room is scarce, creations take turns, and each one counts what the one before it committed.
 */
export class QueueRoom {
  readonly #context: JobsContext;
  /** How many jobs each workspace may still create without a count. */
  readonly #trusted = new LRUCache<string, { left: number }>({ max: 10_000, ttl: trustedMilliseconds });
  /** Workspaces where a count just found little room. Another count before the decisive one would be wasted. */
  readonly #scarce = new LRUCache<string, true>({ max: 10_000, ttl: trustedMilliseconds });

  constructor(context: JobsContext) {
    this.#context = context;
  }

  /** Inserts the jobs, all or none. Throws the database's own error, as `insertJobs` does. */
  async insert(workspaceId: string, jobs: readonly NewJob[]): Promise<Placed> {
    const plenty = this.#takeTrusted(workspaceId, jobs.length) || (await this.#findPlenty(workspaceId, jobs.length));
    return plenty
      ? { jobs: await insertJobs(this.#context.database.hot, workspaceId, jobs) }
      : this.#insertInTurn(workspaceId, jobs);
  }

  #takeTrusted(workspaceId: string, wanted: number): boolean {
    const trusted = this.#trusted.get(workspaceId);
    if (trusted === undefined || trusted.left < wanted) return false;
    trusted.left -= wanted;
    return true;
  }

  async #findPlenty(workspaceId: string, wanted: number): Promise<boolean> {
    const { maxQueueLength } = this.#context.limits;
    if (maxQueueLength - wanted < nearlyFull || this.#scarce.has(workspaceId)) return false;
    const room = maxQueueLength - (await countPending(this.#context.database.hot, maxQueueLength, workspaceId));
    const plenty = room - wanted >= nearlyFull;
    if (plenty) this.#trusted.set(workspaceId, { left: trustedJobs });
    else this.#scarce.set(workspaceId, true);
    return plenty;
  }

  #insertInTurn(workspaceId: string, jobs: readonly NewJob[]): Promise<Placed> {
    const { database, limits } = this.#context;
    return database.transaction<Placed>(async (transaction) => {
      // Taken before every other lock of a creation, and in its own statement: the count's snapshot must begin after
      // it.
      await transaction.query('SELECT pg_advisory_xact_lock($1::int, hashtext($2::text))', [lockSpace, workspaceId]);
      const room = limits.maxQueueLength - (await countPending(transaction, limits.maxQueueLength, workspaceId));
      return jobs.length > room ? { room } : { jobs: await insertJobs(transaction, workspaceId, jobs) };
    });
  }
}

/** Counts the workspace's pending jobs, up to MAX_QUEUE_LENGTH. Reads one index entry per job. */
export async function countPending(
  database: Queryable,
  maxQueueLength: number,
  workspaceId: string,
): Promise<number> {
  const [row] = await database.query<{ pending: number }>(
    `SELECT count(*)::int AS pending FROM (
       SELECT FROM job WHERE job.workspace_id = $1 AND ${sqlIs.pending} LIMIT $2::int
     ) AS pending`,
    [workspaceId, maxQueueLength],
  );
  return row?.pending ?? 0;
}
