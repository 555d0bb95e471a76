import type { LRUCache } from 'lru-cache';
import type { Database } from '../../database/database.ts';
import type { Log } from '../../log.ts';
import { parseProgressed } from './announcer.ts';
import { type ChangeCursor, type JobUpdate, presentMoment, readChanges } from './changes.ts';
import type { Lanes } from '../lanes.ts';
import type { UpdateWatcher } from './update-watcher.ts';

/** Jobs whose progress is looked for in one read. */
const progressSize = 500;

/** What the readers of a process share. */
export interface ReaderTools {
  database: Database;
  log: Log;
  lanes: Lanes;
  /** The last version sent of each job. Forgetting one costs a repetition at most. */
  sent: LRUCache<string, number>;
}

interface Joining {
  watcher: UpdateWatcher;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/** Reads what changes in one workspace, once for everyone in this process who watches it. */
export class WorkspaceReader {
  readonly #tools: ReaderTools;
  readonly #workspaceId: string;
  /** All who watch, also those that read for themselves just now. */
  readonly watchers = new Set<UpdateWatcher>();
  /** What is after it was sent to nobody; null where it was not read yet. */
  #place: ChangeCursor | null = null;
  /** Jobs that were said to have newer progress. */
  #progressed = new Set<string>();
  #joining: Joining[] = [];
  #wanted = false;
  #reading: Promise<void> | null = null;

  constructor(tools: ReaderTools, workspaceId: string) {
    this.#tools = tools;
    this.#workspaceId = workspaceId;
  }

  /** A message of the workspace's topic. */
  heard(message: string): void {
    for (const { id, version } of parseProgressed(message)) {
      if (version > (this.#tools.sent.get(id) ?? 0)) this.#progressed.add(id);
    }
    void this.read();
  }

  /** Attaches the watcher with a read that begins now. Rejects where that fails. */
  attach(watcher: UpdateWatcher): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#joining.push({ watcher, resolve, reject });
      void this.read();
    });
  }

  /**
   * Resolves after a read that begins now, however it goes. What asks for one while another is under way is answered by
   * the next one, together. Never rejects.
   */
  async read(): Promise<void> {
    this.#wanted = true;
    const underWay = this.#reading;
    if (underWay === null) {
      this.#reading = this.#readWanted();
      await this.#reading;
    } else await underWay;
  }

  /** Once nothing is under way. Never rejects. */
  async idle(): Promise<void> {
    await this.#reading;
  }

  async #readWanted(): Promise<void> {
    await Promise.resolve();
    while (this.#wanted) {
      this.#wanted = false;
      const joining = this.#joining;
      this.#joining = [];
      try {
        await this.#tools.lanes.run(() => this.#readAll());
        for (const { watcher, resolve } of joining) {
          if (this.#place !== null && !watcher.ended) watcher.attach(this.#place.from);
          resolve();
        }
      } catch (error) {
        // The safety net reads again; watchers lose time, not changes.
        this.#tools.log.warn({ err: error }, 'a watched workspace could not be read; it is read again in a few seconds');
        for (const { reject } of joining) reject(error);
      }
    }
    this.#reading = null;
  }

  /** To the end of what is visible now, page by page. */
  async #readAll(): Promise<void> {
    const { database, sent } = this.#tools;
    if (this.#place === null || !this.#isHeard()) {
      this.#progressed.clear();
      this.#place = { from: await presentMoment(database) };
      return;
    }
    for (let more = true; more; ) {
      const asked = [...this.#progressed].slice(0, progressSize).map((id) => ({ id, version: sent.get(id) ?? 0 }));
      const page = await readChanges(database, this.#workspaceId, this.#place, { sent: asked });
      if (!page.more) for (const { id } of asked) this.#progressed.delete(id);
      const cursor = page.next;
      this.#send([...page.changes, ...page.progressed.map((job) => ({ job, cursor, change: false }))], cursor);
      more = page.more || this.#progressed.size > 0;
    }
  }

  #isHeard(): boolean {
    for (const { attachedAt } of this.watchers) if (attachedAt !== null) return true;
    return false;
  }

  #send(updates: readonly JobUpdate[], next: ChangeCursor): void {
    this.#place = next;
    for (const { job } of updates) this.#tools.sent.set(job.id, Math.max(job.version, this.#tools.sent.get(job.id) ?? 0));
    for (const watcher of this.watchers) {
      for (const update of updates) watcher.offer(update);
      watcher.passed(next);
    }
  }
}
