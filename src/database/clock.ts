import { Loop } from '../concurrency/loop.ts';
import type { Log } from '../log.ts';
import type { Queryable } from './queryable.ts';

const pollMilliseconds = 10_000;

/**
 * The database's clock, for what is judged outside SQL and has to be judged alike by every process. Between two looks at it,
 * time passes by this machine's monotonic clock, so that setting the clock of this machine changes nothing.
 */
export class DatabaseClock {
  readonly #database: Queryable;
  readonly loop: Loop;
  /** What the database's clock said, in milliseconds since 1970, when the monotonic one was at 0. */
  #origin: number | null = null;

  constructor(database: Queryable, log: Log) {
    this.#database = database;
    this.loop = new Loop({ name: "reading the database's clock", work: () => this.#read(), pollMilliseconds, log });
  }

  /** Resolves once the time is known. */
  async start(): Promise<void> {
    await this.#read();
    this.loop.start();
  }

  /** May be called twice. */
  stop(): Promise<void> {
    return this.loop.stop();
  }

  now(): Date {
    if (this.#origin === null) throw new Error("the database's clock was not read yet");
    return new Date(this.#origin + performance.now());
  }

  async #read(): Promise<void> {
    const asked = performance.now();
    const [row] = await this.#database.query<{ at: number }>('SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS at', []);
    if (row === undefined) throw new Error('the database returned no time');
    this.#origin = row.at - (asked + performance.now()) / 2;
  }
}
