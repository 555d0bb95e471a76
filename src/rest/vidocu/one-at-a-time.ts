/** Runs the work on one key one after the other in this process, so that each sees what the one before it made. */
export class OneAtATime {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Resolves and rejects as the work does. */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key);
    const turn = before === undefined ? work() : before.then(work, work);
    this.#last.set(key, turn);
    try {
      return await turn;
    } finally {
      if (this.#last.get(key) === turn) this.#last.delete(key);
    }
  }
}
