import { afterAll, beforeAll, expect, test } from 'vitest';
import { RateLimitedError } from '../../src/errors.ts';
import { byNobody } from '../../src/workspaces/audit/record.ts';
import { refusal, Tenant } from '../support/domain.ts';
import { untilWaiting } from '../support/lock-waits.ts';
import { backend, type Longhaul, startLonghaul } from '../support/longhaul.ts';

let longhaul: Longhaul;
let processes: Longhaul[];
beforeAll(async () => {
  longhaul = await startLonghaul();
  processes = [longhaul, ...(backend === 'servers' ? [await startLonghaul({}, { sharing: longhaul })] : [])];
  // What is started goes on running.
  for (const { services } of processes) await services.loops.find(({ name }) => name === 'carrying out bulk actions')?.stop();
});
afterAll(async () => {
  for (const process of processes.toReversed()) await process.stop();
});

function start(tenant: Tenant, { services } = longhaul, idempotencyKey: string | null = null) {
  const asked = { kind: 'CANCEL', asked: {}, filter: {}, everything: true, idempotencyKey, by: byNobody } as const;
  return services.jobs.bulk.start(tenant.id, asked);
}

const running = (tenant: Tenant) => tenant.count(`FROM bulk_action WHERE workspace_id = $1 AND status = 'RUNNING'`);

test('of many that are started at once ten run, and the others are refused', async () => {
  const tenant = await Tenant.in(longhaul);
  const outcomes = await Promise.allSettled(Array.from({ length: 40 }, (_, n) => start(tenant, processes[n % processes.length])));
  const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
  expect(refused).toHaveLength(30);
  for (const reason of refused) expect(reason).toBeInstanceOf(RateLimitedError);
  expect(await running(tenant)).toBe(10);
  // Of other workspaces they are none.
  await start(await Tenant.in(longhaul));
});

test('a key that is repeated at once starts one action, also where it is the tenth', async () => {
  const tenant = await Tenant.in(longhaul);
  for (let n = 0; n < 9; n += 1) await start(tenant);
  const actions = await Promise.all(Array.from({ length: 6 }, (_, n) => start(tenant, processes[n % processes.length], 'again')));
  expect(new Set(actions.map(({ id }) => id)).size).toBe(1);
  expect((await start(tenant, longhaul, 'again')).id).toBe(actions[0]?.id);
  await refusal(RateLimitedError, start(tenant));
});

// The embedded database has one connection: there, nobody starts an action while another start is not committed.
test.runIf(backend === 'servers')('of two that are started together as the tenth, one is refused', async () => {
  const { database } = longhaul.services;
  const tenant = await Tenant.in(longhaul);
  for (let n = 0; n < 9; n += 1) await start(tenant);
  const { both } = await database.transaction(async (transaction) => {
    // Whoever has started an action cannot commit it without its entry.
    await transaction.query('LOCK TABLE audit_entry IN SHARE MODE');
    const starts = processes.map((process) => start(tenant, process));
    await untilWaiting(transaction, 2);
    return { both: Promise.allSettled(starts) };
  });
  expect((await both).map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  expect(await running(tenant)).toBe(10);
});
