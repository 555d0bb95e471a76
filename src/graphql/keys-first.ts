import type { TurnQueue } from '../concurrency/turns.ts';

/** `begun`: has a key, and its document is parsed. */
type Owner = 'begun' | 'key' | 'anonymous';

/**
 * A queue in which documents of callers with a key go before all of those without, each in order of arrival. What was begun goes first: a
 * large document's parts are freed before the next one has its own, and do not pile up for the collector.
 */
export class KeysFirst implements TurnQueue<Owner> {
  readonly #waiting: Record<Owner, (() => void)[]> = { begun: [], key: [], anonymous: [] };

  get isEmpty(): boolean {
    return Object.values(this.#waiting).every(({ length }) => length === 0);
  }

  add(owner: Owner, run: () => void): void {
    this.#waiting[owner].push(run);
  }

  take(): (() => void) | undefined {
    const { begun, key, anonymous } = this.#waiting;
    return begun.shift() ?? key.shift() ?? anonymous.shift();
  }
}
