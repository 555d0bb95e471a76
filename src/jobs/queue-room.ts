import type { JobsContext } from './context.ts';
import { sqlIs } from './state-machine.ts';

/** A count is believed for so long, and for so many jobs at most. */
const believedMilliseconds = 5_000;
const believedJobs = 1_000;

/**
 * Whether a workspace may have more pending jobs. Counting 100,000 rows for every creation would cost more than the
 * creation, so a count is believed for an eighth of the room it found: with a small limit every creation counts, with
 * a large one processes that create at the same time may overshoot by a percent.
 */
export class QueueRoom {
  readonly #context: JobsContext;
  readonly #counted = new Map<string, { room: number; until: number }>();

  constructor(context: JobsContext) {
    this.#context = context;
  }

  /** How many of `wanted` more pending jobs there is room for, from 0 to `wanted`. They count as taken. */
  async take(workspaceId: string, wanted: number): Promise<number> {
    const known = this.#counted.get(workspaceId);
    if (known !== undefined && known.room >= wanted && known.until > Date.now()) {
      known.room -= wanted;
      return wanted;
    }
    const room = await this.#count(workspaceId);
    const taken = Math.min(wanted, room);
    const believed = Math.min(believedJobs, Math.floor((room - taken) / 8));
    this.#counted.set(workspaceId, { room: believed, until: Date.now() + believedMilliseconds });
    if (this.#counted.size > 10_000) this.#counted.clear();
    return taken;
  }

  async #count(workspaceId: string): Promise<number> {
    return this.#context.limits.maxQueueLength - (await countPending(this.#context, workspaceId));
  }
}

/** The workspace's pending jobs, MAX_QUEUE_LENGTH at most. Reads the index entry of each. */
export async function countPending({ database, limits }: JobsContext, workspaceId: string): Promise<number> {
  const [row] = await database.query<{ pending: number }>(
    `SELECT count(*)::int AS pending FROM (
       SELECT FROM job WHERE job.workspace_id = $1 AND ${sqlIs.pending} LIMIT $2::int
     ) AS pending`,
    [workspaceId, limits.maxQueueLength],
  );
  return row?.pending ?? 0;
}
