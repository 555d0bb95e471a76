import { setTimeout as delay } from 'node:timers/promises';
import type { Bus, Unsubscribe } from '../../bus/bus.ts';
import { Batches } from '../../concurrency/batches.ts';
import { Loop } from '../../concurrency/loop.ts';
import type { Database } from '../../database/database.ts';
import type { Log } from '../../log.ts';
import { jobTopic, logTopic } from '../feed/announcer.ts';
import { JobDeletedError } from '../model/job-errors.ts';
import { isKept, type News, pageSize, readNews, settledEnds } from './log-news.ts';
import { type LogPage, type LogsAsked, type LogSource, LogWatch } from './log-watch.ts';
import { listLines } from './read.ts';

/** How often all watched logs are read again, in case a wake-up was lost. */
const resyncMilliseconds = 5_000;

/** The pause before a page that could not be read is read again. */
const retryMilliseconds = 1_000;

/** When to ask again how a log ends whose job has ended, while lines of it are being written. */
const unsettledMilliseconds = 25;

/** The most watches that are read for in one query. */
const batchSize = 1_000;

/** Pages of what watchers have missed, read in parallel. */
const lanes = 2;

/** A job whose log is watched in this process. */
interface Watched {
  watches: Set<LogWatch>;
  /** Settles once subscribed to the bus: later lines cause a wake-up. */
  bound: Promise<void>;
  unsubscribe: Unsubscribe | null;
  /** The sequence of the last line of a job that has ended; null before that is known. */
  endsAt: number | null;
}

interface Page {
  watch: LogWatch;
  after: number;
  upTo: number;
}

/**
 * Sends watchers the lines of jobs' logs. As in the feed of jobs, the bus only wakes it, and everything that it gives was read
 * from the database after the wake-up; a lost message costs one resync interval at most.
 */
export class LogFeed implements LogSource {
  readonly #database: Database;
  readonly #bus: Bus;
  readonly #log: Log;
  readonly #watched = new Map<string, Watched>();
  /** Watches whose readers wait, and that were woken. */
  readonly #wanted = new Set<LogWatch>();
  readonly #pages: Batches<Page, LogPage>;
  readonly loop: Loop;
  #offReconnect: Unsubscribe | null = null;

  constructor(database: Database, bus: Bus, log: Log) {
    this.#database = database;
    this.#bus = bus;
    this.#log = log;
    this.#pages = new Batches((pages) => Promise.all(pages.map((page) => this.#page(page))), { lanes, size: 1, turns: 0 });
    this.loop = new Loop({
      name: 'reading watched logs',
      work: ({ polled }) => this.#readWanted(polled),
      pollMilliseconds: resyncMilliseconds,
      log,
    });
  }

  start(): void {
    this.#offReconnect = this.#bus.onReconnect(() => this.#wakeAll());
    this.loop.start();
  }

  /** Ends every watch. May be called twice. */
  async stop(): Promise<void> {
    this.#offReconnect?.();
    for (const { watches } of this.#watched.values()) for (const watch of watches) watch.close();
    await this.loop.stop();
  }

  /** How many jobs' logs are watched, for metrics and leak tests. */
  get size(): number {
    return this.#watched.size;
  }

  /** Begins at once, so it must be ended with its signal or `return`. */
  watch(asked: LogsAsked): LogWatch {
    return new LogWatch(this, asked);
  }

  /** Order matters: subscribe to the bus first, then read. */
  async enter(watch: LogWatch): Promise<number> {
    const { jobId, workspaceId } = watch.asked;
    let watched = this.#watched.get(jobId);
    if (watched === undefined) {
      watched = { watches: new Set(), bound: Promise.resolve(), unsubscribe: null, endsAt: null };
      this.#watched.set(jobId, watched);
      watched.bound = this.#bind(jobId, watched);
    }
    watched.watches.add(watch);
    await watched.bound;
    const [counter] = await this.#database.hot.query<{ last: number }>(
      `SELECT last FROM job_log_counter WHERE job_id = $1 AND workspace_id = $2`,
      [jobId, workspaceId],
    );
    return counter?.last ?? 0;
  }

  want(watch: LogWatch): void {
    this.#wanted.add(watch);
    this.loop.wake();
  }

  leave(watch: LogWatch): void {
    const { jobId } = watch.asked;
    this.#wanted.delete(watch);
    const watched = this.#watched.get(jobId);
    watched?.watches.delete(watch);
    if (watched === undefined || watched.watches.size > 0) return;
    watched.unsubscribe?.();
    this.#watched.delete(jobId);
  }

  /** Tries until it succeeds, or the log is gone: an unavailable database delays a watcher, but costs it no line. */
  async read(watch: LogWatch, after: number, upTo: number): Promise<LogPage | null> {
    while (!watch.isClosed) {
      try {
        return await this.#pages.add({ watch, after, upTo });
      } catch (error) {
        if (error instanceof JobDeletedError) throw error;
        this.#log.warn({ err: error }, 'a watcher of a log could not catch up; it tries again in a second');
        await delay(retryMilliseconds);
      }
    }
    return null;
  }

  async #page({ watch: { asked }, after, upTo }: Page): Promise<LogPage> {
    const { workspaceId, jobId, level } = asked;
    const range = { after, upTo, level, attempt: null, direction: 'ASC', limit: pageSize } as const;
    const lines = await listLines(this.#database.hot, workspaceId, [jobId], range);
    if (!(await isKept(this.#database.hot, workspaceId, jobId))) throw deleted();
    return { jobId, lines, upTo: lines.length < pageSize ? upTo : (lines.at(-1)?.sequence ?? upTo) };
  }

  /** Unsubscribes at once if the last watch ended while the subscription was pending. */
  async #bind(jobId: string, watched: Watched): Promise<void> {
    const wake = () => {
      for (const watch of watched.watches) watch.woken();
    };
    const topics = await Promise.all([logTopic(jobId), jobTopic(jobId)].map((topic) => this.#bus.subscribe(topic, wake)));
    const unsubscribe = () => {
      for (const each of topics) each();
    };
    watched.unsubscribe = unsubscribe;
    if (this.#watched.get(jobId) !== watched) unsubscribe();
  }

  #wakeAll(): void {
    for (const { watches } of this.#watched.values()) for (const watch of watches) watch.woken();
  }

  /** A failure delays watchers but loses no line: the next poll reads for all of them again. */
  async #readWanted(all: boolean): Promise<'more' | void> {
    if (all) this.#wakeAll();
    const wanted = [...this.#wanted].slice(0, batchSize);
    for (const watch of wanted) this.#wanted.delete(watch);
    // One that was woken while it was read for has a page by now. It stays stale.
    const watches = wanted.filter(({ isHungry }) => isHungry);
    // Before the read: what comes after it wakes the watch again.
    for (const watch of watches) watch.isStale = false;
    const news = await readNews(
      this.#database.hot,
      watches.map(({ asked, position: after }) => ({ ...asked, after })),
    );
    const endings = watches.filter((watch, index) => !watch.ended && this.#give(watch, news[index]) === 'ending');
    if (endings.length > 0) await this.#end(endings);
    if (this.#wanted.size > 0) return 'more';
  }

  /** Returns whether the watch has read all that there was of a job that has ended. */
  #give(watch: LogWatch, news: News | undefined): 'ending' | null {
    if (news === undefined) return null;
    const { lines, upTo, isCut, hasEnded, isDeleted } = news;
    if (isDeleted) {
      const endsAt = this.#endOf(watch);
      if (endsAt !== null && watch.position >= endsAt) watch.end();
      else watch.fail(deleted());
      return null;
    }
    if (upTo > watch.position) watch.take({ jobId: watch.asked.jobId, lines, upTo });
    if (isCut) watch.woken();
    return hasEnded && !isCut ? 'ending' : null;
  }

  /** Ends what has read the last line. What has not reads on, and ends then. */
  async #end(watches: readonly LogWatch[]): Promise<void> {
    const jobIds = watches.map(({ asked }) => asked.jobId).filter((jobId) => this.#watched.get(jobId)?.endsAt === null);
    for (const [jobId, last] of await settledEnds(this.#database.hot, [...new Set(jobIds)])) {
      const watched = this.#watched.get(jobId);
      if (watched !== undefined) watched.endsAt = last;
    }
    for (const watch of watches) {
      const endsAt = this.#endOf(watch);
      if (endsAt === null) setTimeout(() => watch.woken(), unsettledMilliseconds);
      else if (watch.position >= endsAt) watch.end();
      else watch.woken();
    }
  }

  #endOf({ asked: { jobId } }: LogWatch): number | null {
    return this.#watched.get(jobId)?.endsAt ?? null;
  }
}

function deleted(): JobDeletedError {
  return new JobDeletedError('The job was deleted, or is about to be, before all lines of its log were sent.');
}
