import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Database } from '../../src/database/database.ts';
import type { Queryable } from '../../src/database/queryable.ts';
import { deleteOldChanges } from '../../src/jobs/retention/change-retention.ts';
import { rollUp } from '../../src/jobs/statistics/roll-up.ts';
import { Tenant } from '../support/domain.ts';
import { expectCounts, expectStatistics, untilCounted } from '../support/log-scan.ts';
import { type Longhaul, sharedLonghaul } from '../support/longhaul.ts';
import { allowingRefusal, step as lifeStep, Story, storyTypes } from '../support/story.ts';

let longhaul: Longhaul;
let database: Database;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
  ({ database } = longhaul.services);
});
afterAll(() => longhaul.stop());

/** Beside what happens to jobs: the sweep, retention, and time that passes between two steps. */
const step = fc.oneof(
  { weight: 4, arbitrary: lifeStep },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('rollUp', 'delete', 'schedule') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('age'), minutes: fc.integer({ min: 1, max: 2_000 }), spread: fc.double({ min: 0, max: 1_000, noNaN: true }) }) },
);

async function take(story: Story, next: typeof step extends fc.Arbitrary<infer Step> ? Step : never): Promise<void> {
  const { id } = story.tenant;
  switch (next.do) {
    case 'rollUp':
      return rollUp(database);
    case 'delete':
      await database.hot.query(`DELETE FROM job WHERE workspace_id = $1 AND status IN ('COMPLETED', 'FAILED', 'CANCELLED')`, [id]);
      return;
    case 'schedule':
      await story.tenant.create({ runAt: new Date(Date.now() + 3_600_000) });
      return;
    case 'age':
      return age(id, next);
    default:
      await story.take(next);
  }
}

/** What is counted keeps its time; what is not was longer ago, and waited and ran for some time. */
async function age(workspaceId: string, { minutes, spread }: { minutes: number; spread: number }): Promise<void> {
  await uncountedFor(workspaceId, (transaction) =>
    transaction.query(
      `UPDATE job_change SET changed_at = changed_at - make_interval(mins => $2::int),
         due_at = due_at - make_interval(mins => $2::int) - random() * make_interval(secs => $3::float8),
         claimed_at = claimed_at - make_interval(mins => $2::int) - random() * make_interval(secs => $3::float8)
       FROM counted_log AS counted
       WHERE job_change.workspace_id = $1 AND counted.workspace_id = $1 AND NOT pg_visible_in_snapshot(job_change.xid, counted.snapshot)`,
      [workspaceId, minutes, spread],
    ),
  );
}

/** Keeps the sweep from counting meanwhile. */
function uncountedFor<T>(workspaceId: string, work: (transaction: Queryable) => Promise<T>): Promise<T> {
  return database.transaction(async (transaction) => {
    await transaction.query(`INSERT INTO counted_log (workspace_id, snapshot) VALUES ($1, '1:1:') ON CONFLICT DO NOTHING`, [workspaceId]);
    await transaction.query('SELECT FROM counted_log WHERE workspace_id = $1 FOR UPDATE', [workspaceId]);
    return work(transaction);
  });
}

async function expectAll(story: Story): Promise<void> {
  const { id } = story.tenant;
  await expectCounts(database, id);
  const to = new Date(Date.now() + 60_000);
  const ago = (minutes: number) => new Date(to.getTime() - minutes * 60_000);
  await expectStatistics(database, id, { step: 'MINUTE', from: ago(999), to, types: null });
  for (const types of [null, ['fingerprint'], storyTypes, []]) {
    await expectStatistics(database, id, { step: 'HOUR', from: ago(3_000), to, types });
    await expectStatistics(database, id, { step: 'DAY', from: ago(6_000), to, types });
  }
}

test('whatever happens to jobs, counts and statistics are what a scan of the log says, whenever the sweep counts', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const story = new Story(longhaul, await Tenant.in(longhaul));
      for (const [index, next] of steps.entries()) {
        await allowingRefusal(take(story, next));
        if (index % 8 === 0) await expectAll(story);
      }
      await expectAll(story);
      await rollUp(database);
      await expectAll(story);
    }),
    { numRuns: 10, endOnFailure: true },
  );
}, 60_000);

test('and when all of it happens at once, with several sweeps', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
      const story = new Story(longhaul, await Tenant.in(longhaul));
      const lasting = steps.filter((next) => next.do !== 'age');
      for (let at = 0; at < lasting.length; at += 8) {
        await Promise.all([
          rollUp(database),
          ...lasting.slice(at, at + 8).map((next) => allowingRefusal(take(story, next))),
          rollUp(database),
        ]);
      }
      await expectAll(story);
    }),
    { numRuns: 10, endOnFailure: true },
  );
}, 60_000);

test('a dump that was restored on another server, where transactions have smaller ids, is counted on', async () => {
  const tenant = await Tenant.in(longhaul);
  await tenant.create();
  await tenant.complete((await tenant.running()).token);
  await untilCounted(database, tenant.id);
  await uncountedFor(tenant.id, async (transaction) => {
    await transaction.query(
      `UPDATE counted_log SET snapshot = (far.xid || ':' || far.xid || ':')::pg_snapshot
       FROM (SELECT max(xid::text::bigint) + 1000001 AS xid FROM job_change WHERE workspace_id = $1) AS far WHERE workspace_id = $1`,
      [tenant.id],
    );
    await transaction.query('UPDATE job_change SET xid = (xid::text::bigint + 1000000)::text::xid8 WHERE workspace_id = $1', [tenant.id]);
  });
  // The other server goes on.
  await tenant.create();
  await untilCounted(database, tenant.id);
  await expectCounts(database, tenant.id);
  await tenant.create();
  await expectCounts(database, tenant.id);
  await untilCounted(database, tenant.id);
  expect(await expectCounts(database, tenant.id)).toMatchObject({ pending: 3, completed: 1 });
});

test('a workspace without jobs has none, and points for all of its range', async () => {
  const tenant = await Tenant.in(longhaul);
  expect(await longhaul.services.jobs.counting.byStatus(tenant.id)).toEqual({
    pending: 0, scheduled: 0, running: 0, completed: 0, failed: 0, cancelled: 0, oldestDueAt: null, byType: [],
  });
  const points = await longhaul.services.jobs.statistics(tenant.id, { step: 'HOUR', from: new Date(Date.now() - 86_400_000) });
  expect(points).toHaveLength(25);
  expect(points.at(-1)).toMatchObject({ created: 0, waitP50: null, runP95: null });
});

test('points are kept as long as their step says, and changes until they are counted', async () => {
  const tenant = await Tenant.in(longhaul);
  await tenant.create();
  const log = () => tenant.count('FROM job_change WHERE workspace_id = $1');
  await uncountedFor(tenant.id, async (transaction) => {
    await transaction.query(`UPDATE job_change SET changed_at = now() - interval '8 days' WHERE workspace_id = $1`, [tenant.id]);
    // Nor by a sweep before this.
    await transaction.query(`UPDATE counted_log SET snapshot = '1:1:' WHERE workspace_id = $1`, [tenant.id]);
    await transaction.query('DELETE FROM job_total WHERE workspace_id = $1', [tenant.id]);
    await transaction.query('DELETE FROM job_statistic WHERE workspace_id = $1', [tenant.id]);
    await deleteOldChanges(transaction);
    expect(await transaction.query('SELECT FROM job_change WHERE workspace_id = $1', [tenant.id])).toHaveLength(1);
  });
  await untilCounted(database, tenant.id);
  await longhaul.services.jobs.upkeep.forgetOld();
  expect(await log()).toBe(0);
  expect(await longhaul.services.jobs.counting.byStatus(tenant.id)).toMatchObject({ pending: 1 });
  const left = (of: string) => tenant.count(`FROM job_statistic WHERE workspace_id = $1 AND step = '${of}' AND type = ''`);
  expect(await Promise.all(['MINUTE', 'HOUR', 'DAY'].map(left))).toEqual([0, 1, 1]);
});

test('GraphQL shows both, and refuses a range that it cannot show', async () => {
  const workspace = await longhaul.workspace();
  const key = await workspace.key({ scopes: ['READ'] });
  const tenant = Tenant.of(longhaul, workspace.id);
  await tenant.create();
  const { job, token } = await tenant.running({ type: 'transcribe', maxAttempts: 1 });
  await tenant.fail(token);
  const ask = (selection: string) => longhaul.graphql(`{ workspace { ${selection} } }`, {}, key);
  const { data, errors } = await ask(`
    jobCounts { pending scheduled running completed failed cancelled oldestDueAt byType { type pending running oldestDueAt } }
    byDefault: statistics(from: "${job.createdAt.toISOString()}") { at created failed failedAttempts waitP50 runP95 }
    ofType: statistics(from: "${job.createdAt.toISOString()}", step: DAY, types: ["transcribe"]) { created failed }
    none: statistics(from: "${job.createdAt.toISOString()}", step: DAY, types: []) { created }`);
  expect(errors).toEqual([]);
  const oldestDueAt = expect.any(String);
  expect(data).toMatchObject({
    workspace: {
      jobCounts: {
        pending: 1, scheduled: 0, running: 0, completed: 0, failed: 1, cancelled: 0, oldestDueAt,
        byType: [{ type: 'fingerprint', pending: 1, running: 0, oldestDueAt }],
      },
      ofType: [{ created: 1, failed: 1 }],
      none: [{ created: 0 }],
    },
  });
  expect(JSON.stringify(data)).toMatch(/"byDefault":\[\{"at":"[^"]+:00:00.000Z","created":\d,"failed":\d,"failedAttempts":\d,"waitP50":[\d.]+/);

  const codes = async (range: string) => (await ask(`statistics(${range}) { at }`)).errors.map(({ extensions }) => extensions['code']);
  const midnight = '2026-01-01T00:00:00Z';
  expect(await codes(`from: "${midnight}", to: "2026-01-01T16:41:00Z", step: MINUTE`)).toEqual(['BAD_USER_INPUT']);
  expect(await codes(`from: "${midnight}", to: "${midnight}"`)).toEqual(['BAD_USER_INPUT']);
  expect(await codes('from: "1970-01-01T00:00:00Z", step: MINUTE')).toEqual(['BAD_USER_INPUT']);
  expect(await codes(`from: "${midnight}", to: "2026-01-01T16:40:00Z", step: MINUTE`)).toEqual([]);
  expect(await codes(`from: "${midnight}", types: [${'"x" '.repeat(101)}]`)).toEqual(['BAD_USER_INPUT']);
});
