/** What one key has open on this process: sockets, and subscriptions over all of them and event streams. */
export class Quota {
  readonly #limit: number;
  readonly #open = new Map<string, number>();

  /** @param limit for each key */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** False where the key has its fill; otherwise counted until it is given back. */
  take(apiKeyId: string): boolean {
    const open = this.#open.get(apiKeyId) ?? 0;
    if (open >= this.#limit) return false;
    this.#open.set(apiKeyId, open + 1);
    return true;
  }

  giveBack(apiKeyId: string): void {
    const open = (this.#open.get(apiKeyId) ?? 0) - 1;
    if (open > 0) this.#open.set(apiKeyId, open);
    else this.#open.delete(apiKeyId);
  }

  /** Over all keys. */
  get total(): number {
    let total = 0;
    for (const open of this.#open.values()) total += open;
    return total;
  }
}
