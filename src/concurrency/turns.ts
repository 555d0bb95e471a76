/** Says who is next. */
export interface TurnQueue<Owner> {
  readonly isEmpty: boolean;
  add(owner: Owner, run: () => void): void;
  take(): (() => void) | undefined;
}

/**
 * Runs one piece of slow synchronous work per turn of the event loop, so that a thousand that come at one moment delay
 * everything else by one piece at a time.
 */
export class Turns<Owner> {
  readonly #waiting: TurnQueue<Owner>;
  #scheduled = false;

  constructor(waiting: TurnQueue<Owner>) {
    this.#waiting = waiting;
  }

  /** Resolves when it is the caller's turn. */
  next(owner: Owner): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.add(owner, resolve);
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#waiting.take()?.();
      if (!this.#waiting.isEmpty) this.#schedule();
    });
  }
}
