import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { InsufficientCreditsError, ValidationError } from '../../src/errors.ts';
import { IdempotencyConflictError } from '../../src/jobs/model/job-errors.ts';
import { CreationQueue } from '../../src/jobs/create/creation-queue.ts';
import { grantCredits } from '../../src/workspaces/grant-credits.ts';
import { contextOf, refusal, Tenant } from '../support/domain.ts';
import { type Longhaul, sharedLonghaul } from '../support/longhaul.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
});
afterAll(() => longhaul.stop());

const credits = 100;
const key = { idempotencyKey: 'order 66' };

/** Makes every key of the workspace as old as that. */
async function age(tenant: Tenant, interval: string): Promise<void> {
  await longhaul.services.database.hot.query(
    `UPDATE idempotency_key SET created_at = now() - $2::interval WHERE workspace_id = $1`,
    [tenant.id, interval],
  );
}

describe('fifty simultaneous calls with one key and one request', () => {
  test('make one job and one charge', async () => {
    const tenant = await Tenant.in(longhaul, { credits });
    const jobs = await Promise.all(Array.from({ length: 50 }, () => tenant.create(key)));
    expect(new Set(jobs.map(({ id }) => id)).size).toBe(1);
    expect(await tenant.balance()).toBe(credits - 1);
    expect(await tenant.count('FROM job WHERE workspace_id = $1')).toBe(1);
  });

  test('do so also when they come to different processes', async () => {
    const tenant = await Tenant.in(longhaul, { credits });
    const processes = Array.from({ length: 5 }, () => new CreationQueue(contextOf(longhaul)));
    const jobs = await Promise.all(
      Array.from({ length: 10 }, () => processes.map((queue) => tenant.create(key, queue))).flat(),
    );
    expect(new Set(jobs.map(({ id }) => id)).size).toBe(1);
    expect(await tenant.balance()).toBe(credits - 1);
  });

  test('take nothing from the keyless ones beside them', async () => {
    const tenant = await Tenant.in(longhaul, { credits });
    const processes = Array.from({ length: 5 }, () => new CreationQueue(contextOf(longhaul)));
    const jobs = await Promise.all(processes.flatMap((queue) => [tenant.create(key, queue), tenant.create({}, queue)]));
    expect(new Set(jobs.map(({ id }) => id)).size).toBe(6);
    expect(await tenant.balance()).toBe(credits - 6);
  });
});

test('the same call again gives the job as it is by now', async () => {
  const tenant = await Tenant.in(longhaul);
  const first = await tenant.create(key);
  await tenant.cancel(first.id);
  expect(await tenant.create(key)).toMatchObject({ id: first.id, status: 'CANCELLED' });
});

test('the order of the fields of an input does not make another request', async () => {
  const tenant = await Tenant.in(longhaul);
  const sourceUrl = 'https://example.com/a.mp4';
  const first = await tenant.create({ ...key, input: { sourceUrl, note: { a: 1, b: 2 } } });
  const again = await tenant.create({ ...key, input: { note: { b: 2, a: 1 }, sourceUrl } });
  expect(again.id).toBe(first.id);
});

test('a key with another request is a conflict that names the first job', async () => {
  const tenant = await Tenant.in(longhaul, { credits });
  const first = await tenant.create(key);
  const { job } = await refusal(IdempotencyConflictError, tenant.create({ ...key, priority: 1 }));
  expect(job).toEqual(first);
  expect(await tenant.balance()).toBe(credits - 1);
});

test('of two different requests that race for one key, one is served and one refused', async () => {
  const tenant = await Tenant.in(longhaul, { credits });
  const rivals = [1, 2].map((priority) =>
    tenant.create({ ...key, priority }, new CreationQueue(contextOf(longhaul))),
  );
  const results = await Promise.allSettled(rivals);
  expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  expect(results).toContainEqual(expect.objectContaining({ reason: expect.any(IdempotencyConflictError) }));
  expect(await tenant.balance()).toBe(credits - 1);
});

test('the same key of another workspace is another key', async () => {
  const [one, other] = await Promise.all([Tenant.in(longhaul), Tenant.in(longhaul)]);
  const jobs = await Promise.all([one.create(key), other.create({ ...key, priority: 1 })]);
  expect(jobs.map(({ workspaceId }) => workspaceId)).toEqual([one.id, other.id]);
});

test('a key stands for its request for 24 hours, and is free after them', async () => {
  const tenant = await Tenant.in(longhaul);
  const first = await tenant.create(key);
  await age(tenant, '23 hours 59 minutes');
  expect((await tenant.create(key)).id).toBe(first.id);

  await age(tenant, '24 hours');
  const second = await tenant.create({ ...key, priority: 1 });

  expect(second.id).not.toBe(first.id);
  expect((await tenant.create({ ...key, priority: 1 })).id).toBe(second.id);
});

test('a key whose job is deleted is free', async () => {
  const tenant = await Tenant.in(longhaul);
  const first = await tenant.create(key);
  await longhaul.services.database.hot.query('DELETE FROM job WHERE id = $1', [first.id]);
  expect((await tenant.create({ ...key, priority: 1 })).id).not.toBe(first.id);
});

test('the key of a grant is not the key of a job', async () => {
  const tenant = await Tenant.in(longhaul, { credits });
  await tenant.create(key);
  await grantCredits(longhaul.services.database, { ...key, workspaceId: tenant.id, amount: 5 });
  expect(await tenant.balance()).toBe(credits - 1 + 5);
});

describe('a key that was refused can be used again', () => {
  test('after an input that was not valid', async () => {
    const tenant = await Tenant.in(longhaul);
    await refusal(ValidationError, tenant.create({ ...key, input: {} }));
    expect(await tenant.create(key)).toMatchObject({ status: 'PENDING' });
  });

  test('after the credits did not suffice', async () => {
    const tenant = await Tenant.in(longhaul, { credits: 2 });
    await refusal(InsufficientCreditsError, tenant.create({ ...key, type: 'transcribe' }));
    expect(await tenant.create(key)).toMatchObject({ status: 'PENDING', type: 'fingerprint' });
  });
});

describe('in a call with many jobs', () => {
  test('the same key twice with the same request is one job, in both places', async () => {
    const tenant = await Tenant.in(longhaul, { credits });
    const jobs = await tenant.createAll([{ priority: 1 }, key, { priority: 2 }, key]);
    expect(jobs.map(({ priority }) => priority)).toEqual([1, 0, 2, 0]);
    expect(jobs[3]).toEqual(jobs[1]);
    expect(await tenant.balance()).toBe(credits - 3);
  });

  test('the same key twice with different requests is a mistake, and nothing is created', async () => {
    const tenant = await Tenant.in(longhaul, { credits });
    const { issues } = await refusal(ValidationError, tenant.createAll([key, { ...key, priority: 1 }]));
    expect(issues).toMatchObject([{ path: ['jobs', '1', 'idempotencyKey'] }]);
    expect(await tenant.balance()).toBe(credits);
  });

  test('a job that its key already made takes its place and is not charged again', async () => {
    const tenant = await Tenant.in(longhaul, { credits });
    const known = await tenant.create(key);
    const jobs = await tenant.createAll([{ priority: 1 }, key, { priority: 2 }]);
    expect(jobs[1]).toEqual(known);
    expect(jobs.map(({ priority }) => priority)).toEqual([1, 0, 2]);
    expect(await tenant.balance()).toBe(credits - 3);
  });

  test('a known job does not have to be paid for again where credits are short', async () => {
    const tenant = await Tenant.in(longhaul, { credits: 2 });
    const known = await tenant.create(key);
    const jobs = await tenant.createAll([key, {}]);
    expect(jobs[0]).toEqual(known);
    expect(await tenant.balance()).toBe(0);
  });

  test('one conflict refuses all', async () => {
    const tenant = await Tenant.in(longhaul, { credits });
    await tenant.create(key);
    await refusal(IdempotencyConflictError, tenant.createAll([{}, { ...key, priority: 1 }]));
    expect(await tenant.balance()).toBe(credits - 1);
  });
});
