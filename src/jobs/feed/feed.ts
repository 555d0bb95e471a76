import type { Bus, Unsubscribe } from '../../bus/bus.ts';
import { Loop } from '../../concurrency/loop.ts';
import type { Database } from '../../database/database.ts';
import type { Log } from '../../log.ts';
import { jobTopic } from './announcer.ts';
import type { Job } from '../model/job.ts';
import { JobDeletedError } from '../model/job-errors.ts';
import { type JobRow, jobColumns, jobFromRow } from '../model/rows.ts';
import { isFinal, sqlIs } from '../model/state-machine.ts';

/** How often all watched jobs are read again, in case a wake-up was lost. */
const resyncMilliseconds = 5_000;

/** The most jobs read in one query. */
const batchSize = 1_000;

/** A job with watchers in this process. */
interface Watched {
  watchers: Set<Watcher>;
  /** Settles once subscribed to the bus: later commits cause a wake-up. Null afterwards. */
  bound: Promise<void> | null;
  unsubscribe: Unsubscribe | null;
}

/**
 * Sends watchers the new versions of jobs. The bus only wakes the feed; every emitted version was read from the
 * database after the wake-up. So a lost message delays a watcher by one resync interval at most, and never makes it
 * see wrong data.
 */
export class Feed {
  readonly #database: Database;
  readonly #bus: Bus;
  readonly #watched = new Map<string, Watched>();
  readonly #dirty = new Set<string>();
  readonly #door: Door = {
    enter: (watcher) => this.#enter(watcher),
    leave: (watcher, watched) => this.#leave(watcher, watched),
  };
  readonly #loop: Loop;
  #offReconnect: Unsubscribe | null = null;

  constructor(database: Database, bus: Bus, log: Log) {
    this.#database = database;
    this.#bus = bus;
    this.#loop = new Loop({
      name: 'reading watched jobs',
      work: ({ polled }) => this.#readDirty(polled),
      pollMilliseconds: resyncMilliseconds,
      log,
    });
  }

  start(): void {
    this.#offReconnect = this.#bus.onReconnect(() => {
      for (const jobId of this.#watched.keys()) this.#read(jobId);
    });
    this.#loop.start();
  }

  /** Ends every watch. May be called twice. */
  async stop(): Promise<void> {
    this.#offReconnect?.();
    for (const { watchers } of this.#watched.values()) for (const watcher of watchers) watcher.end();
    await this.#loop.stop();
  }

  get loop(): Loop {
    return this.#loop;
  }

  /** How many jobs are watched, for metrics and leak tests. */
  get size(): number {
    return this.#watched.size;
  }

  /**
   * Yields the current version of a job and later ones. Versions only grow. Intermediate versions may be skipped, the
   * final one never is, and the watch ends after it. `afterVersion` skips versions up to it. Throws JobDeletedError if the
   * job is deleted before its final version was read: an end without an error says that the final version is known.
   *
   * Order matters: subscribe to the bus first, then read. A change after the subscription causes a wake-up, and the
   * read sees any change before it.
   *
   * @param signal ends the watch.
   */
  watch(jobId: string, afterVersion = 0, signal: AbortSignal | null = null): AsyncIterableIterator<Job, void, void> {
    return new Watcher(this.#door, jobId, afterVersion, signal);
  }

  /** Reads the job again if it is watched, for a client that joins an existing watch. */
  look(jobId: string): void {
    if (this.#watched.has(jobId)) this.#read(jobId);
  }

  async #enter(watcher: Watcher): Promise<void> {
    const { jobId } = watcher;
    let watched = this.#watched.get(jobId);
    if (watched === undefined) {
      watched = { watchers: new Set(), bound: null, unsubscribe: null };
      this.#watched.set(jobId, watched);
      watched.bound = this.#bind(jobId, watched);
    }
    watched.watchers.add(watcher);
    watcher.watched = watched;
    if (watched.bound !== null) await watched.bound;
    if (watched.watchers.has(watcher)) this.#read(jobId);
  }

  /** Unsubscribes at once if the last watcher left while the subscription was pending. */
  async #bind(jobId: string, watched: Watched): Promise<void> {
    const unsubscribe = await this.#bus.subscribe(jobTopic(jobId), () => this.#read(jobId));
    watched.bound = null;
    watched.unsubscribe = unsubscribe;
    if (watched.watchers.size === 0) unsubscribe();
  }

  #leave(watcher: Watcher, watched: Watched): void {
    watched.watchers.delete(watcher);
    if (watched.watchers.size > 0) return;
    watched.unsubscribe?.();
    if (this.#watched.get(watcher.jobId) === watched) this.#watched.delete(watcher.jobId);
  }

  #read(jobId: string): void {
    this.#dirty.add(jobId);
    this.#loop.wake();
  }

  /** A failure delays watchers but loses no version: the next poll reads all watched jobs again. */
  async #readDirty(all: boolean): Promise<'more' | void> {
    const ids = [...(all ? this.#watched.keys() : this.#dirty)];
    this.#dirty.clear();
    for (const id of ids.slice(batchSize)) this.#dirty.add(id);
    await this.#readBatch(ids.slice(0, batchSize));
    if (this.#dirty.size > 0) return 'more';
  }

  // The query needs no workspace: whoever starts a watch has found the job in the caller's workspace first.
  async #readBatch(ids: readonly string[]): Promise<void> {
    const watched = ids.flatMap((id) => {
      const seen = [...(this.#watched.get(id)?.watchers ?? [])].map((watcher) => watcher.seen);
      return seen.length === 0 ? [] : [{ id, version: Math.min(...seen) }];
    });
    const rows = await this.#database.hot.query<WatchedRow>(readWatched, [
      watched.map(({ id }) => id),
      watched.map(({ version }) => version),
    ]);
    for (const row of rows) {
      const watchers = this.#watched.get(row.watched_id)?.watchers ?? [];
      if (row.id === null) {
        for (const watcher of watchers) watcher.jobDeleted();
      } else {
        const job = jobFromRow(row);
        for (const watcher of watchers) watcher.offer(job);
      }
    }
  }
}

/** Returns only jobs with news, because ten thousand watched jobs may be polled every few seconds. */
const readWatched = `
  SELECT watched.id AS watched_id, ${jobColumns('job')}
  FROM unnest($1::uuid[], $2::int[]) AS watched(id, version)
  LEFT JOIN job ON job.id = watched.id
  WHERE job.id IS NULL OR job.version > watched.version OR ${sqlIs.final}`;

type WatchedRow = { watched_id: string } & (JobRow | { id: null });

/** How watchers join and leave the feed. */
interface Door {
  /** Resolves once the job's topic is subscribed and a read is scheduled. */
  enter(watcher: Watcher): Promise<void>;
  leave(watcher: Watcher, watched: Watched): void;
}

const over: IteratorReturnResult<void> = { value: undefined, done: true };

/**
 * One watch. It buffers only the newest version, however slow its reader is. The reader must await each `next()`
 * before it calls it again. The iterator is written by hand because a generator keeps the last version alive while it
 * waits for the next one, which costs too much memory for ten thousand jobs.
 */
class Watcher implements AsyncIterableIterator<Job, void, void> {
  readonly jobId: string;
  /** The last version offered. */
  seen: number;
  /** Null before it has joined and after it has left. */
  watched: Watched | null = null;
  readonly #door: Door;
  readonly #signal: AbortSignal | null;
  #onAbort: (() => void) | null = null;
  #begun = false;
  #ended = false;
  #newest: Job | null = null;
  /** Thrown once, after what was offered was taken. */
  #failure: JobDeletedError | null = null;
  #wake: ((result: IteratorResult<Job, void> | Promise<never>) => void) | null = null;

  constructor(door: Door, jobId: string, afterVersion: number, signal: AbortSignal | null) {
    this.#door = door;
    this.jobId = jobId;
    this.seen = afterVersion;
    this.#signal = signal;
  }

  offer(job: Job): void {
    if (job.version > this.seen) {
      this.seen = job.version;
      this.#newest = job;
      this.#answer();
    } else if (isFinal(job.status)) this.end();
  }

  /** No more versions follow. That is an error unless the final one was offered. */
  jobDeleted(): void {
    if (this.#newest === null || !isFinal(this.#newest.status)) {
      this.#failure = new JobDeletedError('The job was deleted while it was watched. How it ended cannot be told any more.');
    }
    this.end();
  }

  /** A version that was offered before the end can still be taken. */
  end(): void {
    this.#ended = true;
    if (this.#onAbort !== null) this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#onAbort = null;
    if (this.watched !== null) this.#door.leave(this, this.watched);
    this.watched = null;
    this.#answer();
  }

  next(): Promise<IteratorResult<Job, void>> {
    return this.#begun ? this.#wait() : this.#begin().then(() => this.#wait());
  }

  async return(): Promise<IteratorReturnResult<void>> {
    this.#newest = null;
    this.#failure = null;
    this.end();
    return over;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #begin(): Promise<void> {
    this.#begun = true;
    if (this.#signal?.aborted === true) this.end();
    if (this.#ended) return;
    if (this.#signal !== null) {
      this.#onAbort = () => this.end();
      this.#signal.addEventListener('abort', this.#onAbort);
    }
    try {
      await this.#door.enter(this);
    } catch (error) {
      this.end();
      throw error;
    }
  }

  #wait(): Promise<IteratorResult<Job, void>> {
    const result = this.#take();
    if (result !== null) return Promise.resolve(result);
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #answer(): void {
    const wake = this.#wake;
    if (wake === null || (this.#newest === null && !this.#ended)) return;
    // Clear it before #take(): taking the final version calls end(), which answers again.
    this.#wake = null;
    wake(this.#take() ?? over);
  }

  /** Returns null if there is nothing to yield yet. */
  #take(): IteratorResult<Job, void> | Promise<never> | null {
    const job = this.#newest;
    if (job === null) return this.#ended ? this.#end() : null;
    this.#newest = null;
    if (isFinal(job.status)) this.end();
    return { value: job, done: false };
  }

  #end(): IteratorReturnResult<void> | Promise<never> {
    const failure = this.#failure;
    this.#failure = null;
    return failure === null ? over : Promise.reject(failure);
  }
}
