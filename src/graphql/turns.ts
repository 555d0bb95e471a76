/**
 * Runs one piece of slow synchronous work per turn of the event loop, so that a burst delays other requests by one piece at
 * most.
 */
export class Turns {
  readonly #first: (() => void)[] = [];
  readonly #later: (() => void)[] = [];
  #scheduled = false;

  /** @param order `first` runs before everything that waits with `later` */
  next(order: 'first' | 'later'): Promise<void> {
    return new Promise((resolve) => {
      (order === 'first' ? this.#first : this.#later).push(resolve);
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      (this.#first.shift() ?? this.#later.shift())?.();
      if (this.#first.length + this.#later.length > 0) this.#schedule();
    });
  }
}
