import { Batches } from '../../concurrency/batches.ts';
import { Loop } from '../../concurrency/loop.ts';
import type { Database } from '../../database/database.ts';
import type { Log } from '../../log.ts';
import { type AuditNote, record } from './record.ts';

/** How long refusals are gathered. */
const gatherMilliseconds = 60_000;

/** How many refusals are written one by one in that time: of one kind, and of all. */
const mostOfOneKind = 5;
const mostInAll = 50;

/** How many kinds are told apart in that time. */
const mostKinds = 100;

const mostInStatement = 500;

/** Refusals of one kind that were not written yet. */
interface Gathered {
  note: AuditNote;
  written: number;
  counted: number;
}

/** What this process writes into the audit apart from transactions. */
export class AuditTrail {
  readonly #database: Database;
  readonly #log: Log;
  /** Entries that are written at the same time share a statement. */
  readonly #batches: Batches<AuditNote, true>;
  readonly loop: Loop;
  #kinds = new Map<string, Gathered>();
  #written = 0;
  #since = new Date();

  constructor(database: Database, log: Log) {
    this.#database = database;
    this.#log = log;
    this.#batches = new Batches(
      async (notes) => {
        await record(this.#database.hot, ...notes);
        return notes.map(() => true);
      },
      { lanes: 2, size: mostInStatement },
    );
    this.loop = new Loop({ name: 'writing down what was refused', work: () => this.#writeCounted(), pollMilliseconds: gatherMilliseconds, log });
  }

  start(): void {
    this.loop.start();
  }

  /** Writes what is left. May be called twice. */
  async stop(): Promise<void> {
    await this.loop.settle();
    await this.loop.stop();
  }

  /** Writes an entry, of what leaves no other trace in the database. Resolves when it is there. */
  async write(note: AuditNote): Promise<void> {
    await this.#batches.add(note);
  }

  /**
   * Notes a refusal. Nobody waits for it, and a flood cannot fill the table: in each minute the first few of a kind have an
   * entry each, and the others one together, whose details have their `count`.
   */
  refuse(note: AuditNote): void {
    const kind = this.#kindOf(note);
    if (kind.written >= mostOfOneKind || this.#written >= mostInAll) {
      kind.counted += 1;
      return;
    }
    kind.written += 1;
    this.#written += 1;
    this.write(note).catch((error: unknown) => this.#log.warn({ err: error }, 'could not write a refusal into the audit'));
  }

  #kindOf(note: AuditNote): Gathered {
    const name = JSON.stringify([note.workspaceId, note.action, note.outcome, note.by.apiKeyId, note.details ?? null]);
    const known = this.#kinds.get(name);
    if (known !== undefined) return known;
    const isRare = this.#kinds.size >= mostKinds;
    const shared = { ...note, workspaceId: null, by: { apiKeyId: null, address: null }, details: {} };
    const kind = isRare ? (this.#kinds.get(note.action) ?? { note: shared, written: mostOfOneKind, counted: 0 }) : { note, written: 0, counted: 0 };
    this.#kinds.set(isRare ? note.action : name, kind);
    return kind;
  }

  async #writeCounted(): Promise<void> {
    const counted = [...this.#kinds.values()].filter((kind) => kind.counted > 0);
    const from = this.#since.toISOString();
    this.#kinds = new Map();
    this.#written = 0;
    this.#since = new Date();
    await this.#batches.drain();
    if (counted.length === 0) return;
    const notes = counted.map(({ note, counted: count }) => {
      const by = { apiKeyId: note.by.apiKeyId, address: null };
      return { ...note, by, target: null, details: { ...note.details, count, from } };
    });
    await record(this.#database.hot, ...notes);
  }
}
