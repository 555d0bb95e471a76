import type { Database } from '../../src/database/database.ts';
import type { JsonValue } from '../../src/jobs/model/job.ts';
import { observed, type Statement } from './observed-database.ts';

/** The statements that the work sends to the database it is given. */
export async function statementsOf(database: Database, work: (database: Database) => Promise<unknown>): Promise<Statement[]> {
  const statements: Statement[] = [];
  await work(observed(database, (statement) => statements.push(statement)));
  return statements;
}

/**
 * How a statement, with its very parameters, would find its rows of a table: the name of each index that it goes by, or
 * the kind of scan where it goes by none, `Seq Scan`.
 */
export async function waysInto(table: string, database: Database, { sql, parameters }: Statement): Promise<string[]> {
  // Plans, and does not carry out, what the statement would change.
  const rows = await database.query<{ 'QUERY PLAN': JsonValue }>(`EXPLAIN (FORMAT JSON) ${sql}`, parameters);
  return [...new Set(rows.flatMap((row) => waysIn(row['QUERY PLAN'], table)))].toSorted();
}

function waysIn(plan: JsonValue, table: string, bitmapOfTable = false): string[] {
  if (plan === null || typeof plan !== 'object') return [];
  if (Array.isArray(plan)) return plan.flatMap((part) => waysIn(part, table, bitmapOfTable));
  const { 'Node Type': scan, 'Relation Name': scanned, 'Index Name': index = scan } = plan;
  // A bitmap names its table above and its indexes below.
  const bitmap = scan === 'Bitmap Heap Scan' ? scanned === table : bitmapOfTable;
  const reads =
    scan === 'Bitmap Index Scan' ? bitmap : scanned === table && scan !== 'Bitmap Heap Scan' && scan !== 'ModifyTable';
  const own = reads && typeof index === 'string' ? [index] : [];
  return [...own, ...Object.values(plan).flatMap((part) => waysIn(part, table, bitmap))];
}
