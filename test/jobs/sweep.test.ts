import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeLeaseToken } from '../../src/jobs/claim/lease-token.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  // One of its own: an attempt that cannot be ended stays, and its workspace's ledger does not add up.
  longhaul = await startLonghaul();
});
afterAll(() => longhaul.stop());

test('an attempt that cannot be ended keeps no other waiting', async () => {
  const { database, jobs } = longhaul.services;
  const stuck = await longhaul.workspace();
  const other = await longhaul.workspace();
  const started = [];
  for (const { id } of [stuck, other]) {
    await jobs.create(id, { type: 'export', maxAttempts: 1 }, { dialect: 'NATIVE' });
    started.push(...(await jobs.claim(id, { types: ['export'], workerId: 'silent' })));
  }
  const later = await jobs.create(
    other.id,
    { type: 'export', runAt: new Date(Date.now() + 3_600_000) },
    { dialect: 'NATIVE' },
  );
  // No balance can take this refund.
  await database.hot.query('UPDATE workspace SET credits = 9223372036854775807 WHERE id = $1', [stuck.id]);
  await database.hot.query(`UPDATE lease SET expires_at = now() - interval '1 s'`);
  await database.hot.query('UPDATE job SET due_at = now() WHERE id = $1', [later.id]);

  await longhaul.sweeper.sweepLeases();
  await longhaul.sweeper.sweepLeases();

  const [unended, lapsed] = started;
  expect(await jobs.find(stuck.id, unended?.job.id ?? '')).toMatchObject({ status: 'RUNNING' });
  expect(await jobs.find(other.id, lapsed?.job.id ?? '')).toMatchObject({ status: 'FAILED', error: { code: 'LEASE_EXPIRED' } });
  const [due] = await jobs.claim(other.id, { types: ['export'], workerId: 'awake' });
  expect(due?.job.id).toBe(later.id);
  const token = encodeLeaseToken({ jobId: later.id, token: due?.token ?? '' });
  expect(await jobs.complete(other.id, { token })).toMatchObject({ status: 'COMPLETED' });
});
