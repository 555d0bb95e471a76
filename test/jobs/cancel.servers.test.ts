import { afterAll, beforeAll, expect, test } from 'vitest';
import { listAttempts } from '../../src/jobs/read/attempts.ts';
import { Tenant } from '../support/domain.ts';
import { untilWaiting } from '../support/lock-waits.ts';
import { type Longhaul, sharedLonghaul } from '../support/longhaul.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
});
afterAll(() => longhaul.stop());

const backs = {
  'was handed back': { outcome: 'RELEASED', end: (tenant: Tenant, token: string) => tenant.release(token) },
  failed: { outcome: 'FAILED', end: (tenant: Tenant, token: string) => tenant.fail(token) },
};

// The embedded database has one connection: there, nobody can hold a row while two others come for it.
test.each(Object.entries(backs))('a cancellation that had to wait while the attempt %s cancels the job', async (_name, { outcome, end }) => {
  const { database } = longhaul.services;
  const tenant = await Tenant.in(longhaul, { credits: 10 });
  const { job, token } = await tenant.running();
  const { both } = await database.transaction(async (transaction) => {
    await transaction.query('SELECT FROM job WHERE id = $1 FOR UPDATE', [job.id]);
    const ending = end(tenant, token);
    await untilWaiting(transaction, 1);
    const cancelling = tenant.cancel(job.id);
    await untilWaiting(transaction, 2);
    // In an object: they end once the row is free, so the transaction must not wait for them.
    return { both: Promise.all([ending, cancelling]) };
  });
  expect(await both).toMatchObject([{ status: 'PENDING' }, { status: 'CANCELLED', attempt: 1 }]);
  expect(await listAttempts(database.em(), [job.id])).toMatchObject([{ outcome }]);
  expect(await tenant.balance()).toBe(10);
});
