import type { PGlite } from '@electric-sql/pglite';
import type { MikroORM as EmbeddedORM } from '@mikro-orm/pglite';
import type { MikroORM as PostgresORM } from '@mikro-orm/postgresql';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { CompiledQuery, type Kysely } from 'kysely';
import type { ConnectionPool } from './connection/pool.ts';
import { whenUnavailable } from './unavailable.ts';

/** Runs SQL: on the database at large, each statement its own transaction, or inside a transaction. */
export interface Queryable {
  /**
   * `$1`-style parameters; JSON goes in as text, `$1::jsonb`. Throws UNAVAILABLE while the server cannot be reached.
   *
   * @param how `prepared`: parsed and planned once for each connection. For the hottest statements, and only those whose
   *   plan does not depend on their parameters.
   */
  query<Row>(sql: string, parameters?: readonly unknown[], how?: 'prepared'): Promise<Row[]>;
}

type ORM = EmbeddedORM | PostgresORM;
type Client = Pick<Kysely<unknown>, 'executeQuery'>;

/** The one door to Postgres, server or embedded: SQL for the hot paths, an EntityManager for the cold reads. */
export class Database implements Queryable {
  readonly orm: ORM;
  readonly #pglite: PGlite | null;
  /** For prepared statements: Kysely has no way to name one. */
  readonly #pool: ConnectionPool | null;
  readonly #pools: ConnectionPool[];
  readonly #names = new Map<string, string>();
  #closed: Promise<void> | null = null;

  constructor(
    orm: ORM,
    {
      pglite = null,
      pool = null,
      reads = null,
    }: { pglite?: PGlite | null; pool?: ConnectionPool | null; reads?: ConnectionPool | null },
  ) {
    this.orm = orm;
    this.#pglite = pglite;
    this.#pool = pool;
    this.#pools = [pool, reads].filter((each) => each !== null);
  }

  get embedded(): boolean {
    return this.#pglite !== null;
  }

  /** Postgres in this process, for what brings SQL of its own (the background queue); null where a server is used. */
  get pglite(): PGlite | null {
    return this.#pglite;
  }

  query<Row>(sql: string, parameters: readonly unknown[] = [], how?: 'prepared'): Promise<Row[]> {
    if (how === 'prepared' && this.#pool !== null) return this.#queryPrepared(this.#pool, sql, parameters);
    return run<Row>(this.orm.em.getConnection().getClient(), sql, parameters);
  }

  async #queryPrepared<Row>(pool: ConnectionPool, text: string, parameters: readonly unknown[]): Promise<Row[]> {
    let name = this.#names.get(text);
    if (name === undefined) {
      name = `longhaul_${this.#names.size}`;
      this.#names.set(text, name);
    }
    const statement = { name, text, values: [...parameters] };
    return whenUnavailable(() => pool.query<Row & object>(statement));
  }

  /**
   * One transaction: committed when `work` resolves, rolled back when it throws. Inside, use only what `work` is given:
   * anything else waits for the one connection that the embedded database has, for ever.
   */
  async transaction<T>(work: (transaction: Queryable, em: SqlEntityManager) => Promise<T>): Promise<T> {
    return whenUnavailable(() =>
      this.em().transactional(async (em) => {
        const context = em.getTransactionContext<Kysely<unknown>>();
        if (context === undefined) throw new Error('em.transactional gave no transaction');
        return work({ query: (sql, parameters = []) => run(context, sql, parameters) }, em);
      }),
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
