import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Window } from '../../src/database/keyset.ts';
import type { Job } from '../../src/jobs/model/job.ts';
import { jobStatuses } from '../../src/jobs/model/state-machine.ts';
import type { JobFilter } from '../../src/jobs/read/filter.ts';
import { dialects } from '../../src/workspaces/dialect.ts';
import { endLease, sweep, Tenant } from '../support/domain.ts';
import { type Longhaul, sharedLonghaul, type TestWorkspace } from '../support/longhaul.ts';

let longhaul: Longhaul;
let workspace: TestWorkspace;
let tenant: Tenant;
/** The oldest first. */
let all: Job[];
const workersOf = new Map<string, Set<string>>();

const types = ['fingerprint', 'comments', 'preview'];
const workers = ['one', 'two', 'three'];

beforeAll(async () => {
  longhaul = await sharedLonghaul();
  const { jobs } = longhaul.services;
  workspace = await longhaul.workspace();
  tenant = Tenant.of(longhaul, workspace.id);
  const other = await Tenant.in(longhaul);
  for (let n = 0; n < 30; n += 1) {
    const type = types[n % 3] ?? '';
    const request = { type, input: { sourceUrl: 'https://example.com/a.mp4' }, maxAttempts: 2, tags: [...(n % 2 === 0 ? ['even'] : []), ...(n % 7 === 0 ? ['rare'] : [])] };
    const clientReference = n % 4 === 0 ? null : `order ${n % 4}`;
    const job = await jobs.create(tenant.id, { ...request, clientReference }, { dialect: dialects[(n % 11) % dialects.length] ?? 'NATIVE' });
    await jobs.create(other.id, request, { dialect: 'VYDRA' });
    await live(job, n);
  }
  all = await Promise.all([...workersOf.keys()].map((id) => tenant.read(id)));
}, 60_000);
afterAll(() => longhaul.stop());

/** Lets some wait, run, and end in each way, some of them after a second attempt. */
async function live(job: Job, n: number): Promise<void> {
  const had = new Set<string>();
  workersOf.set(job.id, had);
  const start = async (worker: string) => {
    had.add(worker);
    const [held] = await tenant.claim({ types: [job.type], jobIds: [job.id], workerId: worker });
    return held?.token ?? '';
  };
  const [first = '', second = ''] = [workers[n % 3], workers[(n + (n % 2)) % 3]];
  if (n % 6 === 0) return;
  if (n % 6 === 1) return void (await tenant.cancel(job.id));
  const token = await start(first);
  if (n % 6 === 2) return;
  if (n % 6 === 3) return void (await tenant.complete(token));
  if (n % 6 === 4) return void (await tenant.fail(token, { code: n % 4 === 0 ? 'BROKEN' : 'WORSE', retryable: false }));
  await endLease(longhaul, job.id);
  await sweep(longhaul);
  await longhaul.services.database.hot.query('UPDATE job SET due_at = now(), dispatch_at = now() WHERE id = $1', [job.id]);
  await sweep(longhaul);
  await tenant.fail(await start(second), { code: 'BROKEN' });
}

const some = <Value>(values: readonly Value[]) => fc.oneof({ weight: 2, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.subarray([...values]) });
const instant = fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.nat({ max: 29 }) });

const question = fc.record({
  statuses: some(jobStatuses),
  types: some([...types, 'export']),
  tags: some(['even', 'rare', 'none']),
  anyTags: some(['even', 'rare', 'none']),
  errorCodes: some(['BROKEN', 'WORSE', 'LEASE_EXPIRED']),
  workerIds: some([...workers, 'nobody']),
  dialects: some(dialects),
  clientReference: fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.constantFrom('order 1', 'order 2', 'order') }),
  ids: fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.uniqueArray(fc.nat({ max: 29 })) }),
  createdAfter: instant, createdBefore: instant, finishedAfter: instant, finishedBefore: instant,
});

function within<Value>(values: readonly Value[] | null | undefined, value: Value): boolean {
  return values == null || values.includes(value);
}

/** What a filter means, job by job. */
function has(filter: JobFilter, job: Job): boolean {
  return (
    within(filter.ids, job.id) && within(filter.statuses, job.status) && within(filter.types, job.type) && within(filter.dialects, job.dialect) &&
    (filter.clientReference == null || filter.clientReference === job.clientReference) &&
    (filter.tags ?? []).every((tag) => job.tags.includes(tag)) &&
    (filter.anyTags == null || filter.anyTags.some((tag) => job.tags.includes(tag))) &&
    (filter.errorCodes == null || filter.errorCodes.includes(job.error?.code ?? '')) &&
    (filter.workerIds == null || filter.workerIds.some((worker) => workersOf.get(job.id)?.has(worker))) &&
    (filter.createdAfter == null || job.createdAt > filter.createdAfter) && (filter.createdBefore == null || job.createdAt < filter.createdBefore) &&
    (filter.finishedAfter == null || (job.finishedAt !== null && job.finishedAt > filter.finishedAfter)) &&
    (filter.finishedBefore == null || (job.finishedAt !== null && job.finishedAt < filter.finishedBefore))
  );
}

test('pages and counts have the jobs that every given field has, whichever fields those are', async () => {
  const { jobs } = longhaul.services;
  await fc.assert(
    fc.asyncProperty(question, fc.constantFrom('ASC', 'DESC'), fc.integer({ min: 1, max: 9 }), async (asked, direction, size) => {
      const at = (index: number | null, of: 'createdAt' | 'finishedAt') => (index === null ? null : (all[index]?.[of] ?? all[0]?.createdAt ?? null));
      const filter: JobFilter = {
        ...asked,
        ids: asked.ids?.map((index) => all[index]?.id ?? '') ?? null,
        createdAfter: at(asked.createdAfter, 'createdAt'), createdBefore: at(asked.createdBefore, 'createdAt'),
        finishedAfter: at(asked.finishedAfter, 'finishedAt'), finishedBefore: at(asked.finishedBefore, 'finishedAt'),
      };
      const expected = all.filter((job) => has(filter, job)).map(({ id }) => id);
      if (direction === 'DESC') expected.reverse();
      const found: string[] = [];
      for (let last: string | null = null; ; last = found.at(-1) ?? null) {
        const window: Window = { above: direction === 'ASC' ? last : null, below: direction === 'DESC' ? last : null, direction, limit: size };
        const page = await jobs.list(tenant.id, filter, window);
        found.push(...page.map(({ id }) => id));
        if (page.length < size) break;
      }
      expect(found).toEqual(expected);
      expect(await jobs.list(tenant.id, filter, { above: null, below: null, direction, limit: size, offset: 2 })).toMatchObject(
        expected.slice(2, 2 + size).map((id) => ({ id })),
      );
      expect(await jobs.counting.exactly(tenant.id, filter)).toMatchObject({ count: expected.length });
      expect(await jobs.counting.upTo(tenant.id, filter, size)).toMatchObject({ count: Math.min(size, expected.length) });
    }),
    { numRuns: 300, examples: [[{ ...nothing, tags: ['even'] }, 'ASC', 3], [{ ...nothing, workerIds: ['one', 'two'] }, 'DESC', 2]] },
  );
}, 60_000);

const nothing = {
  statuses: null, types: null, tags: null, anyTags: null, errorCodes: null, workerIds: null, dialects: null, clientReference: null, ids: null,
  createdAfter: null, createdBefore: null, finishedAfter: null, finishedBefore: null,
};

test('a page finds the few jobs that two long lists have in common, behind thousands that they have not', async () => {
  const { database, jobs } = longhaul.services;
  const busy = await Tenant.in(longhaul);
  const oldest: string[] = [];
  for (let n = 0; n < 3; n += 1) {
    const { job, token } = await busy.running({ tags: ['often', 'also'] });
    await busy.fail(token, { retryable: false });
    oldest.push(job.id);
  }
  // Half of them failed, and the other half bears the tag. Their ids are later than any of today's.
  await database.hot.query(
    `INSERT INTO job (id, workspace_id, type, status, version, input, tags, max_attempts, credits_charged, dialect, attempt, due_at, dispatch_at)
     SELECT ('ffffffff-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, $1::uuid, 'preview', CASE n % 2 WHEN 0 THEN 'FAILED' ELSE 'COMPLETED' END,
       1, '{}', CASE n % 2 WHEN 0 THEN '{}'::text[] ELSE '{often}' END, 1, 0, 'NATIVE', 1, now(), now()
     FROM generate_series(1, 9000) AS n`,
    [busy.id],
  );
  await database.hot.query('INSERT INTO job_tag (workspace_id, tag, job_id) SELECT workspace_id, unnest(tags), id FROM job WHERE workspace_id = $1 ON CONFLICT DO NOTHING', [busy.id]);
  const filters: JobFilter[] = [
    { tags: ['often'], statuses: ['FAILED'] },
    { anyTags: ['often', 'also'], statuses: ['FAILED', 'CANCELLED'] },
    { tags: ['often'], types: ['fingerprint', 'preview'], statuses: ['FAILED'] },
    { tags: ['often'], statuses: ['FAILED'], finishedAfter: new Date(0) },
  ];
  const page = { above: null, below: null, limit: 2 };
  for (const filter of filters) {
    const ids = async (window: Window) => (await jobs.list(busy.id, filter, window)).map(({ id }) => id);
    expect(await ids({ ...page, direction: 'DESC' })).toEqual([oldest[2], oldest[1]]);
    expect(await ids({ ...page, direction: 'DESC', offset: 2 })).toEqual([oldest[0]]);
    expect(await ids({ ...page, direction: 'DESC', below: oldest[1] ?? null })).toEqual([oldest[0]]);
    expect(await ids({ ...page, direction: 'ASC', above: oldest[0] ?? null })).toEqual([oldest[1], oldest[2]]);
    expect(await jobs.counting.upTo(busy.id, filter, 100)).toMatchObject({ count: 3 });
  }
});

test('GraphQL takes every field, ids of every form, and counts up to a limit', async () => {
  const key = await workspace.key({ scopes: ['READ'] });
  const ask = (filter: object, selection = 'count { value exact } edges { node { uuid } }', by = key) =>
    longhaul.graphql(`query ($filter: JobFilter) { jobs(first: 100, filter: $filter) { ${selection} } }`, { filter }, by);
  const expectJobs = async (filter: object, matches: (job: Job) => boolean | undefined) => {
    const expected = all.filter(matches).toReversed();
    expect(expected.length).toBeGreaterThan(0);
    const { data, errors } = await ask(filter);
    expect(errors).toEqual([]);
    expect(data).toEqual({ jobs: { count: { value: expected.length, exact: true }, edges: expected.map(({ id }) => ({ node: { uuid: id } })) } });
  };
  await expectJobs({ errorCodes: ['BROKEN'] }, ({ error }) => error?.code === 'BROKEN');
  await expectJobs({ clientReference: 'order 3' }, ({ clientReference }) => clientReference === 'order 3');
  await expectJobs({ workerIds: ['three'] }, ({ id }) => workersOf.get(id)?.has('three'));
  await expectJobs({ dialects: ['VYDRA', 'VIDOCU'] }, ({ dialect }) => dialect === 'VYDRA' || dialect === 'VIDOCU');
  await expectJobs({ ids: [`job_${all[3]?.id}`, all[4]?.id, 'nonsense'] }, ({ id }) => id === all[3]?.id || id === all[4]?.id);
  const finishedAfter = all.map(({ finishedAt }) => finishedAt).filter((at) => at !== null)[3];
  await expectJobs({ finishedAfter }, ({ finishedAt }) => finishedAt !== null && finishedAfter !== undefined && finishedAt > finishedAfter);

  const counts = async (upTo: number, filter: object = {}) => ask(filter, `count(upTo: ${upTo}) { value exact }`);
  expect((await counts(29)).data).toEqual({ jobs: { count: { value: 29, exact: false } } });
  expect((await counts(30)).data).toEqual({ jobs: { count: { value: 30, exact: true } } });
  expect((await counts(7, { tags: ['even'] })).data).toEqual({ jobs: { count: { value: 7, exact: false } } });
  for (const upTo of [0, 100_001]) expect((await counts(upTo)).errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
  const ids = Array.from({ length: 101 }, () => all[0]?.id);
  expect((await ask({ ids })).errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
  expect((await ask({ errorCodes: Array.from({ length: 101 }, (_, n) => `E${n}`) })).errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);

  // An access token sees no more of them than it may.
  const made = await longhaul.graphql(
    `mutation ($id: ID!) { createAccessToken(input: { jobId: $id }) { ... on CreateAccessTokenPayload { token } } }`, { id: all[3]?.id }, key);
  const token = /"token":"([^"]+)"/.exec(JSON.stringify(made.data))?.[1] ?? '';
  const seen = async (filter: object) => JSON.stringify((await ask(filter, 'edges { node { uuid } }', token)).data);
  expect(await seen({ ids: [all[4]?.id, all[3]?.id] })).toBe(`{"jobs":{"edges":[{"node":{"uuid":"${all[3]?.id}"}}]}}`);
  expect(await seen({ ids: [all[4]?.id] })).toBe('{"jobs":{"edges":[]}}');
});
