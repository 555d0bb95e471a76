import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createMemoryBus } from '../../src/bus/memory-bus.ts';
import type { ChangeCursor, JobUpdate } from '../../src/jobs/feed/changes.ts';
import type { Job } from '../../src/jobs/model/job.ts';
import { releaseJob } from '../../src/jobs/end/release.ts';
import { Updates } from '../../src/jobs/feed/updates.ts';
import { mostWaiting } from '../../src/jobs/feed/update-watcher.ts';
import { becomeDue, contextOf, Tenant } from '../support/domain.ts';
import { untilCounted } from '../support/log-scan.ts';
import { backend, type Longhaul, sharedLonghaul, startLonghaul } from '../support/longhaul.ts';
import { type BegunWatch, beginWatch, openTransaction } from '../support/updates.ts';

let longhaul: Longhaul;
let updates: Updates;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
  updates = updatesOf(longhaul);
});
afterAll(async () => {
  await updates.stop();
  await longhaul.stop();
});

/** As one more process of the installation tells them. */
function updatesOf({ services: { database, bus, log } }: Longhaul): Updates {
  const more = new Updates(database, bus, log);
  more.start();
  return more;
}

function watchOf(tenant: Tenant, after: ChangeCursor | null = null, matches: (job: Job) => boolean = () => true): Promise<BegunWatch> {
  return beginWatch(updates, { workspaceId: tenant.id, after, matches });
}

/** Where a watch that begins now has got to. */
async function placeNow(tenant: Tenant): Promise<ChangeCursor> {
  const watch = await watchOf(tenant);
  await tenant.create();
  const [update] = await watch.take(1);
  await watch.leave();
  if (update === undefined) throw new Error('there was no update');
  return update.cursor;
}

const named = (all: JobUpdate[]) => all.map(({ job }) => [job.id, job.version]);

test('every change of status while nobody watched comes after resuming, in order, with the job as it was', async () => {
  const tenant = await Tenant.in(longhaul);
  const place = await placeNow(tenant);

  const runAt = new Date(Date.now() + 3_600_000);
  const was: Job[] = [await tenant.create({ tags: ['a'] }), await tenant.create({ runAt })];
  const [job, planned] = was;
  if (job === undefined || planned === undefined) throw new Error('nothing was created');
  const attempt = async (end: (token: string) => Promise<Job>) => {
    const { job: started, token } = await tenant.start(job);
    await tenant.report(token, { step: 'working', message: 'Working.', percentage: 40 });
    was.push(started, await end(token));
  };
  await attempt((token) => tenant.fail(token));
  await becomeDue(longhaul, job.id);
  await attempt((token) => tenant.release(token));
  was.push(await tenant.cancel(planned.id, 'not wanted'));
  await attempt((token) => tenant.complete(token, { pages: [1, 2] }));
  const last = await tenant.running({ maxAttempts: 1 });
  was.push(await tenant.read(last.job.id), await tenant.fail(last.token));

  const seen = await (await watchOf(tenant, place)).take(was.length + 1);
  const creation = seen.findIndex(({ job: { id, version } }) => id === last.job.id && version === 1);
  expect(seen[creation]?.job).toMatchObject({ status: 'PENDING', attempt: 0, startedAt: null });
  expect(seen.toSpliced(creation, 1).map((update) => update.job)).toEqual(was);
  expect(seen.every(({ change }) => change)).toBe(true);
});

test('who watches sees each change, and progress after the change that it follows', async () => {
  const tenant = await Tenant.in(longhaul);
  const watch = await watchOf(tenant);
  const { token } = await tenant.running();
  expect(await watch.take(2)).toMatchObject([{ job: { status: 'PENDING' } }, { job: { status: 'RUNNING', progress: null } }]);
  for (const percentage of [20, 60]) {
    await tenant.report(token, { percentage });
    expect(await watch.take(1)).toMatchObject([{ change: false, job: { status: 'RUNNING', progress: { percentage } } }]);
  }
  await tenant.complete(token);
  const [end] = await watch.take(1);
  expect(end).toMatchObject({ change: true, job: { status: 'COMPLETED', version: 5 } });
});

test('from any place inside a batch, also over pages, nothing is repeated and nothing lost', async () => {
  const tenant = await Tenant.in(longhaul);
  const place = await placeNow(tenant);
  await tenant.createAll(Array.from({ length: 600 }, () => ({})));
  await tenant.createAll(Array.from({ length: 600 }, () => ({})));
  const all = await (await watchOf(tenant, place)).take(1_200);
  expect(new Set(named(all).map(String)).size).toBe(1_200);
  // One of the batch's inside, of its pages' ends, of a transaction's, and of the batch's own.
  for (const index of [0, 1, 498, 499, 500, 599, 600, 999, 1_198]) {
    const rest = await (await watchOf(tenant, all[index]?.cursor)).take(1_199 - index);
    expect(named(rest)).toEqual(named(all.slice(index + 1)));
  }
  const later = await watchOf(tenant, all.at(-1)?.cursor);
  const next = await tenant.create();
  expect(named(await later.take(1))).toEqual([[next.id, 1]]);
});

test('watchers that resume while changes go on get each of them', async () => {
  const tenant = await Tenant.in(longhaul);
  const place = await placeNow(tenant);
  const watches: Promise<JobUpdate[]>[] = [];
  const expected = new Set<string>();
  for (let round = 0; round < 20; round += 1) {
    watches.push(watchOf(tenant, place).then((watch) => watch.changes(200)));
    const created = await tenant.createAll(Array.from({ length: 5 }, () => ({})));
    await Promise.all(created.map(({ id }) => tenant.cancel(id)));
    for (const { id } of created) expected.add(`${id},1`).add(`${id},2`);
  }
  for (const seen of await Promise.all(watches)) expect(new Set(named(seen).map(String))).toEqual(expected);
});

test('a watch from now on begins with what commits after it has begun', async () => {
  const tenant = await Tenant.in(longhaul);
  // Somebody who watches already does not matter.
  const other = await watchOf(tenant);
  await tenant.create();
  const watch = await watchOf(tenant);
  const after = await tenant.create();
  expect(named(await watch.take(1))).toEqual([[after.id, 1]]);
  expect(named(await other.take(2))[1]).toEqual([after.id, 1]);
});

test('changes of one job whose transactions have their numbers the wrong way round come in the order of versions', async () => {
  const tenant = await Tenant.in(longhaul);
  const place = await placeNow(tenant);
  const job = await tenant.create();
  const between = await tenant.create();
  await tenant.cancel(job.id);
  const { database } = longhaul.services;
  const rows = await database.hot.query<{ xid: string; version: number }>(
    'SELECT xid::text, version FROM job_change WHERE workspace_id = $1 AND job_id = $2 ORDER BY version',
    [tenant.id, job.id],
  );
  await database.hot.query('DELETE FROM job_change WHERE workspace_id = $1 AND job_id = $2', [tenant.id, job.id]);
  for (const [index, { version }] of rows.entries()) {
    await database.hot.query(
      `INSERT INTO job_change (workspace_id, job_id, version, xid, status)
       SELECT $1, $2, $3, $4::text::xid8, CASE WHEN $3 = 1 THEN 'PENDING' ELSE 'CANCELLED' END`,
      [tenant.id, job.id, version, rows[1 - index]?.xid],
    );
  }
  const seen = await (await watchOf(tenant, place)).take(3);
  const order = [[job.id, 1], [between.id, 1], [job.id, 2]];
  expect(named(seen)).toEqual(order);
  // Rather again than not at all.
  for (const { cursor } of seen.slice(0, 2)) expect(named(await (await watchOf(tenant, cursor)).take(3))).toEqual(order);
});

test('another workspace has no part in it', async () => {
  const [tenant, other] = [await Tenant.in(longhaul), await Tenant.in(longhaul)];
  const place = await placeNow(tenant);
  const [live, resumed] = [await watchOf(tenant), await watchOf(tenant, place)];
  await other.cancel((await other.create()).id);
  const own = await tenant.create();
  for (const watch of [live, resumed]) expect(named(await watch.take(1))).toEqual([[own.id, 1]]);
});

test('a watcher that does not read holds a bounded number of updates and loses none', async () => {
  const tenant = await Tenant.in(longhaul);
  const stalled = await watchOf(tenant);
  const awake = await watchOf(tenant);
  const ids: string[] = [];
  for (let batch = 0; batch < 5; batch += 1) {
    ids.push(...(await tenant.createAll(Array.from({ length: 500 }, () => ({})))).map(({ id }) => id));
    // Whoever reads has them all, and the other was offered as many.
    await awake.take(500);
    expect(updates.waiting).toBeLessThanOrEqual(mostWaiting);
  }
  expect(named(await stalled.take(2_500)).map(([id]) => id)).toEqual(ids);
  // It is as live as before.
  const next = await tenant.create();
  expect(named(await stalled.take(1))).toEqual([[next.id, 1]]);
});

test('progress that waits is replaced by newer progress of the same job', async () => {
  const tenant = await Tenant.in(longhaul);
  const { token } = await tenant.running();
  const [slow, awake] = [await watchOf(tenant), await watchOf(tenant)];
  for (const percentage of [10, 20, 30]) {
    await tenant.report(token, { percentage });
    await awake.take(1);
  }
  expect(updates.waiting).toBe(1);
  await tenant.complete(token);
  expect(await slow.take(1)).toMatchObject([{ job: { progress: { percentage: 30 } } }]);
  expect(await slow.take(1)).toMatchObject([{ job: { status: 'COMPLETED' } }]);
});

test('wake-ups that were lost are made up for by reading again', async () => {
  const tenant = await Tenant.in(longhaul);
  const { database } = longhaul.services;
  // Not started, and on a bus that nobody publishes on: it hears nothing and has no timer.
  const deaf = new Updates(database, createMemoryBus(), longhaul.services.log);
  const watch = await beginWatch(deaf, { workspaceId: tenant.id });
  const job = await tenant.create();
  expect(deaf.waiting).toBe(0);
  await deaf.readAgain();
  expect(deaf.waiting).toBe(1);
  expect(named(await watch.take(1))).toEqual([[job.id, 1]]);
  await watch.leave();
  expect(deaf.size).toBe(0);
});

test('who watches is told when there is nothing left to catch up with', async () => {
  const tenant = await Tenant.in(longhaul);
  const place = await placeNow(tenant);
  await tenant.createAll([{}, {}]);
  let live = 0;
  const onLive = () => {
    live += 1;
  };
  await beginWatch(updates, { workspaceId: tenant.id, onLive });
  expect(live).toBe(1);
  const resumed = await beginWatch(updates, { workspaceId: tenant.id, after: place, onLive });
  await resumed.take(2);
  expect(live).toBe(1);
  const next = resumed.take(1);
  await expect.poll(() => live, { interval: 5 }).toBe(2);
  await tenant.create();
  await next;
});

test('a watch is over when it is returned, aborted, or the process stops, also while it waits', async () => {
  const tenant = await Tenant.in(longhaul);
  const all = new Updates(longhaul.services.database, longhaul.services.bus, longhaul.services.log);
  all.start();
  const gone = new AbortController();
  const request = { workspaceId: tenant.id, matches: () => true, after: null };
  const [returned, aborted, stopped] = [all.watch(request), all.watch({ ...request, signal: gone.signal }), all.watch(request)];
  const waiting = [returned, aborted, stopped].map((watch) => watch.next());
  await Promise.all([returned, aborted, stopped].map(({ started }) => started));
  expect(all.size).toBe(1);
  await returned.return?.();
  gone.abort();
  expect(all.size).toBe(1);
  await all.stop();
  await all.stop();
  expect(all.size).toBe(0);
  for (const { done } of await Promise.all(waiting)) expect(done).toBe(true);
  // One that never began, and one whose client had left before.
  all.watch({ ...request, signal: AbortSignal.abort() });
  const unread = all.watch(request);
  await unread.started;
  await unread.return?.();
  expect(all.size).toBe(0);
});

test('changes are kept for a week, and then deleted', async () => {
  const tenant = await Tenant.in(longhaul);
  const place = await placeNow(tenant);
  for (let batch = 0; batch < 2; batch += 1) await tenant.createAll(Array.from({ length: 750 }, () => ({})));
  const { database } = longhaul.services;
  const age = (days: number) =>
    database.hot.query(
      `UPDATE job_change SET changed_at = now() - make_interval(days => $2::int) WHERE workspace_id = $1 AND version = 1`,
      [tenant.id, days],
    );
  await age(7);
  const kept = await tenant.create();
  await longhaul.sweeper.keepHouse();
  await longhaul.sweeper.keepHouse();
  expect(await tenant.count('FROM job_change WHERE workspace_id = $1')).toBe(1_502);
  expect(await (await watchOf(tenant, place)).take(1_501)).toHaveLength(1_501);
  await age(8);
  await tenant.cancel(kept.id);
  // They are kept until they are counted, too.
  await untilCounted(database, tenant.id);
  await longhaul.sweeper.keepHouse();
  await longhaul.sweeper.keepHouse();
  expect(await tenant.count('FROM job_change WHERE workspace_id = $1')).toBe(1);
});

describe.runIf(backend === 'servers')('with transactions of other connections', () => {
  test('a change that commits late is neither lost nor keeps others waiting', async () => {
    const tenant = await Tenant.in(longhaul);
    const { job, token } = await tenant.running();
    const late = await openTransaction(longhaul);
    await releaseJob({ ...contextOf(longhaul), database: late.database }, tenant.id, { token });
    const watch = await watchOf(tenant);
    // One after the other: two that come in one batch are followed by the rest of it, and by what was late after that.
    const first = await tenant.create();
    const [one] = await watch.take(1);
    const second = await tenant.create();
    const [two] = await watch.take(1);
    expect([one?.job.id, two?.job.id]).toEqual([first.id, second.id]);
    await late.commit();
    await updates.readAgain();
    expect(named(await watch.take(1))).toEqual([[job.id, 3]]);
    // Who had gone away before it committed gets it too, and does not get again what had been sent.
    expect(named(await (await watchOf(tenant, two?.cursor)).take(1))).toEqual([[job.id, 3]]);
    expect(named(await (await watchOf(tenant, one?.cursor)).take(2))).toEqual([[job.id, 3], [second.id, 1]]);
  });

  test('a transaction that stays open somewhere delays nothing', async () => {
    const tenant = await Tenant.in(longhaul);
    const hanging = await openTransaction(longhaul);
    const watch = await watchOf(tenant);
    const first = await tenant.create();
    const [update] = await watch.take(1);
    expect(update?.job.id).toBe(first.id);
    const second = await tenant.create();
    expect(named(await (await watchOf(tenant, update?.cursor)).take(1))).toEqual([[second.id, 1]]);
    expect(named(await watch.take(1))).toEqual([[second.id, 1]]);
    await hanging.commit();
  });

  test('changes that another process makes are seen', async () => {
    const second = await startLonghaul({}, { sharing: longhaul });
    try {
      const tenant = await Tenant.in(longhaul);
      const told = updatesOf(second);
      const watch = await beginWatch(told, { workspaceId: tenant.id });
      const { token } = await tenant.running();
      await tenant.report(token, { percentage: 50 });
      expect(await watch.take(3)).toMatchObject([{ job: { version: 1 } }, { job: { version: 2 } }, { change: false }]);
      await watch.leave();
      await told.stop();
    } finally {
      await second.stop();
    }
  });
});
