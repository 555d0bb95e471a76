import type { Database } from '../database/database.ts';
import { forgetOldKeys } from '../workspaces/idempotency-key.ts';
import { promoteDueJobs } from './claim/promote.ts';
import { settleUnsettled } from './claim/slots.ts';
import { expireLeases } from './end/expire.ts';
import type { JobsContext } from './model/context.ts';
import { deleteCheckpointsOfEnded } from './progress/checkpoints.ts';
import { deleteOldChanges } from './retention/change-retention.ts';
import { deleteChangesOfDeleted } from './retention/deleted-changes.ts';
import { deleteOldStatistics } from './retention/statistics-retention.ts';
import { rollUp } from './statistics/roll-up.ts';
import { forgetSilentWorkers } from './workers/list.ts';

/** What has to be done now and then, by any process: the sweeper says when. */
export class Upkeep {
  readonly #context: JobsContext;
  readonly #database: Database;

  constructor(context: JobsContext, database: Database) {
    this.#context = context;
    this.#database = database;
  }

  /** Ends attempts whose lease expired or that timed out. Throws AggregateError if some could not be ended. */
  async expireLeases(): Promise<void> {
    await expireLeases(this.#context);
  }

  /** Makes jobs claimable whose runAt or backoff has passed. */
  async promoteDue(): Promise<void> {
    await promoteDueJobs(this.#context);
  }

  /** Lets workspaces claim again that have run more jobs than a lowered limit allows, and do not any more. */
  async settleLimits(): Promise<void> {
    for (const id of await settleUnsettled(this.#database)) this.#context.announcer.slotFreed(id);
  }

  /** Adds what the change log has gained to the counts and statistics. */
  async rollUp(): Promise<void> {
    await rollUp(this.#database);
  }

  /** Deletes checkpoints of jobs that have ended, workers that are gone, and what is old: idempotency keys, changes, statistics. */
  async forgetOld(): Promise<void> {
    const { reads } = this.#database;
    await deleteCheckpointsOfEnded(reads);
    await forgetSilentWorkers(reads);
    await forgetOldKeys(this.#database.em());
    await deleteOldChanges(reads);
    await deleteChangesOfDeleted(reads);
    await deleteOldStatistics(reads);
  }
}
