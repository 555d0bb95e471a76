import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { endLease, held, type HeldJob, rivalClaimer, sweep, Tenant, usualRequest } from '../support/domain.ts';
import { type Longhaul, sharedLonghaul } from '../support/longhaul.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
});
afterAll(() => longhaul.stop());

const running = `FROM job WHERE workspace_id = $1 AND status = 'RUNNING'`;
const occupied = 'FROM slot WHERE workspace_id = $1 AND job_id IS NOT NULL';
const leases = 'FROM lease WHERE workspace_id = $1';

/** The ways in which a job may leave its slot. */
const endings = {
  complete: (tenant: Tenant, { token }: HeldJob) => tenant.complete(token),
  'fail for good': (tenant: Tenant, { token }: HeldJob) => tenant.fail(token, { retryable: false }),
  'fail and wait for another attempt': (tenant: Tenant, { token }: HeldJob) => tenant.fail(token),
  release: (tenant: Tenant, { token }: HeldJob) => tenant.release(token),
  cancel: (tenant: Tenant, { job }: HeldJob) => tenant.cancel(job.id),
  expire: async (_tenant: Tenant, { job }: HeldJob) => {
    await endLease(longhaul, job.id);
    await sweep(longhaul);
  },
};

describe('a job frees its slot', () => {
  test.each(Object.entries(endings))('by the way of: %s', async (_name, end) => {
    const tenant = await Tenant.in(longhaul, { concurrencyLimit: 1 });
    const first = await tenant.running();
    const second = await tenant.create();
    expect(await tenant.claim({ jobIds: [second.id] })).toEqual([]);
    expect(await tenant.count(occupied)).toBe(1);

    await end(tenant, first);

    expect(await tenant.count(occupied)).toBe(0);
    expect(await tenant.count(leases)).toBe(0);
    expect(await tenant.claim({ jobIds: [second.id] })).toHaveLength(1);
  });
});

test('one claim takes no more than the limit leaves, over all types', async () => {
  const tenant = await Tenant.in(longhaul, { concurrencyLimit: 3 });
  const types = ['fingerprint', 'transcribe'];
  await tenant.createAll([...types, ...types, ...types].map((type) => ({ type })));
  expect(await tenant.claim({ types, limit: 2 })).toHaveLength(2);
  expect(await tenant.claim({ types, limit: 10 })).toHaveLength(1);
  expect(await tenant.claim({ types, limit: 10 })).toEqual([]);
});

test('a workspace without a limit has no slots', async () => {
  const tenant = await Tenant.in(longhaul);
  await tenant.createAll(Array.from({ length: 30 }, () => ({})));
  expect(await tenant.claim({ limit: 30 })).toHaveLength(30);
  expect(await tenant.count('FROM slot WHERE workspace_id = $1')).toBe(0);
});

test('sixteen rival processes never run more than the limit while jobs come and go in every way', async () => {
  const limit = 3;
  const jobs = 90;
  const tenant = await Tenant.in(longhaul, { concurrencyLimit: limit });
  await tenant.createAll(Array.from({ length: jobs }, () => ({ maxAttempts: 1 })));
  const ways = Object.values(endings);
  let ended = 0;
  let most = 0;

  const work = async (index: number) => {
    const claimer = rivalClaimer(longhaul);
    for (let turn = index; ended < jobs; turn += 1) {
      const claimed = await claimer.claim(tenant.id, { types: [usualRequest.type], limit: 5, workerId: `worker ${index}` });
      for (const attempt of claimed) {
        most = Math.max(most, await tenant.count(running));
        await ways[turn % ways.length]?.(tenant, held(attempt));
        most = Math.max(most, await tenant.count(running));
        if ((await tenant.read(attempt.job.id)).finishedAt !== null) ended += 1;
      }
    }
  };
  await Promise.all(Array.from({ length: 16 }, (_, index) => work(index)));

  expect(most).toBe(limit);
  expect(await tenant.count(occupied)).toBe(0);
  expect(await tenant.count(leases)).toBe(0);
  expect(await tenant.count(running)).toBe(0);
});

test('a cancellation that races with the claim leaves neither slot nor lease behind', async () => {
  const tenant = await Tenant.in(longhaul, { concurrencyLimit: 2 });
  const rival = rivalClaimer(longhaul);
  const claim = { types: [usualRequest.type], workerId: 'rival' };
  for (let round = 0; round < 30; round += 1) {
    const { id } = await tenant.create();
    await Promise.all([tenant.claim(), tenant.cancel(id), rival.claim(tenant.id, claim)]);
    expect(await tenant.read(id)).toMatchObject({ status: 'CANCELLED' });
    expect(await tenant.count(occupied)).toBe(0);
    expect(await tenant.count(leases)).toBe(0);
  }
});
