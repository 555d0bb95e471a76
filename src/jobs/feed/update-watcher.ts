import type { ChangeCursor, JobUpdate, Moment } from './changes.ts';
import type { Job } from '../model/job.ts';

/** Updates that may wait for one watcher, jobs with their outputs. Beyond them it is cheaper to read them again. */
export const mostWaiting = 100;

/**
 * One watch of a workspace. While it is attached to the workspace's reader it holds what it has not handed out yet, up to
 * a bound; over it the watcher lets go and has only its place, from which it reads for itself.
 */
export class UpdateWatcher {
  readonly #matches: (job: Job) => boolean;
  readonly #onEnd: () => void;
  readonly #onLive: () => void;
  readonly #over = Promise.withResolvers<void>();
  /** By job for progress, by job and version for changes; in the order of handing out. */
  readonly #waiting = new Map<string, JobUpdate>();
  #wake: (() => void) | null = null;
  #behind = true;
  #live = false;
  /** What is after it was not handed out; null before a watch from now on has begun. */
  place: ChangeCursor | null;
  /** The reader sends what is after it; null while detached. */
  attachedAt: Moment | null = null;
  ended = false;

  /**
   * @param options `onEnd` is called once; `onLive` whenever it has handed out everything that came before its attachment
   *   and what was sent since
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

  /** Resolves when it has ended. */
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

  /** The reader sends everything after this moment from now on; what is before it, the watcher reads for itself. */
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

  /** One of those that the reader sends to everybody. */
  offer(update: JobUpdate): void {
    const { job, change } = update;
    if (this.attachedAt === null || !this.#matches(job)) return;
    if (change) {
      this.#waiting.delete(job.id);
      this.#waiting.set(`${job.id} ${job.version}`, update);
    } else {
      // It keeps its place in the line, and the cursor of that place: nothing in between was handed out.
      const older = this.#waiting.get(job.id);
      this.#waiting.set(job.id, older === undefined ? update : { job, cursor: older.cursor, change });
    }
    if (this.#waiting.size > mostWaiting) this.#letGo();
    this.#wake?.();
  }

  /** Everything that there was up to here was offered. */
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

  /** The next update that waits; the place moves past it. */
  take(): JobUpdate | null {
    for (const [key, update] of this.#waiting) {
      this.#waiting.delete(key);
      this.place = update.cursor;
      return update;
    }
    return null;
  }

  /** Until something waits, or the watcher let go or ended. */
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
