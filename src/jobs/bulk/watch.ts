import { setTimeout as delay } from 'node:timers/promises';
import type { Bus, Unsubscribe } from '../../bus/bus.ts';
import { type BulkAction, hasEnded } from './bulk-action.ts';

/** Bus topic for the steps of one action. Its messages are empty. */
export function bulkTopic(id: string): string {
  return `bulk:${id}`;
}

/** How often an action is read again, in case a wake-up was lost. */
const resyncMilliseconds = 5_000;

/** One watch of an action: its newest version, then the newest after each wake-up, until it has ended. */
export class BulkWatch implements AsyncIterableIterator<BulkAction, void, void> {
  readonly #read: () => Promise<BulkAction | null>;
  readonly #bus: Bus;
  readonly #topic: string;
  #unsubscribe: Unsubscribe | null = null;
  #seen = 0;
  #ended = false;
  #woken = Promise.withResolvers<void>();

  /** @param read what is read after each wake-up; null if it is gone */
  constructor(bus: Bus, id: string, read: () => Promise<BulkAction | null>) {
    this.#bus = bus;
    this.#topic = bulkTopic(id);
    this.#read = read;
  }

  async next(): Promise<IteratorResult<BulkAction, void>> {
    // Subscribed before it is read: a step after the subscription wakes, and one before it is read.
    this.#unsubscribe ??= await this.#bus.subscribe(this.#topic, () => this.#woken.resolve());
    while (!this.#ended) {
      this.#woken = Promise.withResolvers();
      const action = await this.#readSafely();
      if (action === null || hasEnded(action)) await this.return();
      if (action !== null && action.version > this.#seen) {
        this.#seen = action.version;
        return { value: action, done: false };
      }
      if (!this.#ended) await this.#wait();
    }
    this.#unsubscribe();
    return { value: undefined, done: true };
  }

  return(): Promise<IteratorReturnResult<void>> {
    this.#ended = true;
    this.#unsubscribe?.();
    this.#woken.resolve();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #wait(): Promise<void> {
    const tooLong = new AbortController();
    await Promise.race([this.#woken.promise, delay(resyncMilliseconds, undefined, tooLong).catch(() => undefined)]);
    tooLong.abort();
  }

  /** While the database is away, the watcher waits. */
  async #readSafely(): Promise<BulkAction | null> {
    for (;;) {
      try {
        return await this.#read();
      } catch (error) {
        if (this.#ended) throw error;
        await this.#wait();
      }
    }
  }
}
