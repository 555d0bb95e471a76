import type pg from 'pg';
import { ask, type ConnectionPool } from './connection/pool.ts';
import type { Queryable } from './queryable.ts';
import { type Availability, isLost } from './unavailable.ts';

/**
 * Each connection keeps what has a name. Lists have a text for each selection of columns, so clients could make ever more of
 * them: further texts are planned each time.
 */
const mostNames = 300;

/** Runs named prepared statements, which Postgres parses and plans once per connection. Kysely cannot name statements. */
export class HotPool implements Queryable {
  readonly #pool: ConnectionPool;
  readonly #availability: Availability;
  readonly #names = new Map<string, string>();

  constructor(pool: ConnectionPool, availability: Availability) {
    this.#pool = pool;
    this.#availability = availability;
  }

  async query<Row>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    return this.#availability.retry(() => this.#pool.query<Row & pg.QueryResultRow>(this.#named(sql, parameters)));
  }

  /** Commits when `work` resolves, rolls back when it throws. Does it again from the start if it conflicts with another. */
  async transaction<T>(work: (transaction: Queryable) => Promise<T>): Promise<T> {
    return this.#availability.retry(async () => {
      const client = await this.#pool.connect();
      const transaction: Queryable = {
        query: async <Row>(sql: string, parameters: readonly unknown[] = []) => {
          const { rows } = await this.#availability.guard(() => ask<Row & pg.QueryResultRow>(client, this.#named(sql, parameters)));
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
          () => !isLost(error),
          () => false,
        );
        throw error;
      } finally {
        // A connection that could not roll back may still hold locks.
        client.release(!isClean);
      }
    });
  }

  #named(text: string, parameters: readonly unknown[]): pg.QueryConfig {
    let name = this.#names.get(text);
    if (name === undefined && this.#names.size < mostNames) {
      name = `longhaul_${this.#names.size}`;
      this.#names.set(text, name);
    }
    return { ...(name !== undefined && { name }), text, values: [...parameters] };
  }
}
