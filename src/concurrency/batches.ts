import { setImmediate as nextTurn } from 'node:timers/promises';
import { LonghaulError } from '../errors.ts';

/** Returned in place of a result: only this item fails. */
export class Failed {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

/**
 * Returned in place of a result: this item cannot be served now. It returns to the front and is retried after 25 ms.
 */
export const notYet = Symbol('not yet');

export type Outcome<Result> = Result | Failed | typeof notYet;

export interface BatchLimits<Item> {
  /** The most batches in flight. */
  lanes: number;
  /** The most weight in one batch, unless a single item weighs more. */
  size: number;
  /** The weight of an item. 1 by default. */
  weigh?: (item: Item) => number;
  /** The most event loop turns that an item waits for others to arrive. 1 by default. */
  turns?: number;
}

interface Waiting<Item, Result> {
  item: Item;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

const notYetMilliseconds = 25;

/**
 * Batches items that arrive together: in the same turn of the event loop, or while `lanes` batches are in flight. A
 * single item runs at once. No item joins a batch that has begun.
 *
 * If a batch throws, its items are retried one by one, so that a bad item does not fail its neighbours. The exception
 * is UNAVAILABLE: no item is to blame for that, and each retry would wait for the database in turn.
 */
export class Batches<Item, Result> {
  readonly #carryOut: (items: readonly Item[]) => Promise<readonly Outcome<Result>[]>;
  readonly #limits: Required<BatchLimits<Item>>;
  readonly #waiting: Waiting<Item, Result>[] = [];
  #underWay = 0;
  #gathering = false;
  #idle = Promise.withResolvers<void>();

  /** @param carryOut returns one outcome per item, in the same order. */
  constructor(carryOut: (items: readonly Item[]) => Promise<readonly Outcome<Result>[]>, limits: BatchLimits<Item>) {
    this.#carryOut = carryOut;
    this.#limits = { weigh: () => 1, turns: 1, ...limits };
  }

  /** Whether no item is waiting or in flight. */
  get idle(): boolean {
    return this.#waiting.length === 0 && this.#underWay === 0;
  }

  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      this.#gather();
    });
  }

  /** Resolves when no item is waiting or in flight. */
  async drain(): Promise<void> {
    while (!this.idle) await this.#idle.promise;
  }

  /** Starts once a turn of the event loop brings no new item: a burst from many clients arrives over several turns. */
  #gather(): void {
    if (this.#gathering || this.#underWay === this.#limits.lanes || this.#waiting.length === 0) return;
    this.#gathering = true;
    void this.#begin();
  }

  async #begin(): Promise<void> {
    const { turns, lanes } = this.#limits;
    for (let turn = 0, seen = 0; turn < turns && this.#waiting.length > seen; turn += 1) {
      seen = this.#waiting.length;
      await nextTurn();
    }
    this.#gathering = false;
    while (this.#waiting.length > 0 && this.#underWay < lanes) {
      this.#underWay += 1;
      void this.#run(this.#take());
    }
  }

  #take(): Waiting<Item, Result>[] {
    const { size, weigh } = this.#limits;
    let count = 0;
    for (let weight = 0; count < this.#waiting.length; count += 1) {
      const next = this.#waiting[count];
      if (next !== undefined) weight += weigh(next.item);
      if (weight > size && count > 0) break;
    }
    return this.#waiting.splice(0, count);
  }

  async #run(batch: Waiting<Item, Result>[]): Promise<void> {
    const later = await this.#settle(batch);
    this.#underWay -= 1;
    if (later.length > 0) {
      this.#waiting.unshift(...later);
      setTimeout(() => this.#gather(), notYetMilliseconds);
    } else this.#gather();
    if (!this.idle) return;
    this.#idle.resolve();
    this.#idle = Promise.withResolvers();
  }

  /** Returns the items that cannot be served yet. Never rejects. */
  async #settle(batch: Waiting<Item, Result>[]): Promise<Waiting<Item, Result>[]> {
    let outcomes: readonly Outcome<Result>[];
    try {
      outcomes = await this.#carryOut(batch.map(({ item }) => item));
    } catch (error) {
      const away = error instanceof LonghaulError && error.code === 'UNAVAILABLE';
      if (away || batch.length === 1) {
        for (const { reject } of batch) reject(error);
        return [];
      }
      const later: Waiting<Item, Result>[] = [];
      for (const waiting of batch) later.push(...(await this.#settle([waiting])));
      return later;
    }
    return batch.filter(({ resolve, reject }, index) => {
      const outcome = outcomes[index];
      if (outcome === notYet) return true;
      if (outcome instanceof Failed) reject(outcome.error);
      else if (outcome === undefined) reject(new Error('a batch returned fewer outcomes than it had items'));
      else resolve(outcome);
      return false;
    });
  }
}
