import { setTimeout as delay } from 'node:timers/promises';
import { LeaseLostError } from '../../errors.ts';
import type { JobsContext } from '../model/context.ts';
import { findPastAttempt } from '../claim/held.ts';
import { type ProgressPatch, writeReports } from './report-batch.ts';

/** How long the first report of a batch waits for others. */
const gatherMilliseconds = 25;

/** Reports in one statement. */
const batchSize = 500;

interface Waiting {
  patch: ProgressPatch;
  /** Everyone whose report went into this one. */
  settle: { resolve: (expiresAt: Date) => void; reject: (error: unknown) => void }[];
}

/**
 * Coalesces progress: progress is state, not a log, so reports of one attempt that meet here become one, and those of
 * many jobs one statement. One batch is under way at a time.
 */
export class ReportQueue {
  readonly #context: JobsContext;
  #waiting = new Map<string, Waiting>();
  #running: Promise<void> | null = null;

  constructor(context: JobsContext) {
    this.#context = context;
  }

  /** Resolves with the renewed lease's end once the report is committed. Throws LeaseLostError. */
  add(patch: ProgressPatch): Promise<Date> {
    return new Promise((resolve, reject) => {
      const settle = { resolve, reject };
      // Workers of two keys may hold one token; the narrower scope must not borrow the wider one's right.
      const key = `${patch.token} ${patch.scope ?? ''}`;
      const earlier = this.#waiting.get(key);
      if (earlier === undefined) this.#waiting.set(key, { patch, settle: [settle] });
      else {
        earlier.patch = merged(earlier.patch, patch);
        earlier.settle.push(settle);
      }
      this.#running ??= this.#run();
    });
  }

  /** Waits until nothing is under way. */
  async drain(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    await delay(gatherMilliseconds);
    while (this.#waiting.size > 0) {
      const batch = [...this.#waiting].slice(0, batchSize);
      for (const [key] of batch) this.#waiting.delete(key);
      const skipped = await this.#write(batch);
      if (skipped) await delay(gatherMilliseconds);
    }
    this.#running = null;
  }

  async #write(batch: [string, Waiting][]): Promise<boolean> {
    let skipped = false;
    try {
      const outcomes = await writeReports(
        this.#context,
        batch.map(([, { patch }]) => patch),
      );
      for (const [index, [key, waiting]] of batch.entries()) {
        const outcome = outcomes[index] ?? { kind: 'lost' };
        if (outcome.kind === 'written') {
          for (const { resolve } of waiting.settle) resolve(outcome.expiresAt);
        } else if (outcome.kind === 'lost') {
          void this.#refuse(waiting);
        } else {
          skipped = true;
          this.#putBack(key, waiting);
        }
      }
    } catch (error) {
      for (const [, waiting] of batch) for (const { reject } of waiting.settle) reject(error);
    }
    return skipped;
  }

  /** What came in meanwhile is newer. */
  #putBack(key: string, older: Waiting): void {
    const newer = this.#waiting.get(key);
    if (newer === undefined) this.#waiting.set(key, older);
    else {
      newer.patch = merged(older.patch, newer.patch);
      newer.settle.push(...older.settle);
    }
  }

  async #refuse({ patch, settle }: Waiting): Promise<void> {
    let error: unknown;
    try {
      const past = await findPastAttempt(this.#context, patch.scope, patch);
      error = new LeaseLostError(past?.job ?? null);
    } catch (failure) {
      error = failure;
    }
    for (const { reject } of settle) reject(error);
  }
}

/** Two reports of one attempt as one: the newer one's word, and the highest percentage of both. */
function merged(older: ProgressPatch, newer: ProgressPatch): ProgressPatch {
  const percentages = [older.peak, older.percentage, newer.peak, newer.percentage].filter((each) => each != null);
  return { ...older, ...newer, ...(percentages.length === 0 ? {} : { peak: Math.max(...percentages) }) };
}
