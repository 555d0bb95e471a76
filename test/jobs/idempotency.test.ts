import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { InsufficientCreditsError, ValidationError } from '../../src/errors.ts';
import { IdempotencyConflictError } from '../../src/jobs/model/job-errors.ts';
import { createJob, createJobs } from '../../src/jobs/create/create.ts';
import { CreationQueue } from '../../src/jobs/create/creation-queue.ts';
import type { JobRequest } from '../../src/jobs/create/job-request.ts';
import type { JobLimits } from '../../src/jobs/model/context.ts';
import type { JobType } from '../../src/jobs/types/job-type.ts';
import { JobTypes } from '../../src/jobs/types/registry.ts';
import { shippedJobTypes } from '../../src/jobs/types/shipped.ts';
import { grantCredits } from '../../src/workspaces/grant-credits.ts';
import { contextOf, refusal, Tenant, usualRequest } from '../support/domain.ts';
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

/** Makes every key of the workspace one of an earlier version. */
async function wroteBefore(tenant: Tenant): Promise<void> {
  const sql = `UPDATE idempotency_key SET request_hash = repeat('a', 64) WHERE workspace_id = $1`;
  await longhaul.services.database.hot.query(sql, [tenant.id]);
}

const refuseAll = () => ({ ok: false as const, issues: [{ path: ['camera'], message: 'is required' }] });

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

describe('the same request again is answered alike, and another one is a conflict, after', () => {
  const types = shippedJobTypes;
  const limits = { maxInputBytes: 1_000, maxOutputBytes: 1_000, maxQueueLength: 10, maxWaitingClaimsPerKey: 10 };
  const withFingerprint = (change: Partial<JobType>) =>
    new JobTypes(types.map((type) => (type.name === usualRequest.type ? { ...type, ...change } : type)));
  const deploys: Record<string, { types?: JobTypes; limits?: Partial<JobLimits>; credits?: number }> = {
    'a deploy with another default of maxAttempts': { types: withFingerprint({ maxAttempts: 7 }) },
    'a deploy with a stricter schema': { types: withFingerprint({ parseInput: refuseAll }) },
    'a deploy without the type': { types: new JobTypes([]) },
    'a deploy with another price': { types: withFingerprint({ credits: 1_000_000 }) },
    'a deploy with a lower limit of inputs': { limits: { maxInputBytes: 1 } },
    'a deploy with a lower limit of the queue': { limits: { maxQueueLength: 1 } },
    'the last credit was spent': { credits: 1 },
  };
  test.each(Object.entries(deploys))('%s', async (_name, deploy) => {
    const tenant = await Tenant.in(longhaul, { credits: deploy.credits ?? credits });
    const first = await tenant.create(key);
    const context = {
      ...contextOf(longhaul),
      types: deploy.types ?? new JobTypes(types),
      limits: { ...limits, ...deploy.limits },
    };
    const queue = new CreationQueue(context);
    const native = { dialect: 'NATIVE' } as const;
    const again = (more: object) => createJob(context, queue, tenant.id, { ...usualRequest, ...key, ...more }, native);
    expect((await again({})).id).toBe(first.id);
    expect((await refusal(IdempotencyConflictError, again({ tags: ['another'] }))).job?.id).toBe(first.id);
    const [known] = await createJobs(context, queue, tenant.id, [{ ...usualRequest, ...key }], native);
    expect(known?.id).toBe(first.id);
    expect(await tenant.count('FROM job WHERE workspace_id = $1')).toBe(1);
  });

  test('its job was deleted that it retried', async () => {
    const tenant = await Tenant.in(longhaul);
    const failed = await tenant.create();
    await tenant.cancel(failed.id);
    const retry = (id: string) => longhaul.services.jobs.retry(tenant.id, id, key.idempotencyKey);
    const first = await retry(failed.id);
    await longhaul.services.database.hot.query('DELETE FROM job WHERE id = $1', [failed.id]);
    expect((await retry(failed.id)).id).toBe(first.id);
    expect((await refusal(IdempotencyConflictError, retry(first.id))).job?.id).toBe(first.id);
  });
});

describe('a key that an earlier version wrote, hashing what it had filled in', () => {
  const requests: Partial<JobRequest>[] = [
    {},
    { tags: ['a', 'b', 'a'], priority: 0, maxAttempts: 3 },
    { runAt: new Date('2999-01-01T00:00:00Z'), webhookUrl: 'https://example.com/hook', input: { sourceUrl: 'https://a.example', n: [1.5] } },
  ];
  test.each(requests)('stands for its request: %j', async (request) => {
    const tenant = await Tenant.in(longhaul);
    const first = await tenant.create({ ...key, ...request });
    await wroteBefore(tenant);
    expect((await tenant.create({ ...key, ...request })).id).toBe(first.id);
    await refusal(IdempotencyConflictError, tenant.create({ ...key, ...request, priority: 5 }));
    await refusal(IdempotencyConflictError, tenant.create({ ...key, ...request, type: 'download' }));
  });

  test('stands for its retry', async () => {
    const tenant = await Tenant.in(longhaul);
    const { id } = await tenant.create();
    await tenant.cancel(id);
    const retry = () => longhaul.services.jobs.retry(tenant.id, id, key.idempotencyKey);
    const first = await retry();
    await wroteBefore(tenant);
    expect((await retry()).id).toBe(first.id);
    await refusal(IdempotencyConflictError, tenant.create(key));
  });
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
