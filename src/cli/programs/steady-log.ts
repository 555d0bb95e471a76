import type { Run } from '@longhaul/client/worker';

/** Lines that a program may write in a second: what it floods must not fill the worker's memory while the server is away. */
const linesPerSecond = 1_000;

/** A job's log that leaves out what comes too fast, and says how much that was. */
export class SteadyLog {
  readonly #log: Run<unknown>['log'];
  #second = 0;
  #lines = 0;
  #leftOut = 0;
  /** The last line that was written: of a program that fails, often why. */
  last = '';

  constructor(log: Run<unknown>['log']) {
    this.#log = log;
  }

  write(level: keyof Run<unknown>['log'], message: string): void {
    if (message === '') return;
    this.last = message;
    const second = Math.floor(performance.now() / 1_000);
    if (second !== this.#second) {
      this.tellLeftOut();
      this.#second = second;
      this.#lines = 0;
    }
    this.#lines += 1;
    if (this.#lines > linesPerSecond) this.#leftOut += 1;
    else this.#log[level](message);
  }

  tellLeftOut(): void {
    if (this.#leftOut > 0) this.#log.warn(`${this.#leftOut} lines were left out: a second takes ${linesPerSecond}.`);
    this.#leftOut = 0;
  }
}
