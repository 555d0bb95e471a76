import type { ShownJob } from './display.ts';

/** How fast a job's percentage grows, by the server's clock. */
export class Pace {
  /** Where the growth is counted from. */
  #from: { at: number; percentage: number } | null = null;
  #last = 0;
  #left: number | null = null;
  #toldAt = 0;

  tell({ status, progress, startedAt, updatedAt }: ShownJob): void {
    const percentage = progress?.percentage ?? null;
    if (status !== 'RUNNING' || percentage === null) {
      this.#from = null;
      this.#left = null;
      return;
    }
    const at = Date.parse(updatedAt);
    // A percentage that goes back is another attempt's.
    if (this.#from === null) this.#from = this.#last === 0 && startedAt !== null ? { at: Date.parse(startedAt), percentage: 0 } : { at, percentage };
    else if (percentage < this.#last) this.#from = { at, percentage };
    this.#last = percentage;
    const grown = percentage - this.#from.percentage;
    this.#left = grown > 0 && at - this.#from.at >= 1_000 ? ((at - this.#from.at) * (100 - percentage)) / grown : null;
    this.#toldAt = performance.now();
  }

  /** Milliseconds to the end; null where it cannot be told. */
  get left(): number | null {
    return this.#left === null ? null : Math.max(0, this.#left - (performance.now() - this.#toldAt));
  }
}
