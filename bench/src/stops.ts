/** What is to be undone at the end, the last first. */
export class Stops {
  readonly #stops: (() => Promise<unknown>)[] = [];
  #running: Promise<void> | null = null;

  push(stop: () => Promise<unknown>): void {
    this.#stops.push(stop);
  }

  /**
   * Undoes all of it, whatever fails on the way; the first failure is thrown at the end. A second call waits for the
   * first: an interrupted run ends twice, by the signal and by the error that the signal causes.
   */
  run(): Promise<void> {
    this.#running ??= this.#run();
    return this.#running;
  }

  async #run(): Promise<void> {
    const failures: unknown[] = [];
    for (let stop = this.#stops.pop(); stop !== undefined; stop = this.#stops.pop()) {
      await stop().catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }
}
