import { Database } from '../../src/database/database.ts';
import type { Queryable } from '../../src/database/queryable.ts';

export interface Statement {
  sql: string;
  parameters: readonly unknown[];
  /** Which connections the statement is for. */
  by: 'hot' | 'reads';
}

type Observer = (statement: Statement) => void;

/**
 * Wraps a database to observe its statements.
 *
 * @param answered called when the answer has arrived, before the caller gets it
 * @param sent called before the statement is sent
 */
export function observed(database: Database, answered: Observer, sent: Observer = () => undefined): Database {
  return new ObservedDatabase(database, answered, sent);
}

class ObservedDatabase extends Database {
  readonly #observe: (queryable: Queryable, by: Statement['by']) => Queryable;
  readonly #observedTransaction: Database['transaction'];
  override readonly hot: Queryable;
  override readonly reads: Queryable;

  constructor(database: Database, answered: Observer, sent: Observer) {
    super(database.orm, {});
    this.#observe = (queryable, by) => ({
      query: async <Row>(sql: string, parameters: readonly unknown[] = []) => {
        const statement = { sql, parameters, by };
        sent(statement);
        const rows = await queryable.query<Row>(sql, parameters);
        answered(statement);
        return rows;
      },
    });
    this.hot = this.#observe(database.hot, 'hot');
    this.reads = this.#observe(database.reads, 'reads');
    this.#observedTransaction = (work) => database.transaction((transaction) => work(this.#observe(transaction, 'hot')));
  }

  override transaction<T>(work: (transaction: Queryable) => Promise<T>): Promise<T> {
    return this.#observedTransaction(work);
  }
}
