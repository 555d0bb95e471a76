import { budgetsOf, shareOf, type Viewer } from '../../workspaces/viewer.ts';

/** Limits how many of something, such as sockets or subscriptions, each key and its tokens may have open on this process. */
export class Quota {
  readonly #limit: number;
  readonly #open = new Map<string, number>();
  #total = 0;

  /** @param limit for each key; its tokens have as many again, see `budgetsOf` */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Takes one until `giveBack`; false if a budget of the caller is used up. */
  take(viewer: Viewer): boolean {
    const budgets = budgetsOf(viewer);
    const isFull = budgets.some(({ name, share }) => (this.#open.get(name) ?? 0) >= shareOf(this.#limit, share));
    if (isFull) return false;
    for (const { name } of budgets) this.#open.set(name, (this.#open.get(name) ?? 0) + 1);
    this.#total += 1;
    return true;
  }

  giveBack(viewer: Viewer): void {
    for (const { name } of budgetsOf(viewer)) {
      const open = (this.#open.get(name) ?? 0) - 1;
      if (open > 0) this.#open.set(name, open);
      else this.#open.delete(name);
    }
    this.#total -= 1;
  }

  /** The number open for all keys together. */
  get total(): number {
    return this.#total;
  }
}
