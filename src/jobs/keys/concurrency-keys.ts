import { Loop, type Run, type Went } from '../../concurrency/loop.ts';
import type { Database } from '../../database/database.ts';
import type { Log } from '../../log.ts';
import type { Announcer } from '../feed/announcer.ts';
import { keysInOneSettling, settleKeys } from './settle.ts';
import { noteStrays } from './strays.ts';

/** In case the process that changed a key was killed before it settled it. */
const pollMilliseconds = 1_000;

/** Every how many polls keys are looked for that nobody has marked. */
const pollsPerSearch = 15;

/**
 * Settles the concurrency keys whose jobs were created, claimed, ended or became due, right after each such change: see
 * settle.ts. Changes that come together share a transaction. Every process does it, each key by one of them.
 */
export class ConcurrencyKeys {
  readonly loop: Loop;
  readonly #database: Database;
  readonly #announcer: Announcer;
  #polls = 0;
  /** Of the run that settles what has changed since the last one began. */
  #next: PromiseWithResolvers<void> | null = null;
  #present: Promise<void> | null = null;

  constructor(database: Database, announcer: Announcer, log: Log) {
    this.#database = database;
    this.#announcer = announcer;
    this.loop = new Loop({ name: 'settling concurrency keys', work: (run) => this.#settle(run), pollMilliseconds, log });
  }

  /** A job has joined its key's line, left it, or given its seat back. Call it after the commit. Does nothing without a key. */
  changed({ concurrencyKey }: { concurrencyKey: string | null }): void {
    if (concurrencyKey === null) return;
    this.#next ??= Promise.withResolvers();
    this.loop.wake();
  }

  /** Resolves when everything that this process has changed so far is settled, or could not be. Null if it is. */
  get settling(): Promise<void> | null {
    return this.#next?.promise ?? this.#present;
  }

  async #settle({ polled }: Run): Promise<Went | void> {
    const run = this.#next;
    this.#next = null;
    this.#present = run?.promise ?? null;
    try {
      if (polled && this.#polls++ % pollsPerSearch === 0) await noteStrays(this.#database);
      const { keys, work } = await settleKeys(this.#database);
      for (const one of work) this.#announcer.workAvailable(one);
      return keys === keysInOneSettling ? 'more' : undefined;
    } finally {
      this.#present = null;
      run?.resolve();
    }
  }
}
