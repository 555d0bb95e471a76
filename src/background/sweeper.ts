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

/** Partial files that nobody has written to for so long were left by a process that was killed. */
const stalePartialMilliseconds = 24 * 60 * 60 * 1_000;

/**
 * What happens by itself: attempts end with their lease, waiting jobs become due, expired files and old idempotency
 * keys go. A plain timer rather than pg-boss, whose smallest interval is coarser than the second that a lease needs.
 * Every process sweeps; each row is moved by one of them.
 */
export class Sweeper {
  readonly #context: JobsContext;
  readonly #artifacts: ArtifactStore;
  readonly #log: Log;
  #timers: NodeJS.Timeout[] = [];
  #leases: Promise<void> | null = null;
  #house: Promise<void> | null = null;

  constructor(context: JobsContext, artifacts: ArtifactStore, log: Log) {
    this.#context = context;
    this.#artifacts = artifacts;
    this.#log = log;
  }

  start(): void {
    this.#timers = [
      setInterval(() => void this.sweepLeases(), leaseSweepMilliseconds),
      setInterval(() => void this.keepHouse(), houseKeepingMilliseconds),
    ];
    void this.keepHouse();
  }

  /** May be called twice. */
  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await Promise.all([this.#leases, this.#house]);
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
      await this.#removeExpiredArtifacts();
      await this.#artifacts.removeStalePartials(stalePartialMilliseconds);
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

  /** One after the other, and the second whatever became of the first. */
  async #sweepBoth(): Promise<void> {
    await this.#logged('leases', () => expireLeases(this.#context));
    await this.#logged('due jobs', () => promoteDueJobs(this.#context));
  }

  // The file goes first: a row without its file is found again, a file without its row never is.
  async #removeExpiredArtifacts(): Promise<void> {
    const { database } = this.#context;
    for (;;) {
      const expired = await database.query<{ id: string; workspace_id: string }>(
        'SELECT id, workspace_id FROM artifact WHERE expires_at <= now() ORDER BY expires_at LIMIT 100',
      );
      if (expired.length === 0) return;
      for (const { id, workspace_id: workspaceId } of expired) await this.#artifacts.remove(workspaceId, id);
      await database.query('DELETE FROM artifact WHERE id = ANY($1::uuid[])', [expired.map(({ id }) => id)]);
    }
  }

  async #logged(what: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#log.warn({ err: error, sweep: what }, 'a sweep failed; the next one tries again');
    }
  }
}
