import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkLedger } from '../../src/jobs/read/ledger-check.ts';
import { Tenant } from '../support/domain.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await startLonghaul();
});
afterAll(() => longhaul.stop());

const check = () => checkLedger(longhaul.services.database.reads);
const change = (sql: string, parameters: unknown[]) => longhaul.services.database.hot.query(sql, parameters);

test('the books add up whatever jobs went through', async () => {
  const tenant = await Tenant.in(longhaul);
  await tenant.create();
  const { token } = await tenant.running();
  await tenant.complete(token);
  const failed = await tenant.running();
  await tenant.fail(failed.token, { retryable: false });
  const cancelled = await tenant.create();
  await tenant.cancel(cancelled.id);
  expect(await check()).toMatchObject({ faults: [], jobs: 4 });
});

test.each([
  {
    what: 'a balance that is not the sum of its entries',
    spoil: (tenant: Tenant) => change('UPDATE workspace SET credits = credits + 5 WHERE id = $1', [tenant.id]),
    repair: (tenant: Tenant) => change('UPDATE workspace SET credits = credits - 5 WHERE id = $1', [tenant.id]),
    message: /balance is 1000004 and the entries add up to 999999/,
  },
  {
    what: 'a refund of more than was charged, by somebody who wrote into the ledger',
    spoil: (tenant: Tenant) =>
      change(`UPDATE credit_transaction SET amount = 3 WHERE workspace_id = $1 AND kind = 'REFUND'`, [tenant.id]),
    repair: (tenant: Tenant) =>
      change(`UPDATE credit_transaction SET amount = 1 WHERE workspace_id = $1 AND kind = 'REFUND'`, [tenant.id]),
    message: /3 refunded of 1 charged/,
  },
  {
    what: 'a refund that a cancelled job never got',
    spoil: (tenant: Tenant) =>
      change('UPDATE job SET credits_refunded = 0 WHERE workspace_id = $1 AND credits_refunded > 0', [tenant.id]),
    repair: (tenant: Tenant) =>
      change('UPDATE job SET credits_refunded = 1 WHERE workspace_id = $1 AND cancel_reason IS NOT NULL', [tenant.id]),
    message: /a job that is CANCELLED has 0 refunded of 1/,
  },
])('$what is found, and named', async ({ spoil, repair, message }) => {
  const tenant = await Tenant.in(longhaul);
  await tenant.create();
  const cancelled = await tenant.create();
  await tenant.cancel(cancelled.id, 'for the books');
  await spoil(tenant);
  const { faults } = await check();
  expect(faults.map(({ workspaceId }) => workspaceId)).toContain(tenant.id);
  expect(faults.map((fault) => fault.message)).toContainEqual(expect.stringMatching(message));
  await repair(tenant);
  expect((await check()).faults).toEqual([]);
});
