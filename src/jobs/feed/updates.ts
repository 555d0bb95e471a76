import { setTimeout as delay } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import type { Bus, Unsubscribe } from '../../bus/bus.ts';
import { Batches } from '../../concurrency/batches.ts';
import { Loop } from '../../concurrency/loop.ts';
import type { Database } from '../../database/database.ts';
import { LonghaulError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { changeDays } from '../retention/change-retention.ts';
import { workspaceTopic } from './announcer.ts';
import { type ChangeCursor, type JobUpdate, type Moment, nextTransaction, presentMoment, readChanges } from './changes.ts';
import type { Job } from '../model/job.ts';
import { UpdateWatcher } from './update-watcher.ts';
import { type ReaderTools, WorkspaceReader } from './workspace-reader.ts';

/** How long a cursor is valid, in milliseconds: as long as changes are kept. */
const lifetime = changeDays * 24 * 60 * 60 * 1_000;

/** How often all watched workspaces are read again, in case a wake-up was lost. */
const resyncMilliseconds = 5_000;

/** The pause before a watcher tries again to catch up. */
const retryMilliseconds = 1_000;

/** Pages read in parallel: this many for new changes, and as many for watchers that catch up. */
const lanes = 2;

/** The most workspaces whose watches may begin with one read of the log's position. */
const momentsPerBatch = 1_000;

/** The most jobs whose last sent version is remembered. */
const mostRemembered = 50_000;

/** What to watch, and from where. */
export interface UpdatesRequest {
  workspaceId: string;
  /** Which jobs to watch. Called for each update. */
  matches: (job: Job) => boolean;
  /** Where to resume. Null for everything that commits after `started` has resolved. */
  after: ChangeCursor | null;
  /** Ends the watch. */
  signal?: AbortSignal | null;
  /**
   * Called whenever the watch has caught up, so that only new updates are left to hand out. The first call is when the
   * watch begins, or when it has handed out everything that it missed.
   */
  onLive?: () => void;
}

/** The updates of one watch. `return` ends it. It does not end by itself while the process runs. */
export interface UpdatesWatch extends AsyncIterableIterator<JobUpdate, void, void> {
  /** Resolves once no further update can be missed. Rejects if the database cannot be read. */
  readonly started: Promise<void>;
}

/** A workspace with watchers in this process. */
interface Watched {
  reader: WorkspaceReader;
  /** Resolves once subscribed to the bus: later commits cause a wake-up. */
  bound: Promise<void>;
  unsubscribe: Unsubscribe | null;
}

/**
 * Sends the watchers of a workspace every status change after their cursor, at least once, and progress as it arrives.
 * As in the feed of one job, the bus only wakes: everything sent was read from the change log after the wake-up.
 */
export class Updates {
  readonly #bus: Bus;
  readonly #tools: ReaderTools;
  readonly #catchingUp: ReaderTools['pages'];
  readonly #watched = new Map<string, Watched>();
  readonly #resync: Loop;
  #offReconnect: Unsubscribe | null = null;

  constructor(database: Database, bus: Bus, log: Log) {
    this.#bus = bus;
    this.#tools = {
      log,
      moments: new Batches(
        async (asked) => {
          const moment = await presentMoment(database.hot);
          return asked.map(() => moment);
        },
        { lanes: 1, size: momentsPerBatch, turns: 0 },
      ),
      pages: onePageEach(database),
      sent: new LRUCache({ max: mostRemembered }),
    };
    this.#catchingUp = onePageEach(database);
    this.#resync = new Loop({
      name: 'reading all watched workspaces',
      work: () => this.readAgain(),
      pollMilliseconds: resyncMilliseconds,
      log,
    });
  }

  /** May be called twice. */
  start(): void {
    this.#offReconnect ??= this.#bus.onReconnect(() => this.#resync.wake());
    this.#resync.start();
  }

  /** Ends every watch. May be called twice. */
  async stop(): Promise<void> {
    this.#offReconnect?.();
    const readers = [...this.#watched.values()].map(({ reader }) => reader);
    for (const { watchers } of readers) for (const watcher of watchers) watcher.end();
    await Promise.all(readers.map((reader) => reader.stop()));
    await this.#resync.stop();
  }

  /** How many workspaces are watched, for metrics and leak tests. */
  get size(): number {
    return this.#watched.size;
  }

  /** How many updates wait for their watchers. */
  get waiting(): number {
    let waiting = 0;
    for (const { reader } of this.#watched.values()) for (const watcher of reader.watchers) waiting += watcher.waiting;
    return waiting;
  }

  /** Reads all watched workspaces now, whether or not they were woken. Never rejects. */
  async readAgain(): Promise<void> {
    await Promise.all([...this.#watched.values()].map(({ reader }) => reader.read()));
  }

  /**
   * Begins at once, not at the first `next`, so it must be ended with `signal` or `return`.
   *
   * `started` rejects with BAD_USER_INPUT if the cursor is ahead of this database, for example after a restore, or older than
   * the changes that are kept.
   */
  watch({ workspaceId, matches, after, signal = null, onLive }: UpdatesRequest): UpdatesWatch {
    const watched = this.#enter(workspaceId);
    const onAbort = () => watcher.end();
    const onEnd = () => {
      signal?.removeEventListener('abort', onAbort);
      this.#leave(workspaceId, watched, watcher);
    };
    const watcher = new UpdateWatcher({ place: after, matches, onEnd, ...(onLive && { onLive }) });
    watched.reader.watchers.add(watcher);
    signal?.addEventListener('abort', onAbort);
    if (signal?.aborted === true) watcher.end();

    const started = this.#start(watched, watcher, after);
    // The iterator awaits `started` too, so its reader gets the error as well.
    started.catch(() => watcher.end());
    const updates = this.#updates(workspaceId, watched.reader, watcher, started);
    return {
      started,
      next: () => updates.next(),
      // A waiting generator handles `return` only after its wait, which may last forever.
      return: () => {
        watcher.end();
        return updates.return();
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  /**
   * Order matters: subscribe to the bus first, then read. A change after the subscription causes a wake-up, and the
   * read sees any change before it.
   */
  async #start({ reader, bound }: Watched, watcher: UpdateWatcher, after: ChangeCursor | null): Promise<void> {
    await bound;
    if (watcher.ended) return;
    await reader.attach(watcher);
    const { attachedAt: present } = watcher;
    if (after === null || present === null) return;
    if (isAhead(after.from, present)) {
      throw new LonghaulError('BAD_USER_INPUT', `after is ahead of this database. ${howToBeginAnew}`);
    }
    if (after.from.at < present.at - lifetime) {
      throw new LonghaulError(
        'BAD_USER_INPUT',
        `after is older than ${changeDays} days, and what changed since is not kept so long. ${howToBeginAnew}`,
      );
    }
  }

  async *#updates(
    workspaceId: string,
    reader: WorkspaceReader,
    watcher: UpdateWatcher,
    started: Promise<void>,
  ): AsyncGenerator<JobUpdate, void, void> {
    try {
      await started;
      while (!watcher.ended) {
        yield* this.#missed(workspaceId, watcher);
        watcher.caughtUp();
        while (watcher.attachedAt !== null) {
          const update = watcher.take();
          if (update === null) await watcher.somethingToDo();
          else yield update;
        }
        // The watcher detached because too many updates waited.
        await this.#patiently(watcher, () => reader.attach(watcher));
      }
    } finally {
      watcher.end();
    }
  }

  /** Yields what the reader does not send: the changes from the watcher's place to its attachment. */
  async *#missed(workspaceId: string, watcher: UpdateWatcher): AsyncGenerator<JobUpdate, void, void> {
    const { attachedAt: upTo } = watcher;
    if (upTo === null) return;
    for (let { place } = watcher; place !== null && !isAt(place, upTo); { place } = watcher) {
      const from = place;
      const page = await this.#patiently(watcher, () =>
        this.#catchingUp.add({ workspaceId, place: from, upTo }),
      );
      for (const update of page?.changes ?? []) {
        if (watcher.ended) return;
        if (!watcher.matches(update.job)) continue;
        watcher.place = update.cursor;
        yield update;
      }
      if (page === null) return;
      watcher.place = page.next;
    }
  }

  /**
   * Retries until it succeeds: an unavailable database delays a watcher but loses no change. Null if the watch ended.
   */
  async #patiently<Result>(watcher: UpdateWatcher, work: () => Promise<Result>): Promise<Result | null> {
    while (!watcher.ended) {
      try {
        return await work();
      } catch (error) {
        this.#tools.log.warn({ err: error }, 'a watcher could not catch up; it tries again in a second');
        await Promise.race([delay(retryMilliseconds), watcher.over]);
      }
    }
    return null;
  }

  #enter(workspaceId: string): Watched {
    const known = this.#watched.get(workspaceId);
    if (known !== undefined) return known;
    const reader = new WorkspaceReader(this.#tools, workspaceId);
    const watched: Watched = { reader, bound: Promise.resolve(), unsubscribe: null };
    watched.bound = this.#bind(workspaceId, watched);
    this.#watched.set(workspaceId, watched);
    return watched;
  }

  /** Unsubscribes at once if the last watcher left while the subscription was pending. */
  async #bind(workspaceId: string, watched: Watched): Promise<void> {
    const { reader } = watched;
    const unsubscribe = await this.#bus.subscribe(workspaceTopic(workspaceId), (message) => reader.heard(message));
    watched.unsubscribe = unsubscribe;
    if (this.#watched.get(workspaceId) !== watched) unsubscribe();
  }

  #leave(workspaceId: string, watched: Watched, watcher: UpdateWatcher): void {
    const { watchers } = watched.reader;
    watchers.delete(watcher);
    if (watchers.size > 0) return;
    watched.unsubscribe?.();
    if (this.#watched.get(workspaceId) === watched) this.#watched.delete(workspaceId);
  }
}

function onePageEach(database: Database): ReaderTools['pages'] {
  return new Batches((asked) => Promise.all(asked.map((each) => readChanges(database.hot, each))), { lanes, size: 1, turns: 0 });
}

/** Advice for a client whose cursor is no longer usable. */
export const howToBeginAnew = 'Read the `jobs` that matter, then subscribe without a cursor.';

function isAt({ from, within }: ChangeCursor, { snapshot }: Moment): boolean {
  return within === undefined && from.snapshot === snapshot;
}

/** Whether a moment includes transaction ids that had not begun in the present. */
function isAhead(moment: Moment, present: Moment): boolean {
  return nextTransaction(moment) > nextTransaction(present);
}
