/** Results on their way from a socket to a reader who may be slow. */
export class Channel<T> {
  readonly #waiting: T[] = [];
  readonly #most: number;
  #wake: (() => void) | null = null;
  #end: { error: unknown } | 'ended' | null = null;

  /** @param most how many may wait; of one, the newest */
  constructor(most: number) {
    this.#most = most;
  }

  /** False where the reader is too slow. */
  push(value: T): boolean {
    if (this.#end !== null) return true;
    if (this.#most === 1) this.#waiting.length = 0;
    else if (this.#waiting.length >= this.#most) return false;
    this.#waiting.push(value);
    this.#wake?.();
    return true;
  }

  /** After what waits. */
  end(): void {
    this.#end ??= 'ended';
    this.#wake?.();
  }

  /** After what waits. */
  fail(error: unknown): void {
    this.#end ??= { error };
    this.#wake?.();
  }

  async *read(): AsyncGenerator<T, void> {
    for (;;) {
      const value = this.#waiting.shift();
      if (value !== undefined) {
        yield value;
        continue;
      }
      if (this.#end === 'ended') return;
      if (this.#end !== null) throw this.#end.error;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}
