import { Loop } from '../concurrency/loop.ts';
import type { Database } from '../database/database.ts';
import { removeExpiredFiles } from '../files/expiry.ts';
import { OrphanedFiles } from '../files/orphans.ts';
import type { ArtifactStore } from '../files/store.ts';
import type { Jobs } from '../jobs/jobs.ts';
import type { Log } from '../log.ts';
import { forgetRetiredSecrets } from '../workspaces/retired-webhook-secrets.ts';

const leaseSweepMilliseconds = 1_000;
const houseKeepingMilliseconds = 60_000;

/** The whole volume is listed each time. */
const orphanSweepMilliseconds = 10 * 60_000;

export interface SweeperOptions {
  jobs: Jobs;
  database: Database;
  artifacts: ArtifactStore;
  log: Log;
}

/**
 * What happens by itself: attempts end with their lease, waiting jobs become due, expired files and old idempotency keys
 * go. Every process sweeps; each row is moved by one of them. Each sweep has a loop of its own, so that one that fails or
 * takes long does not hold up the others.
 */
export class Sweeper {
  readonly #leases: Loop;
  readonly #dueJobs: Loop;
  readonly #house: Loop;
  readonly #orphans: Loop;

  constructor({ jobs, database, artifacts, log }: SweeperOptions) {
    this.#leases = new Loop({
      name: 'ending attempts whose lease is over',
      work: () => jobs.expireLeases(),
      pollMilliseconds: leaseSweepMilliseconds,
      log,
    });
    this.#dueJobs = new Loop({
      name: 'making due jobs claimable',
      work: () => jobs.promoteDue(),
      pollMilliseconds: leaseSweepMilliseconds,
      log,
    });
    this.#house = new Loop({
      name: 'housekeeping',
      work: async () => {
        await removeExpiredFiles(database.reads, artifacts);
        await jobs.forgetOld();
        await forgetRetiredSecrets(database.reads);
      },
      pollMilliseconds: houseKeepingMilliseconds,
      log,
    });
    const orphans = new OrphanedFiles(database.reads, artifacts);
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
    for (const loop of this.#loops) loop.start();
    this.#house.wake();
    this.#orphans.wake();
  }

  /** May be called twice. */
  async stop(): Promise<void> {
    await Promise.all(this.#loops.map((loop) => loop.stop()));
  }

  /** A whole sweep over leases and then over due jobs. Never throws. */
  async sweepLeases(): Promise<void> {
    await this.#leases.settle();
    await this.#dueJobs.settle();
  }

  /** Removes what has had its time: files, their rows, keys, the log of changes, retired secrets. Never throws. */
  keepHouse(): Promise<void> {
    return this.#house.settle();
  }

  /** Removes the files that no job will ever name. Never throws. */
  sweepOrphans(): Promise<void> {
    return this.#orphans.settle();
  }

  get #loops(): Loop[] {
    return [this.#leases, this.#dueJobs, this.#house, this.#orphans];
  }
}
