import { expect } from 'vitest';
import type { Queryable } from '../../src/database/queryable.ts';
import { eventually } from './eventually.ts';

/** For a transaction that holds something while others work: one in which nothing comes for five seconds is rolled back. */
export const mayIdle = 'SET LOCAL idle_in_transaction_session_timeout = 0';

/**
 * Until so many statements of this database wait for a lock that somebody holds.
 *
 * @param holder asked itself: a transaction in which nothing comes for five seconds is rolled back
 */
export async function untilWaiting(holder: Queryable, count: number): Promise<void> {
  const waiting = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  await eventually(async () => {
    await holder.query('SELECT pg_stat_clear_snapshot()');
    expect(await holder.query(waiting)).toHaveLength(count);
  });
}
