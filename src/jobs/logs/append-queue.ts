import { LRUCache } from 'lru-cache';
import { Batches, notYet, type Outcome } from '../../concurrency/batches.ts';
import { leaseLost } from '../claim/held.ts';
import type { JobsContext } from '../model/context.ts';
import type { ReportQueue } from '../progress/report-queue.ts';
import { type Append, beginLogs, writeLogs, type WrittenLines } from './append-batch.ts';

/** A statement has at most this much: a line weighs 1, and so do this many characters. */
const batchSize = 2_000;
const charactersPerWeight = 500;

/** How many jobs to remember of which it is known that they have lines. */
const mostRemembered = 10_000;

/** Where the lines of a call ended up. */
export interface Appended {
  /** Of the last of them. */
  sequence: number;
  /** The lease's. */
  expiresAt: Date;
}

/** Writes logs. Lines that arrive while others are being written share the next statement; those of one worker stay in order. */
export class AppendQueue {
  readonly #context: JobsContext;
  readonly #reports: ReportQueue;
  readonly #batches: Batches<Append, WrittenLines | null>;
  readonly #begun = new LRUCache<string, true>({ max: mostRemembered });

  /** @param reports renews the leases: a heartbeat is the one way to do that */
  constructor(context: JobsContext, reports: ReportQueue) {
    this.#context = context;
    this.#reports = reports;
    this.#batches = new Batches((appends) => this.#write(appends), {
      lanes: 1,
      size: batchSize,
      weigh: ({ count, lines }) => count + lines.length / charactersPerWeight,
    });
  }

  /** Resolves once the lines are committed. Throws LeaseLostError. */
  async add(append: Append): Promise<Appended> {
    const written = await this.#batches.add(append);
    if (written === null) throw await leaseLost(this.#context, append.scope, append.ref);
    const { sequence, expiresAt, isDue } = written;
    return { sequence, expiresAt: isDue ? await this.#renew(append, expiresAt) : expiresAt };
  }

  /** Resolves when no line is waiting. */
  drain(): Promise<void> {
    return this.#batches.drain();
  }

  /** Never rejects: the lines are written, and a worker that is told otherwise writes them again. Its next call learns it. */
  async #renew({ ref, scope }: Append, expiresAt: Date): Promise<Date> {
    return this.#reports.add({ ...ref, scope }).catch(() => expiresAt);
  }

  async #write(appends: readonly Append[]): Promise<Outcome<WrittenLines | null>[]> {
    const first = appends.filter(({ ref }) => !this.#begun.has(ref.jobId));
    if (first.length > 0) await beginLogs(this.#context, first);
    const written = await writeLogs(this.#context, appends);
    for (const [index, { ref }] of appends.entries()) {
      if (written[index] !== null && written[index] !== notYet) this.#begun.set(ref.jobId, true);
    }
    return written;
  }
}
