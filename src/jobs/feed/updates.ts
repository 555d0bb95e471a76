import { setTimeout as delay } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import type { Bus, Unsubscribe } from '../../bus/bus.ts';
import { Batches } from '../../concurrency/batches.ts';
import { Loop } from '../../concurrency/loop.ts';
import type { Database } from '../../database/database.ts';
import { LonghaulError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { workspaceTopic } from './announcer.ts';
import { type ChangeCursor, type JobUpdate, type Moment, nextTransaction, presentMoment, readChanges } from './changes.ts';
import type { Job } from '../model/job.ts';
import { UpdateWatcher } from './update-watcher.ts';
import { type ReaderTools, WorkspaceReader } from './workspace-reader.ts';

/** The safety net: all watched workspaces are looked at again, in case a wake-up was lost. Milliseconds. */
const resyncMilliseconds = 5_000;

/** Between two attempts of a watcher to catch up. */
const retryMilliseconds = 1_000;

/** Pages that are read at once, of what is new and, apart from it, for watchers that catch up. */
const lanes = 2;

/** Watchers of so many workspaces may begin with one look at where the log of changes is. */
const beginners = 1_000;

/** Jobs whose last version sent is remembered. */
const remembered = 50_000;

/** What to watch, and from where. */
export interface UpdatesRequest {
  workspaceId: string;
  /** Which jobs; asked with each update. */
  matches: (job: Job) => boolean;
  /** Null for everything that commits once `started` has resolved. */
  after: ChangeCursor | null;
  /** Ends the watch. */
  signal?: AbortSignal | null;
  /**
   * Called whenever there is nothing left to hand out but what all who watch the workspace are sent from now on: first
   * when the watch begins or has caught up.
   */
  onLive?: () => void;
}

/** The updates of one watch; `return` ends it. It does not end by itself while the process runs. */
export interface UpdatesWatch extends AsyncIterableIterator<JobUpdate, void, void> {
  /** Resolves once nothing can be missed any more; rejects where the database cannot be read. */
  readonly started: Promise<void>;
}

/** One workspace that somebody in this process watches. */
interface Watched {
  reader: WorkspaceReader;
  /** Bound to the bus: what is committed from now on is heard. */
  bound: Promise<void>;
  unsubscribe: Unsubscribe | null;
}

/**
 * Tells watchers of a workspace every change of a job's status, at least once from their cursor on, and progress as it
 * comes. As in the feed of one job the bus only wakes: what is sent was read from the log of changes after the wake-up.
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
        { lanes: 1, size: beginners, turns: 0 },
      ),
      pages: onePageEach(database),
      sent: new LRUCache({ max: remembered }),
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

  /** How many workspaces are watched, for the metrics and for tests that nothing is left behind. */
  get size(): number {
    return this.#watched.size;
  }

  /** How many updates wait for their watchers. */
  get waiting(): number {
    let waiting = 0;
    for (const { reader } of this.#watched.values()) for (const watcher of reader.watchers) waiting += watcher.waiting;
    return waiting;
  }

  /** Reads all watched workspaces now, woken or not. Never rejects. */
  async readAgain(): Promise<void> {
    await Promise.all([...this.#watched.values()].map(({ reader }) => reader.read()));
  }

  /**
   * Begins at once, not with the first `next`: end it with `signal` or `return`.
   *
   * `started` rejects with BAD_USER_INPUT for a cursor of another database, for example of one before it was restored.
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
    // Whoever iterates is told as well.
    started.catch(() => watcher.end());
    const updates = this.#updates(workspaceId, watched.reader, watcher, started);
    return {
      started,
      next: () => updates.next(),
      // A generator that waits takes its `return` only after the wait, which may be for ever.
      return: () => {
        watcher.end();
        return updates.return();
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  /** Order matters: first bound to the bus, then read; a change in between is heard, one before it is read. */
  async #start({ reader, bound }: Watched, watcher: UpdateWatcher, after: ChangeCursor | null): Promise<void> {
    await bound;
    if (watcher.ended) return;
    await reader.attach(watcher);
    if (after !== null && watcher.attachedAt !== null && isAhead(after.from, watcher.attachedAt)) {
      throw new LonghaulError('BAD_USER_INPUT', `after is ahead of this database. ${howToBeginAnew}`);
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
        // It let go, because too much waited.
        await this.#patiently(watcher, () => reader.attach(watcher));
      }
    } finally {
      watcher.end();
    }
  }

  /** What the reader does not send: from the watcher's place to its attachment. */
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

  /** Tries until it succeeds: a database that is away costs a watcher time, not changes. Null where the watch is over. */
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

  /** The last watcher may have left before the bus has answered. */
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

/** What a watcher does whose cursor is good for nothing any more. */
export const howToBeginAnew = 'Read the `jobs` that matter, then subscribe without a cursor.';

function isAt({ from, within }: ChangeCursor, { snapshot }: Moment): boolean {
  return within === undefined && from.snapshot === snapshot;
}

/** Whether one names transactions that the other has not begun. */
function isAhead(moment: Moment, present: Moment): boolean {
  return nextTransaction(moment) > nextTransaction(present);
}
