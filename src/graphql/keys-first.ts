import type { TurnQueue } from '../concurrency/turns.ts';

/** A queue in which documents of callers with a key go before all of those without, each in order of arrival. */
export class KeysFirst implements TurnQueue<'key' | 'anonymous'> {
  readonly #waiting: Record<'key' | 'anonymous', (() => void)[]> = { key: [], anonymous: [] };

  get isEmpty(): boolean {
    return this.#waiting.key.length + this.#waiting.anonymous.length === 0;
  }

  add(owner: 'key' | 'anonymous', run: () => void): void {
    this.#waiting[owner].push(run);
  }

  take(): (() => void) | undefined {
    return this.#waiting.key.shift() ?? this.#waiting.anonymous.shift();
  }
}
