/** Limits how many of something, such as sockets or subscriptions, each key may have open on this process. */
export class Quota {
  readonly #limit: number;
  readonly #open = new Map<string, number>();

  /** @param limit for each key */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Takes one until `giveBack`; false if the key has reached its limit. */
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

  /** The number open for all keys together. */
  get total(): number {
    let total = 0;
    for (const open of this.#open.values()) total += open;
    return total;
  }
}
