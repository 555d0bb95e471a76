import { LonghaulError } from '@longhaul/client';
import { batch, signal } from '@preact/signals';
import { messageOf, query, subscribe } from '../app/api.ts';
import { watched } from '../app/watched.ts';
import { type JobUpdatesFilter, type ListedJobFragment, ListedJobUpdatesDocument, UpdatesCursorDocument } from '../generated/jobs.ts';

/**
 * `connecting`: at the beginning. `live`: every change comes by itself. `broken`: it tries again until the server is heard. `paused`: by the
 * user. `resting`: the tab was hidden. `failed`: it cannot go on by itself; `problem` says why.
 */
export type Connection = 'connecting' | 'live' | 'broken' | 'paused' | 'resting' | 'failed';

/** What is followed. */
interface Following {
  filter: JobUpdatesFilter;
  withSchedule: boolean;
}

/**
 * The workspace's changes, from a cursor on. Whatever interrupts it, a break, a pause or a hidden tab, it goes on from the last change that
 * it has told of, so that none is missed.
 */
export class LiveJobs {
  readonly connection = signal<Connection>('connecting');
  readonly problem = signal<string | null>(null);
  readonly #tell: (jobs: readonly ListedJobFragment[]) => void;
  readonly #onGap: () => void;
  #following: Following | null = null;
  #cursor: string | null = null;
  #paused = false;
  #resting = false;
  #stop: AbortController | null = null;
  #unwatch = () => {};
  #waiting: ListedJobFragment[] = [];
  #frame = 0;

  /**
   * @param tell told of changes, those of one frame together
   * @param onGap the cursor is too old to go on from: read everything again
   */
  constructor(tell: (jobs: readonly ListedJobFragment[]) => void, onGap: () => void) {
    this.#tell = tell;
    this.#onGap = onGap;
  }

  /** Where to go on from: read before the jobs that the changes are to be applied to. */
  async readCursor(signal_: AbortSignal): Promise<void> {
    this.#cursor ??= (await query(UpdatesCursorDocument, {}, { signal: signal_ })).jobUpdatesCursor;
  }

  /** Follows this from the cursor on. Null: nothing, until the next call; the cursor stays. */
  follow(following: Following | null): void {
    const same = JSON.stringify(following) === JSON.stringify(this.#following);
    this.#following = following;
    this.#unwatch();
    this.#unwatch = following === null ? () => {} : watched.subscribe((isWatched) => this.#setResting(!isWatched));
    if (same && this.#stop !== null) return;
    this.#leave();
    this.#enter();
  }

  get paused(): boolean {
    return this.#paused;
  }

  pause(paused: boolean): void {
    this.#paused = paused;
    this.#leave();
    this.#enter();
  }

  /** Begins anew, from now on. */
  forget(): void {
    this.#leave();
    this.#cursor = null;
  }

  #setResting(resting: boolean): void {
    if (resting === this.#resting) return;
    this.#resting = resting;
    this.#leave();
    this.#enter();
  }

  #leave(): void {
    this.#stop?.abort();
    this.#stop = null;
  }

  #enter(): void {
    if (this.#paused || this.#resting) {
      this.connection.value = this.#paused ? 'paused' : 'resting';
      return;
    }
    if (this.#following === null || this.#cursor === null || this.#stop !== null) return;
    this.connection.value = 'connecting';
    this.problem.value = null;
    this.#stop = new AbortController();
    void this.#listen(this.#following, this.#stop.signal);
  }

  async #listen({ filter, withSchedule }: Following, left: AbortSignal): Promise<void> {
    const onTransport = (name: string | null) => {
      if (!left.aborted) this.connection.value = name === null ? 'broken' : 'live';
    };
    try {
      const variables = { filter, withSchedule, after: this.#cursor };
      for await (const { jobUpdates } of subscribe(ListedJobUpdatesDocument, variables, { signal: left, onTransport })) {
        if (left.aborted) return;
        this.#cursor = jobUpdates.cursor;
        this.#waiting.push(jobUpdates.job);
        // A hidden page draws no frames.
        if (document.hidden) this.#flush();
        else if (this.#frame === 0) this.#frame = requestAnimationFrame(this.#flush);
      }
    } catch (error) {
      if (left.aborted) return;
      this.#stop = null;
      if (error instanceof LonghaulError && error.code === 'BAD_USER_INPUT') {
        this.#cursor = null;
        this.#onGap();
        return;
      }
      this.problem.value = messageOf(error);
      this.connection.value = 'failed';
    }
  }

  readonly #flush = () => {
    this.#frame = 0;
    const jobs = this.#waiting;
    this.#waiting = [];
    batch(() => this.#tell(jobs));
  };
}
