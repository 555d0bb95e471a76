import type pg from 'pg';
import type { ConnectionPool } from './connection/pool.ts';
import type { Queryable } from './queryable.ts';
import { whenUnavailable } from './unavailable.ts';

/** Runs named prepared statements, which Postgres parses and plans once per connection. Kysely cannot name statements. */
export class HotPool implements Queryable {
  readonly #pool: ConnectionPool;
  readonly #names = new Map<string, string>();

  constructor(pool: ConnectionPool) {
    this.#pool = pool;
  }

  async query<Row>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    return whenUnavailable(() => this.#pool.query<Row & pg.QueryResultRow>(this.#named(sql, parameters)));
  }

  /** Commits when `work` resolves, rolls back when it throws. */
  async transaction<T>(work: (transaction: Queryable) => Promise<T>): Promise<T> {
    return whenUnavailable(async () => {
      const client = await this.#pool.connect();
      const transaction: Queryable = {
        query: async <Row>(sql: string, parameters: readonly unknown[] = []) => {
          const { rows } = await whenUnavailable(() => client.query<Row & pg.QueryResultRow>(this.#named(sql, parameters)));
          return rows;
        },
      };
      let isClean = false;
      try {
        await client.query('BEGIN');
        const result = await work(transaction);
        await client.query('COMMIT');
        isClean = true;
        return result;
      } catch (error) {
        isClean = await client.query('ROLLBACK').then(
          () => true,
          () => false,
        );
        throw error;
      } finally {
        // A connection that could not roll back may still hold locks, so close it.
        client.release(!isClean);
      }
    });
  }

  #named(text: string, parameters: readonly unknown[]): pg.QueryConfig {
    let name = this.#names.get(text);
    if (name === undefined) {
      name = `longhaul_${this.#names.size}`;
      this.#names.set(text, name);
    }
    return { name, text, values: [...parameters] };
  }
}
