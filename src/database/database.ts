import type { PGlite } from '@electric-sql/pglite';
import type { MikroORM as EmbeddedORM } from '@mikro-orm/pglite';
import type { MikroORM as PostgresORM } from '@mikro-orm/postgresql';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { CompiledQuery, type Kysely } from 'kysely';
import { whenUnavailable } from './unavailable.ts';

/** Runs SQL: on the database at large, each statement its own transaction, or inside a transaction. */
export interface Queryable {
  /** `$1`-style parameters; JSON goes in as text, `$1::jsonb`. Throws UNAVAILABLE while the server cannot be reached. */
  query<Row>(sql: string, parameters?: readonly unknown[]): Promise<Row[]>;
}

type ORM = EmbeddedORM | PostgresORM;
type Client = Pick<Kysely<unknown>, 'executeQuery'>;

/** The one door to Postgres, server or embedded: SQL for the hot paths, an EntityManager for the cold reads. */
export class Database implements Queryable {
  readonly orm: ORM;
  readonly #pglite: PGlite | null;
  #closed: Promise<void> | null = null;

  constructor(orm: ORM, pglite: PGlite | null) {
    this.orm = orm;
    this.#pglite = pglite;
  }

  get embedded(): boolean {
    return this.#pglite !== null;
  }

  query<Row>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    return run<Row>(this.orm.em.getConnection().getClient(), sql, parameters);
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
