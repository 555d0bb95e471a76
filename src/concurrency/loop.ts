import type { Log } from '../log.ts';

/** What a run is told. */
export interface Run {
  /** The poll asked for this run, whoever else did: what may have been missed is to be looked at too. */
  polled: boolean;
}

export interface LoopOptions {
  /** For the log: what does not work at the moment. */
  name: string;
  /** One run. `more`: there was more than it could do at once, so another run follows. */
  work: (run: Run) => Promise<'more' | void>;
  /** The safety net for a wake-up that was lost, in milliseconds; null: none. */
  pollMilliseconds: number | null;
  log: Log;
}

/**
 * Work that is done whenever somebody says that there is some: one run at a time, until nobody asks any more. However
 * many wake it, at most one run is under way and one follows; wake-ups of the same tick share a run.
 *
 * A run that throws is logged, and the next wake-up or poll tries again.
 */
export class Loop {
  readonly #options: LoopOptions;
  #poll: NodeJS.Timeout | null = null;
  #running: Promise<void> | null = null;
  #woken = false;
  #polled = false;
  #stopped = false;

  constructor(options: LoopOptions) {
    this.#options = options;
  }

  /** Starts the poll. It works without, for whoever wakes it. */
  start(): void {
    const { pollMilliseconds } = this.#options;
    if (pollMilliseconds === null || this.#stopped) return;
    this.#poll ??= setInterval(() => {
      this.#polled = true;
      this.wake();
    }, pollMilliseconds);
  }

  /** Asks for a run that begins after this call. Does nothing once it was stopped. */
  wake(): void {
    if (this.#stopped) return;
    this.#woken = true;
    this.#running ??= this.#run();
  }

  /** Wakes it and waits until nobody asks any more; never throws. */
  async settle(): Promise<void> {
    this.wake();
    await this.#running;
  }

  /** Begins no further run, and waits for the one under way. May be called twice. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#poll !== null) clearInterval(this.#poll);
    await this.#running;
  }

  async #run(): Promise<void> {
    await new Promise(setImmediate);
    while (this.#woken && !this.#stopped) {
      const polled = this.#polled;
      this.#woken = false;
      this.#polled = false;
      try {
        if ((await this.#options.work({ polled })) === 'more') this.#woken = true;
      } catch (error) {
        this.#options.log.warn({ err: error }, `${this.#options.name} failed; the next run tries again`);
      }
    }
    // In the same turn as the last look at #woken: a wake-up in between would be lost.
    this.#running = null;
  }
}
