import type { PGlite } from '@electric-sql/pglite';
import type { MikroORM as EmbeddedORM } from '@mikro-orm/pglite';
import type { MikroORM as PostgresORM } from '@mikro-orm/postgresql';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { CompiledQuery, type Kysely } from 'kysely';
import type { ConnectionPool } from './connection/pool.ts';
import { HotPool } from './hot-pool.ts';
import type { Queryable } from './queryable.ts';
import { whenUnavailable } from './unavailable.ts';

type ORM = EmbeddedORM | PostgresORM;
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
  readonly #hotPool: HotPool | null;
  readonly #pglite: PGlite | null;
  readonly #pools: ConnectionPool[];
  #closed: Promise<void> | null = null;

  /** @param owned closed with the database; without `hot`, MikroORM's connections serve both purposes */
  constructor(orm: ORM, owned: { pglite?: PGlite; hot?: ConnectionPool | null; reads?: ConnectionPool }) {
    const { pglite = null, hot = null, reads = null } = owned;
    this.orm = orm;
    this.reads = { query: (sql, parameters = []) => run(orm.em.getConnection().getClient(), sql, parameters) };
    this.#pglite = pglite;
    this.#hotPool = hot === null ? null : new HotPool(hot);
    this.hot = this.#hotPool ?? this.reads;
    this.#pools = [hot, reads].filter((pool) => pool !== null);
  }

  get embedded(): boolean {
    return this.#pglite !== null;
  }

  /**
   * Runs one short transaction on a hot connection: commits when `work` resolves, rolls back when it throws. Inside, use only
   * the given transaction: anything else would deadlock on the embedded database's one connection.
   */
  async transaction<T>(work: (transaction: Queryable) => Promise<T>): Promise<T> {
    if (this.#hotPool !== null) return this.#hotPool.transaction(work);
    return whenUnavailable(() =>
      this.orm.em
        .getConnection()
        .getClient()
        .transaction()
        .execute((client) => work({ query: (sql, parameters = []) => run(client, sql, parameters) })),
    );
  }

  /** Makes an EntityManager for one unit of work. */
  em(): SqlEntityManager {
    return this.orm.em.fork();
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

// Sends the parameters separately; `em.execute` would interpolate them into the text.
async function run<Row>(client: Client, sql: string, parameters: readonly unknown[]): Promise<Row[]> {
  const { rows } = await whenUnavailable(() => client.executeQuery<Row>(CompiledQuery.raw(sql, [...parameters])));
  return rows;
}
