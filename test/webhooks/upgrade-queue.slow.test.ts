import { expect, onTestFinished, test } from 'vitest';
import { oldDatabase, queueStays } from '../support/old-database.ts';

/* On servers alone: an embedded database takes seconds to make, and nobody else had a queue in it. */

test.each([
  ["somebody else's queue", `SELECT pgboss.create_queue('reports', '{"policy": "standard"}')`],
  ['a table that is not of pg-boss', 'CREATE TABLE pgboss.mine (id int)'],
  ['a view on it', 'CREATE VIEW mine AS SELECT * FROM pgboss.queue'],
])('with %s the schema of pg-boss stays, without what was ours', async (_what, sql) => {
  const { database, close } = await (await oldDatabase(sql))();
  onTestFinished(() => close());
  expect(await queueStays(database)).toBe(true);
  expect(await database.hot.query('SELECT name FROM pgboss.job')).toEqual([]);
  expect(await database.hot.query(`SELECT tries FROM webhook_delivery WHERE url LIKE '%/retried?%'`)).toEqual([{ tries: 3 }]);
});

test('a database that never sent a webhook is upgraded too', async () => {
  const { database, close } = await (await oldDatabase('DROP SCHEMA pgboss CASCADE'))();
  onTestFinished(() => close());
  expect(await database.hot.query(`SELECT count(*)::int FROM webhook_delivery WHERE status = 'PENDING' AND ready`)).toEqual([
    { count: 7 },
  ]);
});
