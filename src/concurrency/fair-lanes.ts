import { crowdedRetrySeconds, RateLimitedError } from '../errors.ts';
import { FairQueue } from './fair-queue.ts';

interface LaneLimits {
  /** The most pieces of work at a time. */
  lanes: number;
  /** The most that may wait for one owner. */
  mostWaiting: number;
  /** What an owner is told that has more, as RATE_LIMITED. */
  tooMany: string;
}

/** Runs costly work: one piece at a time for each owner, a few at a time in all. Owners take turns. */
export class FairLanes {
  readonly #limits: LaneLimits;
  readonly #waiting = new FairQueue<() => void>();
  /** The owners whose work is under way. */
  readonly #busy = new Set<string>();

  constructor(limits: LaneLimits) {
    this.#limits = limits;
  }

  /** Runs the work when it is the owner's turn. Throws RATE_LIMITED if too much of the owner's waits. */
  async run<Result>(owner: string, work: () => Promise<Result>): Promise<Result> {
    const { mostWaiting, tooMany } = this.#limits;
    if (this.#waiting.sizeOf(owner) >= mostWaiting) throw new RateLimitedError(tooMany, crowdedRetrySeconds);
    await new Promise<void>((resolve) => {
      this.#waiting.add(owner, () => {
        this.#busy.add(owner);
        resolve();
      });
      this.#admit();
    });
    try {
      return await work();
    } finally {
      this.#busy.delete(owner);
      this.#admit();
    }
  }

  #admit(): void {
    while (this.#busy.size < this.#limits.lanes) {
      const begin = this.#waiting.take((owner) => !this.#busy.has(owner));
      if (begin === undefined) return;
      begin();
    }
  }
}
