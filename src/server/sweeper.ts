import { Loop } from '../concurrency/loop.ts';
import type { Database } from '../database/database.ts';
import { removeExpiredFiles } from '../files/expiry.ts';
import { OrphanedFiles } from '../files/orphans.ts';
import type { Uploads } from '../files/uploads/uploads.ts';
import type { Store } from '../files/stores/store.ts';
import type { Jobs } from '../jobs/jobs.ts';
import type { Log } from '../log.ts';
import { forgetRetiredSecrets } from '../workspaces/retired-webhook-secrets.ts';

const leaseSweepMilliseconds = 1_000;
/** Reading counts and statistics counts what is newer. */
const rollUpMilliseconds = 5_000;
const houseKeepingMilliseconds = 60_000;

/** Rare, because each sweep lists the whole store. */
const orphanSweepMilliseconds = 10 * 60_000;

interface SweeperOptions {
  jobs: Jobs;
  uploads: Uploads;
  database: Database;
  store: Store;
  log: Log;
}

/**
 * Does the periodic work: ends attempts whose lease expired, makes due jobs claimable, counts changes, and removes expired
 * files and old idempotency keys. Every process sweeps, but only one of them moves each row. Each sweep has its own loop, so
 * that a slow or failing one does not delay the others.
 */
export class Sweeper {
  readonly #leases: Loop;
  readonly #dueJobs: Loop;
  readonly #rollUp: Loop;
  readonly #house: Loop;
  readonly #orphans: Loop;

  constructor({ jobs, uploads, database, store, log }: SweeperOptions) {
    this.#leases = new Loop({
      name: 'ending attempts whose lease is over',
      work: async () => {
        try {
          await jobs.upkeep.expireLeases();
        } finally {
          // One attempt that cannot be ended keeps no other workspace from its slots.
          await jobs.upkeep.settleLimits();
        }
      },
      pollMilliseconds: leaseSweepMilliseconds,
      log,
    });
    this.#dueJobs = new Loop({
      name: 'making due jobs claimable',
      work: () => jobs.upkeep.promoteDue(),
      pollMilliseconds: leaseSweepMilliseconds,
      log,
    });
    this.#rollUp = new Loop({
      name: 'counting changes for the statistics',
      work: () => jobs.upkeep.rollUp(),
      pollMilliseconds: rollUpMilliseconds,
      log,
    });
    this.#house = new Loop({
      name: 'housekeeping',
      work: async () => {
        await removeExpiredFiles(database.em(), store);
        await uploads.sweep();
        await jobs.upkeep.forgetOld();
        await forgetRetiredSecrets(database.em());
      },
      pollMilliseconds: houseKeepingMilliseconds,
      log,
    });
    const orphans = new OrphanedFiles(store, jobs);
    this.#orphans = new Loop({
      name: 'removing files that no job names',
      work: async () => {
        const removed = await orphans.sweep();
        if (removed > 0) log.info({ removed }, 'removed files that no job names');
      },
      pollMilliseconds: orphanSweepMilliseconds,
      log,
    });
  }

  start(): void {
    for (const loop of this.loops) loop.start();
    this.#house.wake();
    this.#orphans.wake();
  }

  /** May be called twice. */
  async stop(): Promise<void> {
    await Promise.all(this.loops.map((loop) => loop.stop()));
  }

  /** Sweeps all leases and then all due jobs. Never throws. */
  async sweepLeases(): Promise<void> {
    await this.#leases.settle();
    await this.#dueJobs.settle();
  }

  /** Counts all changes so far for the counts and statistics. Never throws. */
  rollUp(): Promise<void> {
    return this.#rollUp.settle();
  }

  /** Removes expired files and their rows, idempotency keys, changes and retired secrets. Never throws. */
  keepHouse(): Promise<void> {
    return this.#house.settle();
  }

  /** Removes files that no job will ever refer to. Never throws. */
  sweepOrphans(): Promise<void> {
    return this.#orphans.settle();
  }

  get loops(): readonly Loop[] {
    return [this.#leases, this.#dueJobs, this.#rollUp, this.#house, this.#orphans];
  }
}
