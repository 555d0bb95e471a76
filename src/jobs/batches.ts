import { setImmediate as nextTurn } from 'node:timers/promises';
import { LonghaulError } from '../errors.ts';

interface Waiting<Item, Result> {
  item: Item;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

/**
 * Carries out together what arrives together: the items of a turn of the event loop, and those that come while `lanes`
 * batches are under way. None joins a batch that has begun. Where a batch fails its items are tried one by one, so that
 * one bad item does not fail its neighbours; not where the database is away (UNAVAILABLE).
 */
export class Batches<Item, Result> {
  readonly #carryOut: (items: readonly Item[]) => Promise<readonly Result[]>;
  readonly #lanes: number;
  readonly #size: number;
  readonly #turns: number;
  #waiting: Waiting<Item, Result>[] = [];
  #underWay = 0;

  /**
   * @param carryOut gives one result for each item, in their order
   * @param limits batches under way at once, items in one of them, and turns of the event loop, one where not given, that
   *   an item waits at most for others to come
   */
  constructor(
    carryOut: (items: readonly Item[]) => Promise<readonly Result[]>,
    { lanes, size, turns = 1 }: { lanes: number; size: number; turns?: number },
  ) {
    this.#carryOut = carryOut;
    this.#lanes = lanes;
    this.#size = size;
    this.#turns = turns;
  }

  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (this.#waiting.length === 1) void this.#gather();
    });
  }

  /** Begins when a turn of the event loop has brought nothing more: what many clients send at once comes over several. */
  async #gather(): Promise<void> {
    for (let turn = 0, seen = 0; turn < this.#turns && this.#waiting.length > seen; turn += 1) {
      seen = this.#waiting.length;
      await nextTurn();
    }
    this.#begin();
  }

  #begin(): void {
    while (this.#waiting.length > 0 && this.#underWay < this.#lanes) {
      const batch = this.#waiting.slice(0, this.#size);
      this.#waiting = this.#waiting.slice(this.#size);
      this.#underWay += 1;
      void this.#settle(batch).finally(() => {
        this.#underWay -= 1;
        void this.#gather();
      });
    }
  }

  async #settle(batch: Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await this.#carryOut(batch.map(({ item }) => item));
      for (const [index, { resolve, reject }] of batch.entries()) {
        const result = results[index];
        if (result === undefined) reject(new Error('a batch gave fewer results than it had items'));
        else resolve(result);
      }
    } catch (error) {
      // Where the database is away none of them is to blame, and one by one they would wait for it in turn.
      const away = error instanceof LonghaulError && error.code === 'UNAVAILABLE';
      if (away || batch.length === 1) for (const { reject } of batch) reject(error);
      else for (const waiting of batch) await this.#settle([waiting]);
    }
  }
}
