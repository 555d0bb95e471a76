/** A queue in which owners take turns: one with a thousand items delays another's by one or two. Holds each item once. */
export class FairQueue<Item> {
  /** In the order of turns. No set is empty. */
  readonly #items = new Map<string, Set<Item>>();

  get isEmpty(): boolean {
    return this.#items.size === 0;
  }

  /** How many items of this owner wait. */
  sizeOf(owner: string): number {
    return this.#items.get(owner)?.size ?? 0;
  }

  add(owner: string, item: Item): void {
    const own = this.#items.get(owner);
    if (own === undefined) this.#items.set(owner, new Set([item]));
    else own.add(item);
  }

  delete(owner: string, item: Item): void {
    const own = this.#items.get(owner);
    if (own?.delete(item) === true && own.size === 0) this.#items.delete(owner);
  }

  /**
   * Takes the oldest item of the owner whose turn it is; undefined if there is none.
   *
   * @param mayNow owners who may not keep their turn
   */
  take(mayNow: (owner: string) => boolean = () => true): Item | undefined {
    for (const [owner, own] of this.#items) {
      if (!mayNow(owner)) continue;
      this.#items.delete(owner);
      const [item] = own;
      if (item !== undefined) own.delete(item);
      if (own.size > 0) this.#items.set(owner, own);
      return item;
    }
    return undefined;
  }
}
