import fc from 'fast-check';
import { getNamedType, isCompositeType, isObjectType } from 'graphql';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { schema } from '../../src/graphql/schema.ts';
import type { Job } from '../../src/jobs/model/job.ts';
import { byNobody } from '../../src/workspaces/audit/record.ts';
import { type Longhaul, sharedLonghaul, type TestWorkspace } from '../support/longhaul.ts';
import { claim, globalId, submit } from '../support/steps.ts';

let longhaul: Longhaul;
let workspace: TestWorkspace;
let key: string;
/** The oldest first. */
const jobs: Job[] = [];
beforeAll(async () => {
  longhaul = await sharedLonghaul();
  workspace = await longhaul.workspace();
  key = await workspace.key();
  for (const [index, type] of ['comments', 'export', 'comments', 'comments', 'export', 'comments', 'export', 'comments'].entries()) {
    const tags = [...(index % 2 === 0 ? ['even'] : []), ...(index === 5 ? ['rare'] : [])];
    jobs.push(await submit(longhaul, workspace.id, { type, tags, input: inputs[type] ?? {} }));
  }
});
afterAll(() => longhaul.stop());

const inputs: Record<string, Record<string, string>> = {
  comments: { sourceUrl: 'https://example.com/a.mp4' },
  export: { videoId: 'v1', format: 'mp4' },
};

const filters: { filter: object; has: (job: Job) => boolean }[] = [
  { filter: {}, has: () => true },
  { filter: { types: ['export'] }, has: ({ type }) => type === 'export' },
  { filter: { types: ['export', 'comments'] }, has: () => true },
  { filter: { tags: ['even'] }, has: ({ tags }) => tags.includes('even') },
  { filter: { tags: ['rare'] }, has: ({ tags }) => tags.includes('rare') },
  { filter: { tags: ['even', 'rare'] }, has: () => false },
  { filter: { tags: ['even'], types: ['comments'] }, has: ({ tags, type }) => tags.includes('even') && type === 'comments' },
  { filter: { statuses: ['PENDING'] }, has: () => true },
  { filter: { statuses: ['FAILED'] }, has: () => false },
];

/** A page as Relay's specification means it, of an array: before it is what comes before its place, after it what comes after. */
function pageOf(list: readonly Job[], asked: { first?: number; last?: number; after?: number; before?: number }, place: (job: Job) => number) {
  const low = list.filter((job) => asked.after !== undefined && place(job) <= asked.after).length;
  const high = list.length - list.filter((job) => asked.before !== undefined && place(job) >= asked.before).length;
  const size = asked.last ?? asked.first ?? 20;
  const isEmpty = low >= high;
  const start = asked.last === undefined || isEmpty ? low : Math.max(low, high - size);
  const end = asked.last !== undefined || isEmpty ? high : Math.min(high, low + size);
  return { ids: list.slice(start, end).map(({ id }) => id), hasPreviousPage: start > 0, hasNextPage: end < list.length };
}

const size = fc.integer({ min: 1, max: 9 });
const sizes = fc.oneof(fc.record({ first: size }), fc.record({ last: size }), fc.constant({}));
const places = fc.record({ after: fc.nat(7), before: fc.nat(7) }, { requiredKeys: [] });
const flags = fc.subarray(['hasNextPage', 'hasPreviousPage'] as const);

test('a page and its flags say what is there, with whatever arguments and filter, and the flags that are asked for', async () => {
  await fc.assert(
    fc.asyncProperty(sizes, places, fc.constantFrom(...filters), fc.boolean(), flags, async (sized, between, { filter, has }, newest, asked) => {
      const cursor = (index: number | undefined) =>
        index === undefined ? null : longhaul.services.cursors.encode('jobs', jobs[index]?.id ?? '');
      const { data, errors } = await longhaul.graphql(
        `query ($first: Int, $last: Int, $after: String, $before: String, $filter: JobFilter, $order: JobOrder) {
          jobs(first: $first, last: $last, after: $after, before: $before, filter: $filter, order: $order) {
            edges { node { uuid } } pageInfo { startCursor ${asked.join(' ')} }
          } }`,
        { ...sized, filter, order: newest ? 'NEWEST_FIRST' : 'OLDEST_FIRST', after: cursor(between.after), before: cursor(between.before) },
        key,
      );
      const direction = newest ? -1 : 1;
      const place = (job: Job) => direction * jobs.indexOf(job);
      const list = jobs.filter(has).toSorted((one, other) => place(one) - place(other));
      const at = Object.fromEntries(Object.entries(between).map(([side, index]) => [side, direction * index]));
      const { ids, ...expected } = pageOf(list, { ...sized, ...at }, place);
      const [start = null] = ids.map((id) => longhaul.services.cursors.encode('jobs', id));
      expect(errors).toEqual([]);
      expect(data).toEqual({
        jobs: {
          edges: ids.map((uuid) => ({ node: { uuid } })),
          pageInfo: { startCursor: start, ...Object.fromEntries(asked.map((flag) => [flag, expected[flag]])) },
        },
      });
    }),
    { numRuns: 200 },
  );
}, 60_000);

test('the flags of the other lists say what is there, too', async () => {
  const { cursors } = await ledger('first: 100');
  const [first, last] = [cursors[0], cursors.at(-1)];
  expect((await ledger(`first: 100, before: "${last}"`)).pageInfo).toEqual({ hasNextPage: true, hasPreviousPage: false });
  expect((await ledger(`last: 100, after: "${first}"`)).pageInfo).toEqual({ hasNextPage: false, hasPreviousPage: true });
  expect((await ledger(`last: 1, before: "${first}"`)).pageInfo).toEqual({ hasNextPage: true, hasPreviousPage: false });
  expect((await ledger(`first: 1, after: "${last}"`)).pageInfo).toEqual({ hasNextPage: false, hasPreviousPage: true });
});

test('each field of a job is the same in a page that selects it alone as in the job itself', async () => {
  const { services } = longhaul;
  const rich = await longhaul.workspace();
  const richKey = await rich.key();
  await services.jobs.create(rich.id, { type: 'export', input: inputs['export'] ?? {} }, { dialect: 'VIDOCU' });
  const failing = await submit(longhaul, rich.id, { maxAttempts: 1, webhookUrl: 'https://example.com/hook' });
  await services.jobs.fail(rich.id, { token: await claim(longhaul, failing), code: 'BAD', message: 'Bad.' });
  await services.jobs.retry(rich.id, failing.id, null);
  const waiting = await submit(longhaul, rich.id, { maxAttempts: 3, priority: 5, runAt: new Date(Date.now() - 60_000) });
  await services.jobs.fail(rich.id, { token: await claim(longhaul, waiting), code: 'BAD', message: 'Bad.' });
  const cancelled = await submit(longhaul, rich.id);
  await services.jobs.cancel(rich.id, cancelled.id, { reason: 'Why not.' });
  const completed = await submit(longhaul, rich.id, { tags: ['a'] });
  const token = await claim(longhaul, completed);
  await services.jobs.report(rich.id, { token, step: 'last', message: 'The last', percentage: 99.5 });
  await services.jobs.complete(rich.id, { token, output: { n: 1 } });
  const repeated = { name: 'daily', cron: '0 7 * * *', type: 'comments', input: { sourceUrl: 'https://example.com/a.mp4' }, concurrencyKey: 'gpu', concurrencyLimit: 2 };
  const { id: schedule } = await services.jobs.schedules.create(rich.id, repeated, byNobody);
  await services.jobs.schedules.trigger(rich.id, schedule, byNobody);
  const linked = await submit(longhaul, rich.id, { clientReference: 'order 7' });
  await services.jobs.complete(rich.id, { token: await claim(longhaul, linked), output: { url: 'https://example.com/a.mp4' } });
  await services.database.hot.query(
    `UPDATE job SET artifact_id = id, artifact_expires_at = date_trunc('milliseconds', now()) + interval '1 hour' WHERE id = $1`,
    [completed.id],
  );
  const type = schema.getType('Job');
  if (!isObjectType(type)) throw new Error('there is no Job');
  const ids = await services.jobs.list(rich.id, {}, { above: null, below: null, direction: 'DESC', limit: 100 });
  let told = 0;
  for (const field of Object.values(type.getFields())) {
    const named = getNamedType(field.type);
    const fields = isObjectType(named) ? Object.values(named.getFields()).filter((each) => !isCompositeType(getNamedType(each.type))) : [];
    const inner = fields.length > 0 ? `{ ${fields.map(({ name }) => name).join(' ')} }` : isCompositeType(named) ? '{ __typename }' : '';
    const page = await longhaul.graphql(`{ jobs { edges { node { ${field.name} ${inner} } } } }`, {}, richKey);
    const alone = await longhaul.graphql(
      `{ ${ids.map((job, index) => `j${index}: job(id: "${globalId(job)}") { ${field.name} ${inner} }`).join(' ')} }`,
      {},
      richKey,
    );
    expect(page.errors, field.name).toEqual([]);
    const nodes = Object.values(Object(alone.data));
    expect(page.data, field.name).toEqual({ jobs: { edges: nodes.map((node) => ({ node })) } });
    if (nodes.some((node) => Object(node)[field.name] != null)) told += 1;
  }
  // A field that is null in all of them would prove nothing.
  expect(told).toBe(Object.keys(type.getFields()).length);
});

async function ledger(args: string) {
  const { data, errors } = await longhaul.graphql(
    `{ workspace { creditTransactions(${args}) { edges { cursor } pageInfo { hasNextPage hasPreviousPage } } } }`,
    {},
    key,
  );
  expect(errors, args).toEqual([]);
  const { edges, pageInfo } = Object(data).workspace.creditTransactions;
  return { cursors: edges.map(({ cursor }: { cursor: string }) => cursor), pageInfo };
}
