import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { InsufficientCreditsError, QueueFullError } from '../../src/errors.ts';
import { IdempotencyConflictError } from '../../src/jobs/model/job-errors.ts';
import { CreationQueue } from '../../src/jobs/create/creation-queue.ts';
import type { Job } from '../../src/jobs/model/job.ts';
import { contextOf, refusal, Tenant } from '../support/domain.ts';
import { backend, type Longhaul, startLonghaul } from '../support/longhaul.ts';
import { observed } from '../support/observed-database.ts';

const limit = 50;
const jobsOf = 'FROM job WHERE workspace_id = $1';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await startLonghaul({ MAX_QUEUE_LENGTH: String(limit) });
});
afterAll(() => longhaul.stop());

/** What creates in as many more processes. */
function processes(count: number, of = longhaul): CreationQueue[] {
  return Array.from({ length: count }, () => new CreationQueue(contextOf(of)));
}

/** How many were created; the others have to be refused because the queue is full. */
async function created(calls: readonly Promise<Job>[]): Promise<number> {
  const results = await Promise.allSettled(calls);
  const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
  for (const reason of refused) expect(reason).toBeInstanceOf(QueueFullError);
  return calls.length - refused.length;
}

/** `count` calls that come one by one to the processes in turn, and not as one batch. */
async function burst(tenant: Tenant, queues: readonly CreationQueue[], count: number): Promise<number> {
  const calls = Array.from({ length: count }, async (_, index) => {
    for (let turn = 0; turn < index % 20; turn += 1) await new Promise(setImmediate);
    return tenant.create({}, queues[index % queues.length]);
  });
  return created(calls);
}

test('two hundred creations over five processes fill the queue to its limit and not beyond', async () => {
  const tenant = await Tenant.in(longhaul);
  expect(await burst(tenant, processes(5), 200)).toBe(limit);
  expect(await tenant.count(jobsOf)).toBe(limit);
  expect(await tenant.balance()).toBe(1_000_000 - limit);

  await tenant.claim({ limit: 7 });
  expect(await burst(tenant, processes(5), 100)).toBe(7);
});

test("one workspace's full queue is no other's", async () => {
  const [full, other] = [await Tenant.in(longhaul), await Tenant.in(longhaul)];
  await full.createAll(Array.from({ length: limit }, () => ({})));
  const [refused, taken] = await Promise.all([burst(full, processes(2), 10), burst(other, processes(2), 10)]);
  expect({ refused, taken }).toEqual({ refused: 0, taken: 10 });
});

test('where the queue is full, a request that came before has its answer again', async () => {
  const tenant = await Tenant.in(longhaul);
  const asked = { idempotencyKey: 'order 66' };
  const [first] = await tenant.createAll([asked, ...Array.from({ length: limit - 1 }, () => ({}))]);
  const again = await Promise.all(processes(3).map((queue) => tenant.create(asked, queue)));
  expect(again.map(({ id }) => id)).toEqual([first?.id, first?.id, first?.id]);
  await refusal(IdempotencyConflictError, tenant.create({ ...asked, priority: 5 }));
  await refusal(QueueFullError, tenant.create({ idempotencyKey: 'order 67' }));
});

test('one key that comes to many processes at the same time takes the place of one job', async () => {
  const tenant = await Tenant.in(longhaul);
  const queues = processes(5);
  const jobs = await Promise.all(
    Array.from({ length: 100 }, (_, index) => tenant.create({ idempotencyKey: 'order 66' }, queues[index % 5])),
  );
  expect(new Set(jobs.map(({ id }) => id)).size).toBe(1);
  expect(await burst(tenant, queues, 100)).toBe(limit - 1);
});

test('whoever cannot pay takes no place', async () => {
  const tenant = await Tenant.in(longhaul, { credits: 20 });
  const queues = processes(2);
  const results = await Promise.allSettled(
    Array.from({ length: 60 }, (_, index) => tenant.create({}, queues[index % 2])),
  );
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(20);
  const { required, available } = await refusal(InsufficientCreditsError, tenant.create());
  expect({ required, available }).toEqual({ required: 1, available: 0 });
  expect(await tenant.count(jobsOf)).toBe(20);
});

test('a long queue is exact too, also for processes that have seen nothing of it', async () => {
  const long = 5_000;
  const own = await startLonghaul({ MAX_QUEUE_LENGTH: String(long) });
  onTestFinished(() => own.stop());
  const tenant = await Tenant.in(own);
  expect(await burst(tenant, processes(4, own), 20)).toBe(20);
  for (let left = long - 20 - 10; left > 0; left -= 1_000) {
    await tenant.createAll(Array.from({ length: Math.min(left, 1_000) }, () => ({})));
  }
  expect(await burst(tenant, processes(4, own), 100)).toBe(10);
  expect(await tenant.count(jobsOf)).toBe(long);
});

test('a workspace whose queue nobody has counted yet, as after an upgrade, is counted by its first creation', async () => {
  const tenant = await Tenant.in(longhaul);
  await tenant.createAll(Array.from({ length: limit - 3 }, () => ({})));
  await longhaul.services.database.hot.query(
    'UPDATE workspace SET pending_at_most = 1000000000, pending_allowed = 1000000000 WHERE id = $1',
    [tenant.id],
  );
  expect(await burst(tenant, processes(2), 20)).toBe(3);
});

test('near its limit, a count serves as many creations as it finds room for', async () => {
  const tenant = await Tenant.in(longhaul);
  await tenant.createAll(Array.from({ length: limit }, () => ({})));
  await tenant.claim({ limit: 20 });
  const counts: string[] = [];
  const database = observed(longhaul.services.database, ({ sql }) => void (/count\(\*\)::int/.test(sql) && counts.push(sql)));
  const queue = new CreationQueue({ ...contextOf(longhaul), database });
  for (let creation = 0; creation < 20; creation += 1) await tenant.create({}, queue);
  expect(counts).toHaveLength(1);
  await refusal(QueueFullError, tenant.create({}, queue));
});

test('what MAX_QUEUE_LENGTH is at the moment counts, not what it was', async () => {
  const tenant = await Tenant.in(longhaul);
  await tenant.createAll(Array.from({ length: 30 }, () => ({})));
  const context = contextOf(longhaul);
  const lower = new CreationQueue({ ...context, limits: { ...context.limits, maxQueueLength: 20 } });
  await refusal(QueueFullError, tenant.create({}, lower));
  expect(await burst(tenant, processes(2), 30)).toBe(limit - 30);
});

describe.runIf(backend === 'servers')('two processes on one Postgres', () => {
  test('accept together as many of two hundred creations as there is room for', async () => {
    const second = await startLonghaul({ MAX_QUEUE_LENGTH: String(limit) }, { sharing: longhaul });
    onTestFinished(() => second.stop());
    for (let round = 0; round < 5; round += 1) {
      const tenant = await Tenant.in(longhaul);
      const tenants = [tenant, Tenant.of(second, tenant.id)];
      const calls = Array.from({ length: 100 }, () => tenants.map((one) => one.create())).flat();
      expect(await created(calls)).toBe(limit);
      expect(await tenant.count(jobsOf)).toBe(limit);
    }
  });
});
