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
 * The one door to Postgres, server or embedded. On a server it has two pools by purpose, so that slow reads never hold up
 * what keeps jobs alive; embedded, both are the one connection.
 */
export class Database {
  readonly orm: ORM;
  /**
   * Statements of a millisecond: transitions, claims, look-ups of keys and jobs, the feed, sweeps. On a server each text is
   * planned once for each connection, without seeing its parameters, and kept: only texts that are the same each time.
   */
  readonly hot: Queryable;
  /** Lists, counts, statistics, administration: a statement ends after some seconds, with UNAVAILABLE. */
  readonly reads: Queryable;
  readonly #hotPool: HotPool | null;
  readonly #pglite: PGlite | null;
  readonly #pools: ConnectionPool[];
  #closed: Promise<void> | null = null;

  /** @param owned closed with it; without `hot`, MikroORM's own connections serve both purposes */
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
   * One short transaction, on the hot connections: committed when `work` resolves, rolled back when it throws. Inside, use
   * only what `work` is given: anything else waits for the one connection that the embedded database has, for ever.
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

  /** A fresh EntityManager, for one request, one event or one tick. */
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

// Parameters travel apart from the text; `em.execute` would write them into it.
async function run<Row>(client: Client, sql: string, parameters: readonly unknown[]): Promise<Row[]> {
  const { rows } = await whenUnavailable(() => client.executeQuery<Row>(CompiledQuery.raw(sql, [...parameters])));
  return rows;
}
