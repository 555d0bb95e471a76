import { Database } from '../../src/database/database.ts';

export interface Statement {
  sql: string;
  parameters: readonly unknown[];
  how: 'prepared' | undefined;
}

/** The same database, which tells of each statement when its answer is there and nobody has seen it yet. */
export function observed(database: Database, answered: (statement: Statement) => void): Database {
  return new ObservedDatabase(database, answered);
}

class ObservedDatabase extends Database {
  readonly #answered: (statement: Statement) => void;

  constructor({ orm }: Database, answered: (statement: Statement) => void) {
    super(orm, {});
    this.#answered = answered;
  }

  override async query<Row>(sql: string, parameters: readonly unknown[] = [], how?: 'prepared'): Promise<Row[]> {
    const rows = await super.query<Row>(sql, parameters, how);
    this.#answered({ sql, parameters, how });
    return rows;
  }
}
