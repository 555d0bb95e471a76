import { expect } from 'vitest';
import type { Queryable } from '../../src/database/queryable.ts';
import { eventually } from './eventually.ts';

/** Until so many statements of this database wait for a lock that somebody holds. */
export async function untilWaiting(database: Queryable, count: number): Promise<void> {
  const waiting = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  await eventually(async () => expect(await database.query(waiting)).toHaveLength(count));
}
