import type { Database } from '../../src/database/database.ts';
import type { JsonValue } from '../../src/json.ts';
import { observed, type Statement } from './observed-database.ts';

/** Records the statements that `work` sends to the given database. */
export async function statementsOf(database: Database, work: (database: Database) => Promise<unknown>): Promise<Statement[]> {
  const statements: Statement[] = [];
  await work(observed(database, (statement) => statements.push(statement)));
  return statements;
}

/** Stands for any index that is used with the row's own id. */
export const byId = 'by id';

/** Stands for the table's key without a condition: all rows, unless the statement stops early. */
export const inOrderOfIds = 'in order of ids';

/**
 * Shows how a statement would find its rows in a table, planned as in production: the name of each index that it uses,
 * `by id` if the index finds one row, or the kind of scan if it uses none, such as `Seq Scan`.
 */
export async function waysInto(table: string, database: Database, statement: Statement): Promise<string[]> {
  const plans = await (statement.by === 'hot' ? genericPlan(database, statement) : customPlan(database, statement));
  return [...new Set(plans.flatMap((plan) => waysIn(plan['QUERY PLAN'], table)))].toSorted();
}

interface Explained {
  'QUERY PLAN': JsonValue;
}

/** Uses EXPLAIN without ANALYZE, so the statement is not run again. */
function customPlan(database: Database, { sql, parameters }: Statement): Promise<Explained[]> {
  return database.reads.query<Explained>(`EXPLAIN (FORMAT JSON) ${sql}`, parameters);
}

/** Plans as the hot connections do: once, independent of the parameters. */
function genericPlan(database: Database, { sql, parameters }: Statement): Promise<Explained[]> {
  return database.transaction(async (transaction) => {
    await transaction.query('SET LOCAL plan_cache_mode = force_generic_plan');
    await transaction.query(`PREPARE explained AS ${sql}`);
    // A generic plan does not depend on the values, but they must be given.
    const values = parameters.length === 0 ? '' : `(${parameters.map(() => 'NULL').join(', ')})`;
    const plans = await transaction.query<Explained>(`EXPLAIN (FORMAT JSON) EXECUTE explained${values}`);
    await transaction.query('DEALLOCATE explained');
    return plans;
  });
}

function waysIn(plan: JsonValue, table: string, bitmapOfTable = false): string[] {
  if (plan === null || typeof plan !== 'object') return [];
  if (Array.isArray(plan)) return plan.flatMap((part) => waysIn(part, table, bitmapOfTable));
  const { 'Node Type': scan, 'Relation Name': scanned, 'Index Name': index = scan, 'Index Cond': condition } = plan;
  // A bitmap scan names its table in the outer node and its indexes in the inner ones.
  const bitmap = scan === 'Bitmap Heap Scan' ? scanned === table : bitmapOfTable;
  const reads =
    scan === 'Bitmap Index Scan' ? bitmap : scanned === table && scan !== 'Bitmap Heap Scan' && scan !== 'ModifyTable';
  // An index that begins with the workspace finds one row if the condition has the id, else the whole workspace.
  const oneRow = index !== scan && typeof condition === 'string' && /\bid = /.test(condition);
  const whole = index === `${table}_pkey` && condition === undefined;
  const own = reads && typeof index === 'string' ? [oneRow ? byId : whole ? inOrderOfIds : index] : [];
  return [...own, ...Object.values(plan).flatMap((part) => waysIn(part, table, bitmap))];
}
