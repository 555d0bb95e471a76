import { setImmediate as nextTurn } from 'node:timers/promises';
import type { LRUCache } from 'lru-cache';
import type { Batches } from '../../concurrency/batches.ts';
import { Loop } from '../../concurrency/loop.ts';
import type { Log } from '../../log.ts';
import { parseProgressed } from './announcer.ts';
import type { ChangeCursor, ChangePage, ChangesAsked, JobUpdate, Moment } from './changes.ts';
import type { UpdateWatcher } from './update-watcher.ts';

/** The most jobs whose progress is queried in one read. */
const progressSize = 500;

/** Watchers that get a page before the process yields to the event loop: about two milliseconds of work. */
const portion = 100;

/** What the readers of a process share. */
export interface ReaderTools {
  log: Log;
  /** Reads the current position of the change log. */
  moments: Batches<void, Moment>;
  /** Reads pages of changes, a few in parallel. */
  pages: Batches<ChangesAsked, ChangePage>;
  /** The last version sent of each job. An evicted entry costs at most one repeated update. */
  sent: LRUCache<string, number>;
}

interface Joining {
  watcher: UpdateWatcher;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/** Reads the changes of one workspace once, for all its watchers in this process. */
export class WorkspaceReader {
  readonly #tools: ReaderTools;
  readonly #workspaceId: string;
  /** All watchers, including detached ones that are catching up by themselves. */
  readonly watchers = new Set<UpdateWatcher>();
  /** Changes after it were not sent yet. Null before the first read. */
  #place: ChangeCursor | null = null;
  /** Jobs announced as having newer progress. */
  #progressed = new Set<string>();
  #joining: Joining[] = [];
  readonly #loop: Loop;

  constructor(tools: ReaderTools, workspaceId: string) {
    this.#tools = tools;
    this.#workspaceId = workspaceId;
    this.#loop = new Loop({
      name: 'reading a watched workspace',
      work: () => this.#readOnce(),
      pollMilliseconds: null,
      log: tools.log,
    });
  }

  /** Handles a message of the workspace's topic. */
  heard(message: string): void {
    for (const { id, version } of parseProgressed(message)) {
      if (version > (this.#tools.sent.get(id) ?? 0)) this.#progressed.add(id);
    }
    this.#loop.wake();
  }

  /** Attaches the watcher after a read that begins now. Rejects if that read fails. */
  attach(watcher: UpdateWatcher): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#joining.push({ watcher, resolve, reject });
      this.#loop.wake();
    });
  }

  /** Resolves after a read that begins now, whether or not it succeeds. Never rejects. */
  read(): Promise<void> {
    return this.#loop.settle();
  }

  /** Resolves when no read is in flight. Attaches nobody afterwards. */
  async stop(): Promise<void> {
    await this.#loop.stop();
    for (const { resolve } of this.#joining) resolve();
  }

  /** A failure delays watchers but loses no change: the next resync reads again. */
  async #readOnce(): Promise<void> {
    const joining = this.#joining;
    this.#joining = [];
    try {
      await this.#readAll();
    } catch (error) {
      for (const { reject } of joining) reject(error);
      throw error;
    }
    for (const { watcher, resolve } of joining) {
      if (this.#place !== null && !watcher.ended) watcher.attach(this.#place.from);
      resolve();
    }
  }

  /** Reads page by page to the end of what is visible now. */
  async #readAll(): Promise<void> {
    const { moments, pages, sent } = this.#tools;
    const workspaceId = this.#workspaceId;
    if (this.#place === null || !this.#isHeard()) {
      this.#progressed.clear();
      this.#place = { from: await moments.add() };
      return;
    }
    for (let more = true; more; ) {
      const asked = [...this.#progressed].slice(0, progressSize).map((id) => ({ id, version: sent.get(id) ?? 0 }));
      const page: ChangePage = await pages.add({ workspaceId, place: this.#place, sent: asked });
      if (!page.more) for (const { id } of asked) this.#progressed.delete(id);
      const cursor = page.next;
      await this.#send([...page.changes, ...page.progressed.map((job) => ({ job, cursor, change: false }))], cursor);
      more = page.more || this.#progressed.size > 0;
    }
  }

  #isHeard(): boolean {
    for (const { attachedAt } of this.watchers) if (attachedAt !== null) return true;
    return false;
  }

  /** Watchers that join meanwhile are attached after it, and those that leave ignore what they are offered. */
  async #send(updates: readonly JobUpdate[], next: ChangeCursor): Promise<void> {
    this.#place = next;
    for (const { job } of updates) this.#tools.sent.set(job.id, Math.max(job.version, this.#tools.sent.get(job.id) ?? 0));
    for (const [index, watcher] of [...this.watchers].entries()) {
      if (index > 0 && index % portion === 0) await nextTurn();
      for (const update of updates) watcher.offer(update);
      watcher.passed(next);
    }
  }
}
