import { setTimeout as delay } from 'node:timers/promises';
import type { PGlite } from '@electric-sql/pglite';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { CompiledQuery, type Kysely } from 'kysely';
import type { ConnectionPool } from './connection/pool.ts';
import { HotPool } from './hot-pool.ts';
import type { ORM } from './orm.ts';
import type { Queryable } from './queryable.ts';
import { Availability } from './unavailable.ts';

/** How long a database that refused a write is not ready, at least. */
const calmMilliseconds = 2_000;

/** How long it may take to say that it is ready. */
const readyMilliseconds = 1_500;

/** Takes room on the disk, and leaves nothing. */
const writing = `CREATE TEMPORARY TABLE room ON COMMIT DROP AS SELECT generate_series(1, 10000)`;

type Client = Pick<Kysely<unknown>, 'executeQuery'>;

/**
 * All access to Postgres, server or embedded. On a server there are two pools, so that slow reads never delay the statements
 * that keep jobs alive. Embedded, both purposes share the one connection.
 */
export class Database {
  readonly orm: ORM;
  /**
   * For statements that take about a millisecond: transitions, claims, look-ups of keys and jobs, the feed, sweeps. On a
   * server each statement is prepared once per connection with a generic plan, so use only texts that never vary.
   */
  readonly hot: Queryable;
  /** For lists, counts, statistics and administration. A statement that takes more than a few seconds fails as UNAVAILABLE. */
  readonly reads: Queryable;
  /** How many connections `reads` has. */
  readonly readers: number;
  readonly #hotPool: HotPool | null;
  readonly #pglite: PGlite | null;
  readonly #pools: ConnectionPool[];
  readonly #availability = new Availability();
  #closed: Promise<void> | null = null;

  /** @param owned closed with the database; without `hot`, MikroORM's connections serve both purposes */
  constructor(orm: ORM, owned: { pglite?: PGlite; hot?: ConnectionPool | null; reads?: ConnectionPool }) {
    const { pglite = null, hot = null, reads = null } = owned;
    this.orm = orm;
    const availability = this.#availability;
    const client = orm.em.getConnection().getClient();
    this.reads = { query: (sql, parameters = []) => availability.retry(() => run(client, sql, parameters)) };
    this.readers = reads?.size ?? 1;
    this.#pglite = pglite;
    this.#hotPool = hot === null ? null : new HotPool(hot, availability);
    this.hot = this.#hotPool ?? this.reads;
    this.#pools = [hot, reads].filter((pool) => pool !== null);
  }

  /** The pools of a server, by purpose, for metrics. */
  get pools(): { pool: string; size: number; inUse: number; waiting: number }[] {
    return this.#pools.map((pool) => ({ pool: pool.purpose, size: pool.size, ...pool.use }));
  }

  get embedded(): boolean {
    return this.#pglite !== null;
  }

  /**
   * Runs one short transaction on a hot connection: commits when `work` resolves, rolls back when it throws. Inside, use only
   * the given transaction: anything else would deadlock on the embedded database's one connection, and `work` runs again if
   * it conflicts with another transaction.
   */
  async transaction<T>(work: (transaction: Queryable) => Promise<T>): Promise<T> {
    if (this.#hotPool !== null) return this.#hotPool.transaction(work);
    return this.#availability.retry(() =>
      this.orm.em
        .getConnection()
        .getClient()
        .transaction()
        .execute((client) => work({ query: (sql, parameters = []) => this.#availability.guard(() => run(client, sql, parameters)) })),
    );
  }

  /** Whether it can be reached, and writes. Answers within two seconds: a database that takes longer is not ready. */
  async ready(): Promise<boolean> {
    const tooLate = new AbortController();
    try {
      return await Promise.race([this.#writes(), delay(readyMilliseconds, false, { signal: tooLate.signal })]);
    } finally {
      tooLate.abort();
    }
  }

  async #writes(): Promise<boolean> {
    const refusedAt = this.#availability.writeRefusedAt;
    try {
      if (refusedAt === null) {
        const [row] = await this.hot.query<{ standby: boolean }>('SELECT pg_is_in_recovery() AS standby');
        return row?.standby === false;
      }
      // Not before some seconds are over, or what takes those who are not ready out of service would put it back each time.
      if (performance.now() - refusedAt < calmMilliseconds) return false;
      await this.transaction((transaction) => transaction.query(writing));
      this.#availability.writeRefusedAt = null;
      return true;
    } catch {
      return false;
    }
  }

  /** Makes an EntityManager for one unit of work, on the connections of `reads`. */
  em(): SqlEntityManager {
    return this.orm.em.fork();
  }

  /**
   * Runs a unit of work in a transaction, on the connections of `reads`: flushes and commits when `work` resolves, rolls back
   * when it throws. The rules of `transaction` apply.
   */
  async transactional<T>(work: (em: SqlEntityManager) => Promise<T>): Promise<T> {
    return this.#availability.retry(() => this.em().transactional(work));
  }

  close(): Promise<void> {
    this.#closed ??= (async () => {
      await Promise.all(this.#pools.map((pool) => pool.end()));
      await this.orm.close();
      await this.#pglite?.close();
    })();
    return this.#closed;
  }
}

/** Raw SQL on the connection of this EntityManager, so in its transaction. Flushes nothing before. */
export function queryableOf(em: SqlEntityManager): Queryable {
  return { query: (sql, parameters = []) => run(em.getKysely(), sql, parameters) };
}

// Sends the parameters separately; `em.execute` would interpolate them into the text.
async function run<Row>(client: Client, sql: string, parameters: readonly unknown[]): Promise<Row[]> {
  const { rows } = await client.executeQuery<Row>(CompiledQuery.raw(sql, [...parameters]));
  return rows;
}
