const over: IteratorReturnResult<void> = { value: undefined, done: true };

/**
 * Items for one reader, in the order in which they were put in. Written by hand because a generator that waits handles
 * `return` only after its wait, which may never end.
 */
export class Mailbox<Item> implements AsyncIterableIterator<Item, void, void> {
  readonly #most: number;
  readonly #onEnd: () => void;
  #waiting: Item[] = [];
  #wake: ((result: IteratorResult<Item, void>) => void) | null = null;
  #ended = false;

  /**
   * @param most how many items may wait; beyond that the oldest are dropped
   * @param onEnd called once, by `end` or when the reader leaves
   */
  constructor(most: number, onEnd: () => void) {
    this.#most = most;
    this.#onEnd = onEnd;
  }

  put(item: Item): void {
    if (this.#ended) return;
    this.#waiting.push(item);
    if (this.#waiting.length > this.#most) this.#waiting.shift();
    this.#answer();
  }

  /** What was put in can still be taken. May be called twice. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#onEnd();
    this.#answer();
  }

  /** The reader must await each call before the next. */
  next(): Promise<IteratorResult<Item, void>> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      this.#answer();
    });
  }

  async return(): Promise<IteratorReturnResult<void>> {
    this.#waiting = [];
    this.end();
    return over;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #answer(): void {
    const wake = this.#wake;
    if (wake === null || (this.#waiting.length === 0 && !this.#ended)) return;
    this.#wake = null;
    const [item] = this.#waiting.splice(0, 1);
    wake(item === undefined ? over : { value: item, done: false });
  }
}
