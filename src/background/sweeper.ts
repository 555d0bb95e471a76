import { removeExpiredFiles } from '../files/expiry.ts';
import { OrphanedFiles } from '../files/orphans.ts';
import type { ArtifactStore } from '../files/store.ts';
import { deleteOldChanges } from '../jobs/retention/change-retention.ts';
import { expireLeases } from '../jobs/end/expire.ts';
import { keyHours } from '../jobs/create/idempotency.ts';
import { promoteDueJobs } from '../jobs/claim/promote.ts';
import type { JobsContext } from '../jobs/model/context.ts';
import type { Log } from '../log.ts';
import { forgetRetiredSecrets } from '../workspaces/retired-webhook-secrets.ts';

const leaseSweepMilliseconds = 1_000;
const houseKeepingMilliseconds = 60_000;

/** The whole volume is listed each time. */
const orphanSweepMilliseconds = 10 * 60_000;

/**
 * What happens by itself: attempts end with their lease, waiting jobs become due, expired files and old idempotency
 * keys go. A plain timer rather than pg-boss, whose smallest interval is coarser than the second that a lease needs.
 * Every process sweeps; each row is moved by one of them.
 */
export class Sweeper {
  readonly #context: JobsContext;
  readonly #artifacts: ArtifactStore;
  readonly #orphans: OrphanedFiles;
  readonly #log: Log;
  #timers: NodeJS.Timeout[] = [];
  #leases: Promise<void> | null = null;
  #house: Promise<void> | null = null;
  #files: Promise<void> | null = null;

  constructor(context: JobsContext, artifacts: ArtifactStore, log: Log) {
    this.#context = context;
    this.#artifacts = artifacts;
    this.#orphans = new OrphanedFiles(context.database, artifacts);
    this.#log = log;
  }

  start(): void {
    this.#timers = [
      setInterval(() => void this.sweepLeases(), leaseSweepMilliseconds),
      setInterval(() => void this.keepHouse(), houseKeepingMilliseconds),
      setInterval(() => void this.sweepOrphans(), orphanSweepMilliseconds),
    ];
    void this.keepHouse();
    void this.sweepOrphans();
  }

  /** May be called twice. */
  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await Promise.all([this.#leases, this.#house, this.#files]);
  }

  /** One sweep over leases and due jobs, or the one that is under way. Never throws. */
  sweepLeases(): Promise<void> {
    this.#leases ??= this.#sweepBoth().finally(() => {
      this.#leases = null;
    });
    return this.#leases;
  }

  /** Removes what has had its time: files, their rows, keys, the log of changes, retired secrets. Never throws. */
  keepHouse(): Promise<void> {
    this.#house ??= this.#logged('housekeeping', async () => {
      await removeExpiredFiles(this.#context.database, this.#artifacts);
      await this.#context.database.query(
        `DELETE FROM idempotency_key WHERE created_at <= now() - interval '${keyHours} hours'`,
      );
      await deleteOldChanges(this.#context.database);
      await forgetRetiredSecrets(this.#context.database);
    }).finally(() => {
      this.#house = null;
    });
    return this.#house;
  }

  /** Removes the files that no job will ever name. Never throws. */
  sweepOrphans(): Promise<void> {
    this.#files ??= this.#logged('orphaned files', async () => {
      const removed = await this.#orphans.sweep();
      if (removed > 0) this.#log.info({ removed }, 'removed files that no job names');
    }).finally(() => {
      this.#files = null;
    });
    return this.#files;
  }

  /** One after the other, and the second whatever became of the first. */
  async #sweepBoth(): Promise<void> {
    await this.#logged('leases', () => expireLeases(this.#context));
    await this.#logged('due jobs', () => promoteDueJobs(this.#context));
  }

  async #logged(what: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#log.warn({ err: error, sweep: what }, 'a sweep failed; the next one tries again');
    }
  }
}
