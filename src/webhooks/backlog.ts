import type { Queryable } from '../database/queryable.ts';
import { sqlIs } from './entities.ts';

/** The most that are counted. */
const most = 100_000;

const counted = (condition: string) => `(SELECT count(*)::int FROM (SELECT FROM webhook_delivery WHERE ${condition} LIMIT ${most}) AS found)`;

/** How many deliveries wait to be sent, now or after a pause: at most 100,000 of each. */
export async function countBacklog(database: Queryable): Promise<{ ready: number; waiting: number }> {
  const [row] = await database.query<{ ready: number; waiting: number }>(
    `SELECT ${counted(sqlIs.ready)} AS ready, ${counted(sqlIs.waiting)} AS waiting`,
  );
  return row ?? { ready: 0, waiting: 0 };
}
