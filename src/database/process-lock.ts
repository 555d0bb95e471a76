import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { Loop } from '../concurrency/loop.ts';
import type { Log } from '../log.ts';
import { farewellMilliseconds } from './connection/pool.ts';
import type { Route } from './connection/route.ts';
import type { Queryable } from './queryable.ts';

/** First key of Longhaul's advisory locks, in the two-integer key space. */
const SPACE = 0x10_4a;
const PROCESSES = 2;
/** Not 1: for that one version 0.1.0 waits inside a statement, and an index made concurrently would wait for its end. */
const MIGRATION = 3;

/** How many processes of the installation are connected to its database. */
export async function countProcesses(database: Queryable): Promise<number> {
  const [row] = await database.query<{ processes: number }>(
    `SELECT count(*)::int AS processes FROM pg_locks
     WHERE locktype = 'advisory' AND granted AND classid = ${SPACE} AND objid = ${PROCESSES}
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
  );
  return row?.processes ?? 0;
}

const waitMilliseconds = 500;

/** How often the connection is asked whether it still answers, and how long it may take to. */
const lookMilliseconds = 2_500;
const answerMilliseconds = 2_500;

/**
 * `sole` without Redis: the bus is in memory, so no other process may use the same database. `shared` with Redis: any
 * number of such processes may.
 */
export type Sharing = 'sole' | 'shared';

/**
 * Holds an advisory lock, on its own connection, that registers this process on the database. Postgres releases the lock
 * with the connection, so a killed process leaves nothing behind. If the connection is lost, or went silent, the lock is
 * taken again on a new one. If another process has excluded this one meanwhile, `onEvicted` is called: two in-memory buses on one database
 * would lose wake-ups.
 */
export class ProcessLock {
  readonly #route: Route;
  readonly #sharing: Sharing;
  readonly #log: Log;
  readonly #onEvicted: (reason: Error) => void;
  readonly #stopping = new AbortController();
  #client: pg.Client | null = null;
  /** The server's process that held the lock for this one last. */
  #backend: Backend | null = null;
  /** Finds out whether the connection still answers: nothing else is asked on it. */
  readonly loop: Loop;

  constructor(options: { route: Route; sharing: Sharing; log: Log; onEvicted: (reason: Error) => void }) {
    this.#route = options.route;
    this.#sharing = options.sharing;
    this.#log = options.log;
    this.#onEvicted = options.onEvicted;
    this.loop = new Loop({
      name: 'holding the process lock',
      work: () => this.#look(),
      pollMilliseconds: lookMilliseconds,
      log: options.log,
    });
  }

  /**
   * Runs `work`, a migration, while no other process runs one. It gets the connection that holds the lock, so that it cannot
   * go on without the lock. Call it before `hold`.
   */
  static async exclusively<T>(route: Route, log: Log, work: (session: Queryable) => Promise<T>): Promise<T> {
    const client = await connect(route);
    const session: Queryable = {
      query: async <Row>(sql: string, parameters: readonly unknown[] = []) => {
        const { rows } = await client.query<Row & pg.QueryResultRow>(sql, [...parameters]);
        return rows;
      },
    };
    try {
      for (let tries = 0; !(await tryLock(session)); tries += 1) {
        if (tries === 0) log.info({}, 'another process migrates the database; waiting for it');
        await delay(waitMilliseconds);
      }
      return await work(session);
    } finally {
      await client.end();
    }
  }

  /** Takes the lock. Throws an Error with a readable reason if another process excludes this one. */
  async hold(): Promise<void> {
    const client = await connect(this.#route);
    const lock = this.#sharing === 'sole' ? 'pg_try_advisory_lock' : 'pg_try_advisory_lock_shared';
    const { rows } = await client.query<Backend & { held: boolean }>(
      `SELECT ${lock}($1, $2) AS held, pid, backend_start::text AS since FROM pg_stat_activity WHERE pid = pg_backend_pid()`,
      [SPACE, PROCESSES],
    );
    const [answer] = rows;
    if (answer?.held !== true) {
      const { rowCount } = await client.query(endHolder, [SPACE, PROCESSES, this.#backend?.pid ?? null, this.#backend?.since ?? null]);
      await client.end();
      throw new Error(rowCount === 0 ? refusal[this.#sharing] : 'the former connection still holds the process lock, and is being ended');
    }
    this.#backend = answer;
    this.#client = client;
    client.once('end', () => {
      if (this.#client === client) this.#client = null;
      if (!this.#stopping.signal.aborted) void this.#holdAgain();
    });
    this.loop.start();
  }

  async release(): Promise<void> {
    this.#stopping.abort();
    const client = this.#client;
    this.#client = null;
    await Promise.race([client?.end(), delay(farewellMilliseconds, undefined, { ref: false })]);
    await this.loop.stop();
  }

  async #look(): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    const client = this.#client;
    if (client === null) throw new Error('the process lock is not held');
    const answered = new AbortController();
    const tooLate = delay(answerMilliseconds, false, { signal: answered.signal }).catch(() => true);
    const isAlive = await Promise.race([client.query('SELECT 1').then(() => true, () => true), tooLate]);
    answered.abort();
    if (isAlive) return;
    // Cuts the connection, because a statement is under way: what listens to its end takes the lock again.
    client.end().catch(() => undefined);
    throw new Error('the connection that holds the process lock went silent');
  }

  async #holdAgain(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await this.hold();
        return;
      } catch (error) {
        if (error instanceof Error && error.message === refusal[this.#sharing]) {
          this.#onEvicted(error);
          return;
        }
        this.#log.warn({ err: error }, 'cannot take the process lock again after its connection was lost; trying again');
        await delay(1_000, undefined, { signal }).catch(() => undefined);
      }
    }
  }
}

/** A process of the server. Its number alone may come again. */
interface Backend {
  pid: number;
  since: string;
}

/** The server does not know yet that the other end of a silent connection is gone. */
const endHolder = `
  SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  JOIN pg_locks USING (pid) JOIN pg_database ON pg_database.oid = pg_locks.database AND pg_database.datname = current_database()
  WHERE locktype = 'advisory' AND classid = $1 AND objid = $2 AND pid = $3 AND backend_start = $4::timestamptz`;

const refusal: Record<Sharing, string> = {
  sole:
    'Another Longhaul process uses this DATABASE_URL, and without REDIS_URL there can be only one. ' +
    'Stop the other one, or set REDIS_URL for all of them.',
  shared:
    'A Longhaul process without REDIS_URL uses this DATABASE_URL and cannot share it. ' +
    'Stop it, or start it again with the same REDIS_URL as this one.',
};

/** Never waits inside a statement: an index that is made concurrently waits for every statement that began before it. */
async function tryLock(session: Queryable): Promise<boolean> {
  const [answer] = await session.query<{ held: boolean }>('SELECT pg_try_advisory_lock($1, $2) AS held', [SPACE, MIGRATION]);
  return answer?.held === true;
}

/** No statement timeout: a step of a migration may take hours. */
function connect(route: Route): Promise<pg.Client> {
  return route.connect({ statementMilliseconds: 0, planning: 'auto' }, 'longhaul process lock');
}
