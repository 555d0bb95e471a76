/** Clean-up functions to run at the end, last added first. */
export class Stops {
  readonly #stops: (() => Promise<unknown>)[] = [];
  #running: Promise<void> | null = null;

  push(stop: () => Promise<unknown>): void {
    this.#stops.push(stop);
  }

  /**
   * Runs all of them even if some fail, and throws the first error at the end. A second call waits for the first: an
   * interrupted run stops twice, through the signal and through the error that the signal causes.
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
