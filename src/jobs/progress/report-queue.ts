import { Batches, type Outcome } from '../../concurrency/batches.ts';
import { leaseLost } from '../claim/held.ts';
import type { JobsContext } from '../model/context.ts';
import { type ProgressPatch, writeReports } from './report-batch.ts';

/** A merged report and its index in the statement. Reports of one attempt share a place. */
interface Place {
  patch: ProgressPatch;
  index: number;
}

/** The most weight of one statement: so many reports, or about two megabytes of checkpoints. */
const batchWeight = 500;

/**
 * Writes progress. A single report is written at once; reports that arrive while a statement is in flight share the
 * next one. Progress is state, not a log, so the reports of one attempt within a batch are merged.
 */
export class ReportQueue {
  readonly #context: JobsContext;
  /**
   * Resolves with null if the lease is lost. Runs one statement at a time: with two, reports of one attempt could
   * overtake each other.
   */
  readonly #batches: Batches<ProgressPatch, Date | null>;

  constructor(context: JobsContext) {
    this.#context = context;
    this.#batches = new Batches((patches) => this.#write(patches), { lanes: 1, size: batchWeight, weigh });
  }

  /** Resolves with the new expiry of the lease once the report is committed. Throws LeaseLostError. */
  async add(patch: ProgressPatch): Promise<Date> {
    const expiresAt = await this.#batches.add(patch);
    if (expiresAt === null) throw await leaseLost(this.#context, patch.scope, patch);
    return expiresAt;
  }

  /** Resolves when no report is waiting. */
  drain(): Promise<void> {
    return this.#batches.drain();
  }

  async #write(patches: readonly ProgressPatch[]): Promise<Outcome<Date | null>[]> {
    const places = new Map<string, Place>();
    const indexes = patches.map((patch) => {
      // Callers with different keys may send the same token. A narrower scope must not gain the rights of a wider one.
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

/** Merges two reports of one attempt: fields of the newer one win, and the peak is the highest percentage of both. */
function merged(older: ProgressPatch, newer: ProgressPatch): ProgressPatch {
  const percentages = [older.peak, older.percentage, newer.peak, newer.percentage].filter((each) => each != null);
  return { ...older, ...newer, ...(percentages.length === 0 ? {} : { peak: Math.max(...percentages) }) };
}

function weigh({ checkpoint }: ProgressPatch): number {
  return 1 + Math.floor((checkpoint?.length ?? 0) / 4_096);
}
