import { setTimeout as delay } from 'node:timers/promises';
import { LeaseLostError } from '../../errors.ts';
import { Batches } from '../batches.ts';
import { findPastAttempt } from '../claim/held.ts';
import type { JobsContext } from '../model/context.ts';
import { type Outcome, type ProgressPatch, writeReports } from './report-batch.ts';

/** Reports in one statement. */
const batchSize = 500;

/** How long a report waits for whoever holds its row. */
const heldMilliseconds = 25;

/** A report that no statement has taken yet. Later reports of its attempt become part of it. */
interface Waiting {
  patch: ProgressPatch;
  /** When the lease ends, once it is written. */
  written: Promise<Date>;
}

/**
 * Writes progress. A report that comes alone is written at once. Those that come while a statement is under way go
 * together with the next one, and those of one attempt become one: progress is state, not a log.
 */
export class ReportQueue {
  readonly #context: JobsContext;
  /** One statement at a time: reports of one attempt would overtake each other in two. */
  readonly #batches: Batches<[key: string, waiting: Waiting], Outcome>;
  readonly #waiting = new Map<string, Waiting>();
  readonly #unsettled = new Set<Promise<unknown>>();

  constructor(context: JobsContext) {
    this.#context = context;
    this.#batches = new Batches((entries) => this.#write(entries), { lanes: 1, size: batchSize });
  }

  /** Resolves with the renewed lease's end once the report is committed. Throws LeaseLostError. */
  add(patch: ProgressPatch): Promise<Date> {
    // Workers of two keys may hold one token; the narrower scope must not borrow the wider one's right.
    const key = `${patch.token} ${patch.scope ?? ''}`;
    const earlier = this.#waiting.get(key);
    if (earlier === undefined) return this.#wait(key, patch, (waiting) => this.#report(key, waiting));
    earlier.patch = merged(earlier.patch, patch);
    return earlier.written;
  }

  /** Waits until everything is written. */
  async drain(): Promise<void> {
    while (this.#unsettled.size > 0) await Promise.allSettled(this.#unsettled);
  }

  #wait(key: string, patch: ProgressPatch, write: (waiting: Waiting) => Promise<Date>): Promise<Date> {
    const { promise, resolve } = Promise.withResolvers<Date>();
    const waiting = { patch, written: promise };
    this.#waiting.set(key, waiting);
    resolve(write(waiting));
    this.#unsettled.add(promise);
    const settled = () => void this.#unsettled.delete(promise);
    promise.then(settled, settled);
    return promise;
  }

  #write(entries: readonly [key: string, waiting: Waiting][]): Promise<Outcome[]> {
    for (const [key, waiting] of entries) if (this.#waiting.get(key) === waiting) this.#waiting.delete(key);
    return writeReports(
      this.#context,
      entries.map(([, { patch }]) => patch),
    );
  }

  async #report(key: string, waiting: Waiting): Promise<Date> {
    const outcome = await this.#batches.add([key, waiting]);
    switch (outcome.kind) {
      case 'written':
        return outcome.expiresAt;
      case 'lost': {
        const past = await findPastAttempt(this.#context, waiting.patch.scope, waiting.patch);
        throw new LeaseLostError(past?.job ?? null);
      }
      case 'skipped':
        return this.#tryAgain(key, waiting.patch);
    }
  }

  /** Waits again, at once and not after a pause: what comes meanwhile is newer and has to be put on top of it. */
  #tryAgain(key: string, patch: ProgressPatch): Promise<Date> {
    const newer = this.#waiting.get(key);
    if (newer !== undefined) {
      newer.patch = merged(patch, newer.patch);
      return newer.written;
    }
    return this.#wait(key, patch, (waiting) => delay(heldMilliseconds).then(() => this.#report(key, waiting)));
  }
}

/** Two reports of one attempt as one: the newer one's word, and the highest percentage of both. */
function merged(older: ProgressPatch, newer: ProgressPatch): ProgressPatch {
  const percentages = [older.peak, older.percentage, newer.peak, newer.percentage].filter((each) => each != null);
  return { ...older, ...newer, ...(percentages.length === 0 ? {} : { peak: Math.max(...percentages) }) };
}
