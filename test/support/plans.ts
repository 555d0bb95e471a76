import type { Database } from '../../src/database/database.ts';
import type { JsonValue } from '../../src/jobs/model/job.ts';
import { observed, type Statement } from './observed-database.ts';

/** The statements that the work sends to the database it is given. */
export async function statementsOf(database: Database, work: (database: Database) => Promise<unknown>): Promise<Statement[]> {
  const statements: Statement[] = [];
  await work(observed(database, (statement) => statements.push(statement)));
  return statements;
}

/** The way into a table by an index whose condition is the row's own id, whichever index that is. */
export const byId = 'by id';

/**
 * How a statement would find its rows of a table, planned as production plans it: the name of each index that it uses,
 * `by id` where that finds one row, or the kind of scan where it uses none, such as `Seq Scan`.
 */
export async function waysInto(table: string, database: Database, statement: Statement): Promise<string[]> {
  const plans = await (statement.by === 'hot' ? genericPlan(database, statement) : customPlan(database, statement));
  return [...new Set(plans.flatMap((plan) => waysIn(plan['QUERY PLAN'], table)))].toSorted();
}

interface Explained {
  'QUERY PLAN': JsonValue;
}

/** EXPLAIN plans a statement that has changed rows already, and does not run it again. */
function customPlan(database: Database, { sql, parameters }: Statement): Promise<Explained[]> {
  return database.reads.query<Explained>(`EXPLAIN (FORMAT JSON) ${sql}`, parameters);
}

/** As the hot connections do, which plan each once, whatever its parameters will be. */
function genericPlan(database: Database, { sql, parameters }: Statement): Promise<Explained[]> {
  return database.transaction(async (transaction) => {
    await transaction.query('SET LOCAL plan_cache_mode = force_generic_plan');
    await transaction.query(`PREPARE explained AS ${sql}`);
    // A generic plan does not depend on the values. They have to be there all the same.
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
  // A bitmap names its table above and its indexes below.
  const bitmap = scan === 'Bitmap Heap Scan' ? scanned === table : bitmapOfTable;
  const reads =
    scan === 'Bitmap Index Scan' ? bitmap : scanned === table && scan !== 'Bitmap Heap Scan' && scan !== 'ModifyTable';
  // An index that begins with the workspace reads either one row or the whole workspace.
  const oneRow = index !== scan && typeof condition === 'string' && /\bid = /.test(condition);
  const own = reads && typeof index === 'string' ? [oneRow ? byId : index] : [];
  return [...own, ...Object.values(plan).flatMap((part) => waysIn(part, table, bitmap))];
}
