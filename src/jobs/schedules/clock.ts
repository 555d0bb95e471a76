import type { Queryable } from '../../database/queryable.ts';

/** What the database's clock says now: not when its transaction began, which may have waited for a lock since. */
export async function presentOf(database: Queryable): Promise<Date> {
  const [row] = await database.query<{ at: number }>('SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS at');
  if (row === undefined) throw new Error('the database returned no time');
  return new Date(row.at);
}
