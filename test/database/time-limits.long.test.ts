import { once } from 'node:events';
import pg from 'pg';
import { v7 as uuid } from 'uuid';
import { expect, onTestFinished, test } from 'vitest';
import { askedEachWay } from '../support/database-ways.ts';
import { startLonghaul } from '../support/longhaul.ts';
import { makeOwnDatabase } from '../support/own-database.ts';
import { RawSocket } from '../support/raw-socket.ts';

test('a statement over its time limit is UNAVAILABLE by every way to the database, and is answered again afterwards', async () => {
  const own = await makeOwnDatabase();
  // Room for all of them at once: nobody shall wait for a connection.
  const longhaul = await startLonghaul({ DATABASE_URL: own.url, DATABASE_POOL_SIZE: '40' });
  onTestFinished(() => longhaul.stop());
  const ways = askedEachWay(longhaul);
  for (const [what, ask] of ways) expect((await ask()).status, what).toBeLessThan(500);

  const socket = await RawSocket.open(longhaul.url, longhaul.adminKey);
  const closed = once(socket.ws, 'close');
  const holder = new pg.Client({ connectionString: own.url });
  await holder.connect();
  await holder.query('BEGIN; LOCK TABLE job, workspace, webhook_delivery, artifact IN ACCESS EXCLUSIVE MODE');
  socket.subscribe('1', { query: 'subscription ($id: ID!) { jobProgress(id: $id) { status } }', variables: { id: uuid() } });
  const answers = await Promise.all(
    ways.map(async ([what, ask]) => {
      const began = performance.now();
      const answer = await ask();
      return { what, seconds: (performance.now() - began) / 1_000, status: answer.status, wait: answer.headers.get('retry-after'), text: await answer.text() };
    }),
  );
  // An error would end the subscription for good.
  expect((await closed).map(String)).toEqual(['1013', 'The database cannot be reached, or took too long']);
  await holder.end();
  for (const { what, seconds, ...told } of answers) {
    expect(told, what).toEqual({ status: 503, wait: '2', text: expect.not.stringContaining('INTERNAL') });
    // By the statement's own limit, of 5 s for reads and 8 s for the others. A creation may wait for the one before.
    expect(seconds, what).toBeGreaterThan(4);
    expect(seconds, what).toBeLessThan(20);
  }
  expect(answers.map(({ text }) => text).join('\n')).toContain('The database took too long');
  for (const [what, ask] of ways) expect((await ask()).status, what).toBeLessThan(500);
}, 90_000);
