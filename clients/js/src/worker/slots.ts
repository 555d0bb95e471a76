/** How many jobs run, of all types and of each. */
export class Slots {
  readonly #most: number;
  readonly #perType: ReadonlyMap<string, number>;
  readonly #types: readonly string[];
  readonly #running = new Map<string, number>();

  constructor(types: readonly string[], most: number, perType: Readonly<Record<string, number>>) {
    this.#types = types;
    this.#most = most;
    this.#perType = new Map(Object.entries(perType));
  }

  get running(): number {
    return [...this.#running.values()].reduce((sum, count) => sum + count, 0);
  }

  /** What may be claimed now: never more than any of the types has room for, as a claim may bring that one alone. */
  get free(): { types: string[]; limit: number; all: boolean } {
    const room = this.#most - this.running;
    const types = this.#types.filter((type) => this.#left(type) > 0);
    return { types, limit: Math.min(100, room, ...types.map((type) => this.#left(type))), all: types.length === this.#types.length };
  }

  take(type: string): void {
    this.#running.set(type, (this.#running.get(type) ?? 0) + 1);
  }

  give(type: string): void {
    this.#running.set(type, (this.#running.get(type) ?? 1) - 1);
  }

  #left(type: string): number {
    return (this.#perType.get(type) ?? Infinity) - (this.#running.get(type) ?? 0);
  }
}
