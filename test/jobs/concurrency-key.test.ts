import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { claimRound, firstWorkspace } from '../../src/jobs/claim/claim.ts';
import { endJob, firstParameter } from '../../src/jobs/end/ending.ts';
import type { JobRequest } from '../../src/jobs/create/job-request.ts';
import { noteStrays } from '../../src/jobs/keys/strays.ts';
import { sqlDispatchAt } from '../../src/jobs/model/parking.ts';
import { contextOf, endLease, held, type HeldJob, rivalClaimer, sweep, Tenant, usualRequest } from '../support/domain.ts';
import { leastTime } from '../support/least-time.ts';
import { type Longhaul, sharedLonghaul } from '../support/longhaul.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
});
afterAll(() => longhaul.stop());

const types = ['fingerprint', 'transcribe'];
const inLine = `FROM job WHERE workspace_id = $1 AND status = 'PENDING' AND ready AND dispatch_at < '10000-02-01'`;
const keys = 'FROM concurrency_key WHERE workspace_id = $1';

/** Waits until the keys are settled, whoever has changed them. */
async function settled(): Promise<void> {
  await longhaul.services.jobs.loops.find(({ name }) => name === 'settling concurrency keys')?.settle();
}

function many(count: number, asked: Partial<JobRequest>): Partial<JobRequest>[] {
  return Array.from({ length: count }, () => asked);
}

/** The ways in which a job may leave its seat. */
const endings = {
  complete: (tenant: Tenant, { token }: HeldJob) => tenant.complete(token),
  'fail for good': (tenant: Tenant, { token }: HeldJob) => tenant.fail(token, { retryable: false }),
  'fail and wait for another attempt': (tenant: Tenant, { token }: HeldJob) => tenant.fail(token),
  cancel: (tenant: Tenant, { job }: HeldJob) => tenant.cancel(job.id),
  expire: async (_tenant: Tenant, { job }: HeldJob) => {
    await endLease(longhaul, job.id);
    await sweep(longhaul);
  },
};

describe('a job gives its seat back', () => {
  test.each(Object.entries(endings))('by the way of: %s', async (_name, end) => {
    const tenant = await Tenant.in(longhaul);
    const first = await tenant.running({ concurrencyKey: 'gpu' });
    const second = await tenant.create({ concurrencyKey: 'gpu' });
    expect(await tenant.claim()).toEqual([]);
    expect(await tenant.claim({ jobIds: [second.id] })).toEqual([]);

    await end(tenant, first);

    const [next] = await tenant.claim();
    expect(next?.job.id).toBe(second.id);
  });

  test('when its worker hands it back, and is the next again', async () => {
    const tenant = await Tenant.in(longhaul);
    const first = await tenant.running({ concurrencyKey: 'gpu', priority: 5 });
    await tenant.create({ concurrencyKey: 'gpu' });
    await tenant.release(first.token);
    const [again] = await tenant.claim({ limit: 2 });
    expect(again?.job.id).toBe(first.job.id);
    expect(await tenant.claim()).toEqual([]);
  });
});

test('of a key run as many jobs as its limit, over all types, and jobs of other keys and workspaces beside them', async () => {
  const [tenant, other] = [await Tenant.in(longhaul), await Tenant.in(longhaul)];
  await tenant.createAll(types.flatMap((type) => many(3, { type, concurrencyKey: 'one customer', concurrencyLimit: 3 })));
  await tenant.createAll([{ concurrencyKey: 'another' }, { concurrencyKey: 'another' }, {}]);
  await other.create({ concurrencyKey: 'one customer' });
  const claimed = await tenant.claim({ types, limit: 100 });
  const byKey = Map.groupBy(claimed, ({ job }) => job.concurrencyKey);
  expect(byKey.get('one customer')).toHaveLength(3);
  expect(byKey.get('another')).toHaveLength(1);
  expect(byKey.get(null)).toHaveLength(1);
  expect(await other.claim({ limit: 100 })).toHaveLength(1);
});

test("the limit is that of the key's job created last: a higher one lets more run, a lower one stops claims alone", async () => {
  const tenant = await Tenant.in(longhaul);
  await tenant.createAll(many(6, { concurrencyKey: 'gpu' }));
  const running = await tenant.claim({ limit: 10 });
  expect(running).toHaveLength(1);
  await tenant.createAll([{ concurrencyKey: 'gpu', concurrencyLimit: 9 }, { concurrencyKey: 'gpu', concurrencyLimit: 3 }]);
  running.push(...(await tenant.claim({ limit: 10 })));
  expect(running).toHaveLength(3);
  await tenant.create({ concurrencyKey: 'gpu', concurrencyLimit: 2 });
  for (const { token } of running.splice(0, 2)) await tenant.complete(token);
  running.push(...(await tenant.claim({ limit: 10 })));
  expect(running).toHaveLength(2);
});

test('a job keeps what it was created with, and its retry too', async () => {
  const tenant = await Tenant.in(longhaul);
  const job = await tenant.create({ concurrencyKey: 'gpu' });
  expect(job).toMatchObject({ concurrencyKey: 'gpu', concurrencyLimit: 1 });
  await tenant.create({ concurrencyKey: 'gpu', concurrencyLimit: 7 });
  expect(await tenant.read(job.id)).toMatchObject({ concurrencyKey: 'gpu', concurrencyLimit: 1 });
  await tenant.cancel(job.id);
  expect(await longhaul.services.jobs.retry(tenant.id, job.id, null)).toMatchObject({ concurrencyKey: 'gpu', concurrencyLimit: 1 });
  expect(await tenant.create()).toMatchObject({ concurrencyKey: null, concurrencyLimit: null });
});

test('jobs of a key start in their order, among the others', async () => {
  const tenant = await Tenant.in(longhaul);
  const [plain, late, early] = await tenant.createAll([
    { priority: 5 },
    { concurrencyKey: 'gpu', concurrencyLimit: 2 },
    { concurrencyKey: 'gpu', concurrencyLimit: 2, priority: 3 },
  ]);
  await settled();
  const first = await tenant.create({ concurrencyKey: 'gpu', concurrencyLimit: 2, priority: 9 });
  await settled();
  const claimed = await tenant.claim({ limit: 10 });
  expect(claimed.map(({ job }) => job.id)).toEqual([first.id, plain?.id, early?.id]);
  expect(claimed.map(({ job }) => job.id)).not.toContain(late?.id);
});

test('the next job of a key may be of a type that nobody takes, and keeps no other from the seat', async () => {
  const tenant = await Tenant.in(longhaul);
  await tenant.create({ type: 'transcribe', concurrencyKey: 'gpu', priority: 100 });
  const job = await tenant.create({ concurrencyKey: 'gpu' });
  const [claimed] = await tenant.claim();
  expect(claimed?.job.id).toBe(job.id);
  expect(await tenant.claim({ types })).toEqual([]);
});

test('a job that waits for its time, or for another attempt, takes its turn then', async () => {
  const tenant = await Tenant.in(longhaul);
  const soon = await tenant.create({ concurrencyKey: 'gpu', runAt: new Date(Date.now() + 3_600_000) });
  const first = await tenant.running({ concurrencyKey: 'gpu' });
  await longhaul.services.database.hot.query('UPDATE job SET due_at = now() WHERE id = $1', [soon.id]);
  await sweep(longhaul);
  expect(await tenant.claim()).toEqual([]);
  await tenant.complete(first.token);
  const [second] = await tenant.claim();
  expect(second?.job.id).toBe(soon.id);
});

test('beside the limit of the workspace, the stricter one counts', async () => {
  const tenant = await Tenant.in(longhaul, { concurrencyLimit: 2 });
  await tenant.createAll([...many(3, { concurrencyKey: 'gpu', priority: 9 }), ...many(3, {})]);
  await settled();
  const claimed = await tenant.claim({ limit: 10 });
  expect(claimed.map(({ job }) => job.concurrencyKey)).toEqual(['gpu', null]);
});

test('a claim by name starts a job that stands behind others of its key, if there is a seat', async () => {
  const tenant = await Tenant.in(longhaul);
  const jobs = await tenant.createAll(many(3, { concurrencyKey: 'gpu' }));
  await settled();
  const ids = jobs.slice(1).map(({ id }) => id);
  expect(await tenant.claim({ jobIds: ids, limit: 3 })).toHaveLength(1);
  await settled();
  expect(await tenant.count(inLine)).toBe(0);
  expect(await tenant.claim({ limit: 3 })).toEqual([]);
});

test('of the jobs of a key those that have a seat stand where claims look, and the others do not', async () => {
  const tenant = await Tenant.in(longhaul);
  await tenant.createAll(many(300, { concurrencyKey: 'gpu', concurrencyLimit: 2 }));
  await settled();
  expect(await tenant.count(inLine)).toBe(2);
  const [first] = await tenant.claim({ limit: 1 });
  await settled();
  expect(await tenant.count(inLine)).toBe(1);
  await tenant.claim({ limit: 1 });
  await settled();
  expect(await tenant.count(inLine)).toBe(0);
  await tenant.cancel(first?.job.id ?? '');
  await settled();
  expect(await tenant.count(inLine)).toBe(1);
  const counts = await longhaul.services.jobs.counting.byStatus(tenant.id);
  expect(counts).toMatchObject({ pending: 298, scheduled: 0, running: 1 });
});

test('a cancelled job makes room for the next in line, and a key without jobs is forgotten', async () => {
  const tenant = await Tenant.in(longhaul);
  const [first, second, third] = await tenant.createAll([...many(2, { concurrencyKey: 'gpu' }), { concurrencyKey: 'later', runAt: new Date('2100-01-01') }]);
  await settled();
  await tenant.cancel(first?.id ?? '');
  const [claimed] = await tenant.claim();
  expect(claimed?.job.id).toBe(second?.id);
  await tenant.complete(claimed?.token ?? '');
  await settled();
  expect(await tenant.count(keys)).toBe(1);
  await tenant.cancel(third?.id ?? '');
  await settled();
  expect(await tenant.count(keys)).toBe(0);
});

/** How long it takes to claim a job that has just been created. */
async function milliseconds(of: Tenant): Promise<number> {
  await of.create();
  const before = performance.now();
  expect(await of.claim({ limit: 2 })).toHaveLength(1);
  return performance.now() - before;
}

test('ten thousand jobs of a full key ahead delay a claim of another job by less than 50 ms', async () => {
  const [tenant, empty] = [await Tenant.in(longhaul), await Tenant.in(longhaul)];
  await tenant.running({ concurrencyKey: 'gpu' });
  await longhaul.fill(
    `INSERT INTO job (id, workspace_id, type, input, max_attempts, credits_charged, concurrency_key, concurrency_limit, dispatch_at)
     SELECT gen_random_uuid(), $1, 'fingerprint', '{}', 3, 0, concurrency_key, 1, ${sqlDispatchAt('now()', 'made')}
     FROM (SELECT 'gpu' AS concurrency_key, 0 AS priority FROM generate_series(1, 10000)) AS made`,
    [tenant.id],
  );
  const delay = async () => (await milliseconds(tenant)) - (await milliseconds(empty));
  expect(await leastTime(50, delay)).toBeLessThan(50);
});

test('rival processes never run more than the limit of any key while jobs come and go in every way, and all jobs end', async () => {
  const tenant = await Tenant.in(longhaul, { concurrencyLimit: 7 });
  const limits: Record<string, number> = { one: 1, two: 2, four: 4 };
  const create = (seed: number) => {
    const key = ['one', 'two', 'four', null][seed % 4] ?? null;
    const type = types[seed % 2] ?? usualRequest.type;
    return tenant.create({ type, maxAttempts: 2, concurrencyKey: key, concurrencyLimit: key === null ? null : limits[key], priority: seed % 3 });
  };
  const total = 48;
  await Promise.all(Array.from({ length: total / 2 }, (_, index) => create(index)));
  const ways = [...Object.values(endings), (_: Tenant, { token }: HeldJob) => tenant.release(token)];
  const unfinished = `FROM job WHERE workspace_id = $1 AND finished_at IS NULL`;
  const tooMany = `FROM (
      SELECT concurrency_key FROM job WHERE workspace_id = $1 AND status = 'RUNNING' AND concurrency_key IS NOT NULL GROUP BY 1
      HAVING count(*) > CASE concurrency_key WHEN 'one' THEN 1 WHEN 'two' THEN 2 ELSE 4 END
    ) AS key`;
  let created = total / 2;

  const work = async (index: number) => {
    const context = contextOf(longhaul);
    const claimer = rivalClaimer(longhaul, context);
    for (let turn = index; (await tenant.count(unfinished)) > 0; turn += 1) {
      await longhaul.services.database.hot.query('UPDATE job SET due_at = now() WHERE workspace_id = $1 AND NOT ready', [tenant.id]);
      if (index === 0) await sweep(longhaul);
      const claimed = await claimer.claim(tenant.id, { types, limit: 3, workerId: `worker ${index}` });
      for (const attempt of claimed) {
        expect(await tenant.count(tooMany)).toBe(0);
        if (created < total) await create((created += 1));
        await ways[turn % ways.length]?.(tenant, held(attempt));
        turn += 1;
      }
    }
    // It settles its keys, too. While it has one locked, nobody else waits for it.
    await context.concurrencyKeys.loop.settle();
  };
  await Promise.all(Array.from({ length: 6 }, (_, index) => work(index)));
  await settled();

  expect(await tenant.count(keys)).toBe(0);
  expect(await tenant.count('FROM lease WHERE workspace_id = $1')).toBe(0);
});

test('a process that was killed before it settled its keys leaves that to another', async () => {
  const tenant = await Tenant.in(longhaul);
  const [first, second] = await tenant.createAll(many(2, { concurrencyKey: 'gpu' }));
  await settled();
  const killed = contextOf(longhaul);
  await killed.concurrencyKeys.loop.stop();
  const round = { scope: tenant.id, types, jobIds: null, workerIds: ['killed'], apiKeyId: null, after: firstWorkspace, workspaces: 1, without: [], limits: true };
  const { started } = await claimRound(killed, round);
  expect(started.map(({ job }) => job.id)).toEqual([first?.id]);
  const $ = firstParameter;
  await endJob(killed, {
    update: `UPDATE job SET status = 'COMPLETED', version = version + 1 WHERE id = $${$}::uuid RETURNING job.*`,
    parameters: [first?.id],
    outcome: 'COMPLETED',
  });
  const [next] = await tenant.claim({ waitSeconds: 30 });
  expect(next?.job.id).toBe(second?.id);
});

test('an attempt that a version without keys has ended gives its seat back, and its next in line is found', async () => {
  const { database } = longhaul.services;
  const tenant = await Tenant.in(longhaul);
  const [first, second, third] = await tenant.createAll(many(3, { concurrencyKey: 'gpu' }));
  await tenant.claim();
  await settled();
  await database.hot.query('DELETE FROM lease WHERE job_id = $1', [first?.id]);
  expect(await tenant.claim()).toEqual([]);
  await noteStrays(database);
  await settled();
  await database.hot.query(`UPDATE job SET status = 'COMPLETED' WHERE id = $1`, [second?.id]);
  expect(await tenant.claim()).toEqual([]);
  await noteStrays(database);
  await settled();
  const [claimed] = await tenant.claim();
  expect(claimed?.job.id).toBe(third?.id);
});

const bounds: [string, Partial<JobRequest>, string][] = [
  ['a limit without a key', { concurrencyLimit: 1 }, 'concurrencyLimit'],
  ['a limit of none', { concurrencyKey: 'gpu', concurrencyLimit: 0 }, 'concurrencyLimit'],
  ['a limit above 1,000', { concurrencyKey: 'gpu', concurrencyLimit: 1_001 }, 'concurrencyLimit'],
  ['an empty key', { concurrencyKey: '' }, 'concurrencyKey'],
  ['a key of 256 characters', { concurrencyKey: 'x'.repeat(256) }, 'concurrencyKey'],
  ['a key with NUL', { concurrencyKey: 'a\0b' }, 'concurrencyKey'],
  ['a key with half a character', { concurrencyKey: 'a\ud800' }, 'concurrencyKey'],
];

test.each(bounds)('%s is refused, and nothing is written', async (_what, asked, field) => {
  const tenant = await Tenant.in(longhaul);
  await expect(tenant.create(asked)).rejects.toMatchObject({ name: 'ValidationError', issues: [{ path: [field] }] });
  await expect(tenant.createAll([{}, asked])).rejects.toMatchObject({ issues: [{ path: ['jobs', '1', field] }] });
  expect(await tenant.count('FROM job WHERE workspace_id = $1')).toBe(0);
  expect(await tenant.count(keys)).toBe(0);
});

test('a key of 255 characters and a limit of 1,000 are taken', async () => {
  const tenant = await Tenant.in(longhaul);
  const asked = { concurrencyKey: '😀'.repeat(127) + 'x', concurrencyLimit: 1_000 };
  expect(await tenant.create(asked)).toMatchObject(asked);
  expect((await tenant.claim()).map(({ job }) => job.type)).toEqual([usualRequest.type]);
});
