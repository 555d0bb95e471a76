import type { Log } from '../log.ts';

/** The parameters of a run. */
export interface Run {
  /** The poll asked for this run, perhaps along with wake-ups, so it must also look for work whose wake-up was lost. */
  polled: boolean;
}

/**
 * How a run went. `more`: work is left, so another run follows. `idle`: there was nothing to do, which says nothing of work
 * that failed before. `failed`: whoever asked for it has been told.
 */
export type Went = 'more' | 'idle' | 'failed';

interface LoopOptions {
  /** What the work does, for log lines (`<name> failed`), health and metrics. OPERATIONS.md says what waits for it. */
  name: string;
  /** Does one run, and may say how it went. */
  work: (run: Run) => Promise<Went | void>;
  /** How often to run in case a wake-up was lost. Null for no poll. */
  pollMilliseconds: number | null;
  log: Log;
}

/** A statement may take this long to fail where a connection went silent, and one more is tried, in milliseconds. */
const shortestPatience = 15_000;

/**
 * Runs work on wake-ups, one run at a time. However many wake-ups arrive, at most one run is in flight and one follows
 * it. Wake-ups of the same tick share a run.
 *
 * If a run throws, the error is logged, and the next wake-up or poll tries again.
 */
export class Loop {
  readonly #options: LoopOptions;
  /** When a run last succeeded, or the polls began, as a date and as `performance.now()` counts; null before that. */
  #succeeded: { date: number; at: number } | null = null;
  #hasFailed = false;
  #poll: NodeJS.Timeout | null = null;
  #running: Promise<void> | null = null;
  #woken = false;
  #polled = false;
  #stopped = false;

  constructor(options: LoopOptions) {
    this.#options = options;
  }

  /** Starts the poll. Without it, the loop runs only on wake-ups. */
  start(): void {
    const { pollMilliseconds } = this.#options;
    if (pollMilliseconds === null || this.#stopped) return;
    this.#succeeded ??= present();
    this.#poll ??= setInterval(() => {
      this.#polled = true;
      this.wake();
    }, pollMilliseconds);
  }

  get name(): string {
    return this.#options.name;
  }

  /** When a run last succeeded, in milliseconds since 1970. Before the first one, when the polls began; null without polls. */
  get succeededAt(): number | null {
    return this.#succeeded?.date ?? null;
  }

  /** Whether its runs fail, or hang: none has succeeded for several polls. */
  get isOverdue(): boolean {
    const { pollMilliseconds } = this.#options;
    if (pollMilliseconds === null || this.#succeeded === null) return false;
    return performance.now() - this.#succeeded.at > Math.max(shortestPatience, 3 * pollMilliseconds);
  }

  /** Requests a run that begins after this call. Does nothing after `stop`. */
  wake(): void {
    if (this.#stopped) return;
    this.#woken = true;
    this.#running ??= this.#run();
  }

  /** Wakes the loop and waits until no run is requested any more. Never rejects. */
  async settle(): Promise<void> {
    this.wake();
    await this.#running;
  }

  /** Starts no further run and waits for the one in flight. May be called twice. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#poll !== null) clearInterval(this.#poll);
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#woken && !this.#stopped) {
      // Before every run, not the first alone: embedded, work and whoever wakes it anew may go on in microtasks for ever,
      // and nothing else in the process would have its turn.
      await new Promise(setImmediate);
      const polled = this.#polled;
      this.#woken = false;
      this.#polled = false;
      try {
        this.#note(await this.#options.work({ polled }));
      } catch (error) {
        this.#hasFailed = true;
        this.#options.log.warn({ err: error }, `${this.#options.name} failed; the next run tries again`);
      }
    }
    // Must happen in the same turn as the last check of #woken, or a wake-up in between would be lost.
    this.#running = null;
  }

  #note(went: Went | void): void {
    if (went === 'more') this.#woken = true;
    if (went === 'failed') this.#hasFailed = true;
    else if (went !== 'idle' || !this.#hasFailed) {
      this.#hasFailed = false;
      this.#succeeded = present();
    }
  }
}

function present(): { date: number; at: number } {
  return { date: Date.now(), at: performance.now() };
}
