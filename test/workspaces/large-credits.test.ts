import { afterAll, beforeAll, expect, test } from 'vitest';
import { newId } from '../../src/database/ids.ts';
import { ValidationError } from '../../src/errors.ts';
import { checkLedger } from '../../src/jobs/read/ledger-check.ts';
import { addWorkspace } from '../../src/workspaces/create-workspace.ts';
import { grantCredits, largestBalance } from '../../src/workspaces/grant-credits.ts';
import { endLease, refusal, sweep, Tenant } from '../support/domain.ts';
import { type Longhaul, sharedLonghaul } from '../support/longhaul.ts';
import { rest } from '../support/rest.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
});
afterAll(() => longhaul.stop());

const billion = 1_000_000_000;

async function faultsOf(tenant: Tenant): Promise<string[]> {
  const { faults } = await checkLedger(longhaul.services.database.reads);
  return faults.flatMap(({ workspaceId, message }) => (workspaceId === tenant.id ? [message] : []));
}

test('a balance beyond 2^31 is granted, charged, refunded and listed as whole numbers', async () => {
  const workspace = await longhaul.workspace({ credits: billion });
  const tenant = Tenant.of(longhaul, workspace.id);
  const grant = `mutation ($workspaceId: ID!) { grantCredits(input: { workspaceId: $workspaceId, amount: ${billion} }) {
    ... on GrantCreditsPayload { workspace { credits } } } }`;
  for (const credits of [2 * billion, 3 * billion]) {
    const { data } = await longhaul.graphql(grant, { workspaceId: workspace.id });
    expect(data).toEqual({ grantCredits: { workspace: { credits } } });
  }

  const key = await workspace.key({ dialect: 'VYDRA' });
  const jobs = `${longhaul.url}/vydra/api/v1/jobs`;
  const made = await rest(jobs, { key, json: { workflow: 'house-timelapse', input: { theme: 'A lighthouse' } } });
  expect(made).toMatchObject({ status: 201, body: { creditsCharged: 150 } });
  const [job] = await longhaul.services.jobs.list(tenant.id, {}, { above: null, below: null, direction: 'DESC', limit: 1 });
  expect(await tenant.balance()).toBe(3 * billion - 150);
  const gone = await rest(`${jobs}/${job?.id}`, { key, method: 'DELETE' });
  expect(gone.body).toMatchObject({ refund: { applied: true, creditsRefunded: 150 } });

  const page = '{ workspace { credits creditTransactions(first: 2) { edges { node { kind amount balanceAfter } } } } }';
  expect((await longhaul.graphql(page, {}, await workspace.key())).data).toEqual({
    workspace: {
      credits: 3 * billion,
      creditTransactions: {
        edges: [
          { node: { kind: 'REFUND', amount: 150, balanceAfter: 3 * billion } },
          { node: { kind: 'CHARGE', amount: -150, balanceAfter: 3 * billion - 150 } },
        ],
      },
    },
  });
  expect(await faultsOf(tenant)).toEqual([]);
});

test('credits that are spent, granted again and then refunded all fit, though no grant may go that far', async () => {
  const tenant = await richTenant();
  const dear = { type: 'house-timelapse', input: { theme: 'A lighthouse' } };
  const cancelled = await tenant.createAll([dear, dear]);
  const failed = await tenant.running({ ...dear, maxAttempts: 1 });
  const expired = await tenant.running({ ...dear, maxAttempts: 1 });
  const grant = (amount: number) => grantCredits(longhaul.services.database, { workspaceId: tenant.id, amount });
  expect(await grant(600)).toMatchObject({ credits: largestBalance });
  expect((await refusal(ValidationError, grant(1))).issues).toEqual([
    { path: ['amount'], message: 'would take the balance above the maximum of 1000000000000000. Grant less.' },
  ]);

  for (const { id } of cancelled) await tenant.cancel(id);
  await tenant.fail(failed.token);
  await endLease(longhaul, expired.job.id);
  await sweep(longhaul);
  expect(await tenant.balance()).toBe(largestBalance + 600);
  expect((await tenant.ledger()).at(-1)).toMatchObject({ kind: 'REFUND', amount: 150, balanceAfter: largestBalance + 600 });
  expect(await faultsOf(tenant)).toEqual([]);
});

/** At the largest balance, which grants would take a million calls to reach. */
async function richTenant(): Promise<Tenant> {
  const id = newId();
  const { database, webhookSecrets } = longhaul.services;
  const rich = { id, name: 'rich', credits: largestBalance, concurrencyLimit: null, paused: false };
  await database.transactional((em) => addWorkspace(em, webhookSecrets, rich));
  return Tenant.of(longhaul, id);
}
