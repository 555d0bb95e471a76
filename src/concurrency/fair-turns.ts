import { FairQueue } from './fair-queue.ts';

/**
 * Runs one piece of synchronous work per turn of the event loop, so that a thousand that come at one moment delay everything
 * else by one piece at a time. Owners take turns.
 */
export class FairTurns {
  readonly #waiting = new FairQueue<() => void>();
  #scheduled = false;

  /** Resolves when it is the caller's turn. */
  next(owner: string): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.add(owner, resolve);
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#waiting.take()?.();
      if (!this.#waiting.isEmpty) this.#schedule();
    });
  }
}
