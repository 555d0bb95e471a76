import type { Log } from '../log.ts';
import type { Unsubscribe } from './bus.ts';

/** The listeners of one topic or event, in the order in which they were added. */
export class Listeners<Args extends unknown[]> {
  readonly #log: Log;
  readonly #entries = new Set<{ listener: (...args: Args) => void }>();

  constructor(log: Log) {
    this.#log = log;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** A function that is added twice is called twice, and must be removed twice. */
  add(listener: (...args: Args) => void): Unsubscribe {
    const entry = { listener };
    this.#entries.add(entry);
    return () => {
      this.#entries.delete(entry);
    };
  }

  /** Calls all current listeners. If one throws, the error is logged and the others are still called. */
  call(...args: Args): void {
    const snapshot = [...this.#entries];
    for (const entry of snapshot) {
      // An earlier listener may have removed this one.
      if (!this.#entries.has(entry)) continue;
      try {
        entry.listener(...args);
      } catch (error) {
        this.#log.error({ err: error }, 'A bus listener threw. The other listeners were called. Catch the error in the listener.');
      }
    }
  }
}
