import type { ChangeCursor, JobUpdate, Moment } from './changes.ts';
import type { Job } from '../model/job.ts';

/** The most updates (jobs with their outputs) that may wait for one watcher. Beyond that, reading again is cheaper. */
export const mostWaiting = 100;

/**
 * One watch of a workspace. While attached to the workspace's reader, it queues the updates that it has not handed out
 * yet. If the queue exceeds its limit, the watcher detaches, keeps only its place, and reads from there by itself.
 */
export class UpdateWatcher {
  readonly #matches: (job: Job) => boolean;
  readonly #onEnd: () => void;
  readonly #onLive: () => void;
  readonly #over = Promise.withResolvers<void>();
  /** Keyed by job for progress, by job and version for changes. In the order in which they are handed out. */
  readonly #waiting = new Map<string, JobUpdate>();
  #wake: (() => void) | null = null;
  #behind = true;
  #live = false;
  /** Updates after it were not handed out yet. Null until a watch without a cursor has begun. */
  place: ChangeCursor | null;
  /** The reader sends everything after it. Null while detached. */
  attachedAt: Moment | null = null;
  ended = false;

  /**
   * @param options `onEnd` is called once. `onLive` is called whenever the watcher has handed out everything: what came
   *   before its attachment and what the reader has sent since.
   */
  constructor(options: {
    place: ChangeCursor | null;
    matches: (job: Job) => boolean;
    onEnd: () => void;
    onLive?: () => void;
  }) {
    this.place = options.place;
    this.#matches = options.matches;
    this.#onEnd = options.onEnd;
    this.#onLive = options.onLive ?? (() => undefined);
  }

  /** Resolves when the watch has ended. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** How many updates wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  matches(job: Job): boolean {
    return this.#matches(job);
  }

  /** From now on the reader sends everything after this moment. The watcher reads what came before by itself. */
  attach(at: Moment): void {
    this.attachedAt = at;
    this.#behind = this.place !== null;
    this.place ??= { from: at };
    this.#tellLive();
  }

  /** Everything up to the attachment was handed out. */
  caughtUp(): void {
    this.#behind = false;
    this.#tellLive();
  }

  /** Takes an update that the reader sends to all watchers. */
  offer(update: JobUpdate): void {
    const { job, change } = update;
    if (this.attachedAt === null || !this.#matches(job)) return;
    if (change) {
      this.#waiting.delete(job.id);
      this.#waiting.set(`${job.id} ${job.version}`, update);
    } else {
      // Newer progress keeps the queue position and cursor of the older one, because nothing in between was handed out.
      const older = this.#waiting.get(job.id);
      this.#waiting.set(job.id, older === undefined ? update : { job, cursor: older.cursor, change });
    }
    if (this.#waiting.size > mostWaiting) this.#letGo();
    this.#wake?.();
  }

  /** Everything up to this place was offered. */
  passed(place: ChangeCursor): void {
    if (this.attachedAt !== null && !this.#behind && this.#waiting.size === 0) this.place = place;
  }

  end(): void {
    if (this.ended) return;
    this.ended = true;
    this.#letGo();
    this.#onEnd();
    this.#over.resolve();
    this.#wake?.();
  }

  /** Takes the next waiting update and moves the place past it. */
  take(): JobUpdate | null {
    for (const [key, update] of this.#waiting) {
      this.#waiting.delete(key);
      this.place = update.cursor;
      return update;
    }
    return null;
  }

  /** Resolves when an update waits, or the watcher has detached or ended. */
  async somethingToDo(): Promise<void> {
    if (this.#waiting.size > 0 || this.attachedAt === null) return;
    this.#tellLive();
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = null;
  }

  #tellLive(): void {
    if (this.#live || this.#behind || this.attachedAt === null || this.#waiting.size > 0) return;
    this.#live = true;
    this.#onLive();
  }

  #letGo(): void {
    this.attachedAt = null;
    this.#live = false;
    this.#waiting.clear();
  }
}
