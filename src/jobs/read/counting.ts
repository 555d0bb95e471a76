import { FairLanes } from '../../concurrency/fair-lanes.ts';
import type { Database } from '../../database/database.ts';
import { countPending } from '../create/queue-room.ts';
import { countByStatus, type JobCounts } from '../statistics/counts.ts';
import type { JobFilter } from './filter.ts';
import { type Counted, countJobs, countJobsTo } from './list.ts';

/** The most exact counts of a workspace that wait: as many as one operation may have aliases. */
const mostWaiting = 50;

/** How many jobs there are. */
export class Counting {
  readonly #database: Database;
  readonly #maxQueueLength: number;
  readonly #lanes: FairLanes;

  constructor(database: Database, { maxQueueLength }: { maxQueueLength: number }) {
    this.#database = database;
    this.#maxQueueLength = maxQueueLength;
    this.#lanes = new FairLanes({
      // One connection stays for lists.
      lanes: Math.max(1, database.readers - 1),
      mostWaiting,
      tooMany: `${mostWaiting} exact counts of this workspace wait already.`,
    });
  }

  /**
   * Counts exactly, which costs as much as there is to count. So a workspace has one count at a time, and workspaces take
   * turns.
   *
   * @throws RATE_LIMITED if too many counts of the workspace wait; ValidationError for an invalid filter
   */
  exactly(workspaceId: string, filter: JobFilter): Promise<Counted> {
    return this.#lanes.run(workspaceId, () => countJobs(this.#database.reads, workspaceId, filter));
  }

  /** Counts no further than to `most`. Takes its turn like an exact count, because a filter may match little of what is there. */
  upTo(workspaceId: string, filter: JobFilter, most: number): Promise<Counted> {
    return this.#lanes.run(workspaceId, () => countJobsTo(this.#database.reads, workspaceId, filter, most));
  }

  /** Counts pending jobs, up to MAX_QUEUE_LENGTH. */
  pending(workspaceId: string): Promise<number> {
    return countPending(this.#database.reads, this.#maxQueueLength, workspaceId);
  }

  /** The workspace's jobs by status and type, from sums that are kept as jobs change. */
  byStatus(workspaceId: string): Promise<JobCounts> {
    return countByStatus(this.#database.reads, workspaceId);
  }
}
