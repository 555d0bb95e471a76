import { Batches, type Outcome } from '../../concurrency/batches.ts';
import { leaseLost } from '../claim/held.ts';
import type { JobsContext } from '../model/context.ts';
import { type ProgressPatch, writeReports } from './report-batch.ts';

/** A report's place among those of its batch that are written: reports of one attempt share one. */
interface Place {
  patch: ProgressPatch;
  index: number;
}

/**
 * Writes progress. A report that comes alone is written at once; those that come while a statement is under way share
 * the next one. Progress is state, not a log, so the reports of one attempt among them become one.
 */
export class ReportQueue {
  readonly #context: JobsContext;
  /** Null where the lease is lost. One statement at a time: in two, reports of one attempt would overtake each other. */
  readonly #batches: Batches<ProgressPatch, Date | null>;

  constructor(context: JobsContext) {
    this.#context = context;
    this.#batches = new Batches((patches) => this.#write(patches), { lanes: 1, size: 500 });
  }

  /** Resolves with the renewed lease's end once the report is committed. Throws LeaseLostError. */
  async add(patch: ProgressPatch): Promise<Date> {
    const expiresAt = await this.#batches.add(patch);
    if (expiresAt === null) throw await leaseLost(this.#context, patch.scope, patch);
    return expiresAt;
  }

  /** Resolves when no report waits any more. */
  drain(): Promise<void> {
    return this.#batches.drain();
  }

  async #write(patches: readonly ProgressPatch[]): Promise<Outcome<Date | null>[]> {
    const places = new Map<string, Place>();
    const indexes = patches.map((patch) => {
      // Workers with different keys may hold the same token, and the narrower scope must not borrow the wider one's right.
      const key = `${patch.token} ${patch.scope ?? ''}`;
      const earlier = places.get(key);
      const place = { patch: earlier ? merged(earlier.patch, patch) : patch, index: earlier?.index ?? places.size };
      places.set(key, place);
      return place.index;
    });
    const written = await writeReports(this.#context, [...places.values()].map(({ patch }) => patch));
    return indexes.map((index) => written[index] ?? null);
  }
}

/** Two reports of one attempt as one: what the newer one says, and the highest percentage of both. */
function merged(older: ProgressPatch, newer: ProgressPatch): ProgressPatch {
  const percentages = [older.peak, older.percentage, newer.peak, newer.percentage].filter((each) => each != null);
  return { ...older, ...newer, ...(percentages.length === 0 ? {} : { peak: Math.max(...percentages) }) };
}
