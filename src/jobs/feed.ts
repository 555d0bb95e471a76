import type { Bus, Unsubscribe } from '../bus/bus.ts';
import type { Database } from '../database/database.ts';
import type { Log } from '../log.ts';
import { jobTopic } from './announcer.ts';
import type { Job } from './job.ts';
import { type JobRow, jobColumns, jobFromRow } from './rows.ts';
import { isFinal, type JobStatus } from './state-machine.ts';

/** The safety net: all watched jobs are looked at again, in case a wake-up was lost. Milliseconds. */
const resyncMilliseconds = 5_000;

/** Jobs read in one query. */
const batchSize = 1_000;

/** Everyone in this process who watches one job. */
interface Watched {
  watchers: Set<Watcher>;
  /** Bound to the bus: what is committed from now on is heard. */
  bound: Promise<void>;
  unsubscribe: Unsubscribe | null;
}

/**
 * Tells watchers how a job goes on. The bus only wakes; what is emitted was read from the database after the wake-up,
 * so a lost message costs a watcher the safety net's few seconds and never a version's truth.
 */
export class Feed {
  readonly #database: Database;
  readonly #bus: Bus;
  readonly #log: Log;
  readonly #watched = new Map<string, Watched>();
  readonly #dirty = new Set<string>();
  #reading: Promise<void> | null = null;
  #resync: NodeJS.Timeout | null = null;
  #offReconnect: Unsubscribe | null = null;

  constructor(database: Database, bus: Bus, log: Log) {
    this.#database = database;
    this.#bus = bus;
    this.#log = log;
  }

  start(): void {
    this.#offReconnect = this.#bus.onReconnect(() => this.#readAgain());
    this.#resync = setInterval(() => this.#readAgain(), resyncMilliseconds);
  }

  /** Ends every watch. May be called twice. */
  async stop(): Promise<void> {
    this.#offReconnect?.();
    if (this.#resync !== null) clearInterval(this.#resync);
    for (const { watchers } of this.#watched.values()) for (const watcher of watchers) watcher.end();
    await this.#reading;
  }

  /** How many jobs are watched, for the metrics and for tests that nothing is left behind. */
  get size(): number {
    return this.#watched.size;
  }

  /**
   * The job as it is now and after changes: versions only grow, those in between may be left out, the final one never
   * is, and then it ends. With `afterVersion`, versions up to it are left out.
   *
   * Order matters: first bound to the bus, then read; a change in between is heard, one before it is read.
   *
   * @param signal ends the watch.
   */
  watch(jobId: string, afterVersion = 0, signal: AbortSignal | null = null): AsyncIterableIterator<Job, void, void> {
    const watcher = new Watcher(afterVersion);
    const versions = this.#versions(jobId, watcher, signal);
    return {
      next: () => versions.next(),
      // A generator that waits takes its `return` only after the wait, which may be for ever.
      return: () => {
        watcher.end();
        return versions.return();
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  /** Reads the job again if it is watched: for whoever joins a watch that is under way. */
  look(jobId: string): void {
    if (this.#watched.has(jobId)) this.#read(jobId);
  }

  async *#versions(jobId: string, watcher: Watcher, signal: AbortSignal | null): AsyncGenerator<Job, void, void> {
    const onAbort = () => watcher.end();
    signal?.addEventListener('abort', onAbort);
    if (signal?.aborted) watcher.end();
    const watched = this.#add(jobId, watcher);
    try {
      await watched.bound;
      this.#read(jobId);
      yield* watcher.versions();
    } finally {
      signal?.removeEventListener('abort', onAbort);
      this.#remove(jobId, watched, watcher);
    }
  }

  #add(jobId: string, watcher: Watcher): Watched {
    let watched = this.#watched.get(jobId);
    if (watched === undefined) {
      const entry: Watched = { watchers: new Set(), bound: Promise.resolve(), unsubscribe: null };
      entry.bound = this.#bind(jobId, entry);
      this.#watched.set(jobId, entry);
      watched = entry;
    }
    watched.watchers.add(watcher);
    return watched;
  }

  /** The last watcher may have left before the bus has answered. */
  async #bind(jobId: string, watched: Watched): Promise<void> {
    const unsubscribe = await this.#bus.subscribe(jobTopic(jobId), () => this.#read(jobId));
    watched.unsubscribe = unsubscribe;
    if (watched.watchers.size === 0) unsubscribe();
  }

  #remove(jobId: string, watched: Watched, watcher: Watcher): void {
    watched.watchers.delete(watcher);
    if (watched.watchers.size > 0) return;
    watched.unsubscribe?.();
    if (this.#watched.get(jobId) === watched) this.#watched.delete(jobId);
  }

  #readAgain(): void {
    for (const jobId of this.#watched.keys()) this.#read(jobId);
  }

  /** Wake-ups that come while a read is under way are answered by the next one, together. */
  #read(jobId: string): void {
    this.#dirty.add(jobId);
    this.#reading ??= this.#readDirty();
  }

  async #readDirty(): Promise<void> {
    await Promise.resolve();
    while (this.#dirty.size > 0) {
      const ids = [...this.#dirty].slice(0, batchSize);
      for (const id of ids) this.#dirty.delete(id);
      try {
        await this.#readBatch(ids);
      } catch (error) {
        // The safety net reads again; a watcher loses time, not versions.
        this.#log.warn({ err: error }, 'watched jobs could not be read; they are read again in a few seconds');
      }
    }
    this.#reading = null;
  }

  // Every watcher was let in by somebody who had found the job in the watcher's own workspace; the ids alone name it.
  async #readBatch(ids: readonly string[]): Promise<void> {
    const watched = ids.flatMap((id) => {
      const seen = [...(this.#watched.get(id)?.watchers ?? [])].map((watcher) => watcher.seen);
      return seen.length === 0 ? [] : [{ id, version: Math.min(...seen) }];
    });
    const rows = await this.#database.query<WatchedRow>(readWatched, [
      watched.map(({ id }) => id),
      watched.map(({ version }) => version),
    ]);
    for (const row of rows) {
      const watchers = this.#watched.get(row.watched_id)?.watchers ?? [];
      if (row.id !== null) {
        const job = jobFromRow(row);
        for (const watcher of watchers) watcher.offer(job);
      } else if (row.current_status === null || isFinal(row.current_status)) {
        // Resumed at or past the final version, or deleted meanwhile: nothing more will come.
        for (const watcher of watchers) if (watcher.seen >= (row.current_version ?? 0)) watcher.end();
      }
    }
  }
}

/** The whole row only where it is newer than what the watchers have. */
const readWatched = `
  SELECT watched.id AS watched_id, current.version AS current_version, current.status AS current_status,
    ${jobColumns('job')}
  FROM unnest($1::uuid[], $2::int[]) AS watched(id, version)
  LEFT JOIN job AS current ON current.id = watched.id
  LEFT JOIN job ON job.id = watched.id AND job.version > watched.version`;

type WatchedRow = { watched_id: string; current_version: number | null; current_status: JobStatus | null } & (
  | JobRow
  | { id: null }
);

/** One watch. Holds at most its newest version, however slowly it is read. */
class Watcher {
  /** The last version offered. */
  seen: number;
  #newest: Job | null = null;
  #ended = false;
  #wake: (() => void) | null = null;

  constructor(afterVersion: number) {
    this.seen = afterVersion;
  }

  offer(job: Job): void {
    if (job.version > this.seen) {
      this.seen = job.version;
      this.#newest = job;
      this.#wake?.();
    } else if (isFinal(job.status)) this.end();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *versions(): AsyncGenerator<Job, void, void> {
    for (;;) {
      const job = this.#newest;
      if (job !== null) {
        this.#newest = null;
        yield job;
        if (isFinal(job.status)) return;
      } else if (this.#ended) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = null;
      }
    }
  }
}
