import type { Log } from '../log.ts';
import type { Unsubscribe } from './bus.ts';

/** Those who listen to one topic or event, in the order in which they came. */
export class Listeners<Args extends unknown[]> {
  readonly #log: Log;
  readonly #entries = new Set<{ listener: (...args: Args) => void }>();

  constructor(log: Log) {
    this.#log = log;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The same function added twice is called twice, and each of the two is removed for itself. */
  add(listener: (...args: Args) => void): Unsubscribe {
    const entry = { listener };
    this.#entries.add(entry);
    return () => {
      this.#entries.delete(entry);
    };
  }

  /** Calls those who listen now. One that throws is logged and hurts no other. */
  call(...args: Args): void {
    const snapshot = [...this.#entries];
    for (const entry of snapshot) {
      // A listener may remove another, which must then hear nothing more.
      if (!this.#entries.has(entry)) continue;
      try {
        entry.listener(...args);
      } catch (error) {
        this.#log.error({ err: error }, 'A listener of the bus threw; the others were called. Catch the error there.');
      }
    }
  }
}
