import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { revokeApiKey } from '../../src/workspaces/revoke-api-key.ts';
import type { JsonObject } from '../../src/json.ts';
import { JobUpdatesDocument } from '../graphql/generated/graphql.ts';
import { next, watchSocket } from '../support/client.ts';
import { Tenant } from '../support/domain.ts';
import { type GraphQLAnswer, type Longhaul, sharedLonghaul } from '../support/longhaul.ts';
import { rest } from '../support/rest.ts';

let longhaul: Longhaul;
/** For tests that leave nothing. */
let common: Awaited<ReturnType<typeof scene>>;
let usualToken: string;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
  common = await scene();
  usualToken = await common.tokenOf({});
  await common.tenant.create({ tags: ['customer-7'] });
});
afterAll(() => longhaul.stop());

const usual = { type: 'comments', input: { sourceUrl: 'https://example.com/a.mp4' } };
const union = '__typename ... on UserError { code } ... on ValidationError { issues { path } }';
const documents = {
  create: `mutation ($input: CreateJobInput!) { result: createJob(input: $input) { ${union} ... on CreateJobPayload { job { uuid tags } } ... on IdempotencyConflictError { job { uuid } } } }`,
  createMany: `mutation ($input: CreateJobsInput!) { result: createJobs(input: $input) { ${union} ... on CreateJobsPayload { jobs { uuid tags } } } }`,
  cancel: `mutation ($input: CancelJobInput!) { result: cancelJob(input: $input) { ${union} ... on CancelJobPayload { job { uuid status } } } }`,
  retry: `mutation ($input: RetryJobInput!) { result: retryJob(input: $input) { ${union} ... on RetryJobPayload { job { uuid tags retryOf { uuid } } } } }`,
  token: `mutation ($input: CreateAccessTokenInput!) { result: createAccessToken(input: $input) { ${union} ... on CreateAccessTokenPayload { token } } }`,
};

const shown = z.object({
  result: z.object({
    __typename: z.string(),
    code: z.string().optional(),
    issues: z.array(z.object({ path: z.array(z.string()) })).optional(),
    job: z.object({ uuid: z.string(), status: z.string(), tags: z.array(z.string()), retryOf: z.object({ uuid: z.string() }).nullable() }).partial().optional(),
    jobs: z.array(z.object({ uuid: z.string(), tags: z.array(z.string()) })).optional(),
    token: z.string().optional(),
  }),
});

/** What became of a mutation. */
async function run(document: keyof typeof documents, input: object, secret: string) {
  return shown.parse((await longhaul.graphql(documents[document], { input }, secret)).data).result;
}

/** A workspace, its tenant and a key, and tokens that the key makes. */
async function scene() {
  const workspace = await longhaul.workspace();
  const tenant = Tenant.of(longhaul, workspace.id);
  const key = await workspace.key();
  const tokenOf = async (asked: object, by = key) => (await run('token', { tag: 'customer-7', scopes: ['READ', 'WRITE'], ...asked }, by)).token ?? '';
  return { workspace, tenant, key, tokenOf };
}

const codes = ({ errors }: GraphQLAnswer) => errors.map(({ extensions }) => extensions['code']);
const listed = async (token: string, filter: object = {}) => {
  const query = 'query ($filter: JobFilter) { jobs(filter: $filter, order: OLDEST_FIRST) { totalCount count { value } edges { node { uuid } } } }';
  return (await longhaul.graphql(query, { filter }, token)).data;
};
const list = (uuids: (string | undefined)[]) => ({ jobs: { totalCount: uuids.length, count: { value: uuids.length }, edges: uuids.map((uuid) => ({ node: { uuid } })) } });

describe('a token that creates', () => {
  test('forces its tag onto its jobs, and sees, cancels and retries those', async () => {
    const { tenant, tokenOf } = await scene();
    const token = await tokenOf({});
    const made = await run('create', { ...usual, tags: ['mine', 'customer-7'] }, token);
    expect(made).toMatchObject({ __typename: 'CreateJobPayload', job: { tags: ['customer-7', 'mine'] } });
    const { jobs } = await run('createMany', { jobs: [usual, { ...usual, tags: ['b'] }] }, token);
    expect(jobs?.map(({ tags }) => tags)).toEqual([['customer-7'], ['customer-7', 'b']]);
    const others = await tenant.create({ tags: ['customer-8'] });
    expect(await listed(token)).toEqual(list([made.job?.uuid, ...(jobs ?? []).map(({ uuid }) => uuid)]));

    const id = made.job?.uuid;
    expect(await run('cancel', { id }, token)).toMatchObject({ job: { uuid: id, status: 'CANCELLED' } });
    expect(await run('retry', { id }, token)).toMatchObject({ job: { tags: ['customer-7', 'mine'], retryOf: { uuid: id } } });
    for (const document of ['cancel', 'retry'] as const) expect(await run(document, { id: others.id }, token)).toMatchObject({ code: 'NOT_FOUND' });
    expect(await tenant.read(others.id)).toEqual(others);
  });

  test('with several tags opens the jobs of each, once, and creates under the first', async () => {
    const { tenant, tokenOf } = await scene();
    const token = await tokenOf({ tag: null, tags: ['team', 'board-1', 'board-2', 'team'] });
    const [one, both, , two] = await tenant.createAll([['board-1'], ['board-1', 'board-2', 'x'], ['board-3', 'x'], ['board-2']].map((tags) => ({ tags })));
    expect(await listed(token)).toEqual(list([one?.id, both?.id, two?.id]));
    expect(await listed(token, { tags: ['x'] })).toEqual(list([both?.id]));
    expect(await listed(token, { statuses: ['COMPLETED'] })).toEqual(list([]));

    await tenant.cancel(two?.id ?? '');
    const { job } = await run('retry', { id: two?.id }, token);
    expect(job?.tags).toEqual(['team', 'board-2']);
    expect(await listed(token)).toEqual(list([one?.id, both?.id, two?.id, job?.uuid]));
    const retries = 'query ($id: ID!) { job(id: $id) { retries { edges { node { uuid } } } } }';
    expect((await longhaul.graphql(retries, { id: two?.id }, token)).data).toEqual({ job: { retries: { edges: [{ node: { uuid: job?.uuid } }] } } });
  });

  test('watches the jobs of its tags as they change, and no others', async () => {
    const { tenant, tokenOf } = await scene();
    const token = await tokenOf({ tag: null, tags: ['a', 'b'] });
    const { data } = await longhaul.graphql('{ jobUpdatesCursor }', {}, token);
    const watch = watchSocket(longhaul.url, token, JobUpdatesDocument, { after: String(data?.['jobUpdatesCursor']) });
    const [a, , b] = await tenant.createAll([['a'], ['c'], ['b']].map((tags) => ({ tags })));
    const { job } = await run('create', usual, token);
    const uuids = new Set();
    while (uuids.size < 3) uuids.add((await next(watch)).jobUpdates.job.uuid);
    expect(uuids).toEqual(new Set([a?.id, b?.id, job?.uuid]));
    await watch.return?.();
  });

  test('sets no limit of a concurrency key, where it retries a job that has had another', async () => {
    const { tenant, tokenOf } = await scene();
    const [old] = await tenant.createAll([{ tags: ['customer-7'], concurrencyKey: 'gpu', concurrencyLimit: 5 }]);
    await tenant.cancel(old?.id ?? '');
    await tenant.createAll(Array.from({ length: 3 }, () => ({ concurrencyKey: 'gpu', concurrencyLimit: 1 })));
    expect(await run('retry', { id: old?.id }, await tokenOf({}))).toMatchObject({ __typename: 'RetryJobPayload' });
    expect(await tenant.claim({ limit: 10 })).toHaveLength(1);
  });

  test('keeps to its types, also where it retries', async () => {
    const { tenant, tokenOf } = await scene();
    const token = await tokenOf({ types: ['comments', 'preview'] });
    expect(await run('create', usual, token)).toMatchObject({ __typename: 'CreateJobPayload' });
    const issues = [{ path: ['type'] }];
    for (const type of ['fingerprint', 'no type']) expect(await run('create', { ...usual, type }, token)).toMatchObject({ issues });
    expect(await run('createMany', { jobs: [usual, { ...usual, type: 'fingerprint' }] }, token)).toMatchObject({ issues: [{ path: ['jobs', '1', 'type'] }] });
    const { id } = await tenant.create({ tags: ['customer-7'] });
    await tenant.cancel(id);
    expect(await run('retry', { id }, token)).toMatchObject({ issues: [{ path: ['id'] }] });
    expect(await tenant.count('FROM job WHERE workspace_id = $1')).toBe(2);
  });

  test.each<[string, JsonObject]>([
    ['webhookUrl', { webhookUrl: 'https://example.com/hook' }],
    ['priority', { priority: 1 }],
    ['concurrencyKey', { concurrencyKey: 'gpu-1' }],
    ['concurrencyLimit', { concurrencyKey: null, concurrencyLimit: 2 }],
    ['tags', { tags: Array.from({ length: 20 }, (_, n) => `t${n}`) }],
    ['type', { type: 'a\0b' }],
    ['idempotencyKey', { idempotencyKey: '\ud800' }],
  ])('is refused a %s that is not its to set, and nothing is created', async (field, more) => {
    const { tenant } = common;
    expect(await run('create', { ...usual, ...more }, usualToken)).toMatchObject({ code: 'VALIDATION_ERROR', issues: [{ path: [field] }] });
    expect(await tenant.count('FROM job WHERE workspace_id = $1')).toBe(1);
    expect(await tenant.balance()).toBe(999_999);
  });

  test("has idempotency keys that are its key's and its first tag's own", async () => {
    const { tenant, workspace, key, tokenOf } = await scene();
    const request = { ...usual, idempotencyKey: 'order-1' };
    const create = async (secret: string, asked: object = request) => run('create', asked, secret);
    const token = await tokenOf({});
    const first = await create(token);
    expect((await create(token)).job?.uuid).toBe(first.job?.uuid);
    expect((await create(await tokenOf({ tag: null, tags: ['customer-7', 'b'] }))).job?.uuid).toBe(first.job?.uuid);
    expect(await create(token, { ...request, tags: ['other'] })).toMatchObject({ code: 'IDEMPOTENCY_CONFLICT', job: { uuid: first.job?.uuid } });
    const others = [key, await tokenOf({ tag: 'customer-8' }), await tokenOf({}, await workspace.key())];
    const made = new Set([first.job?.uuid]);
    for (const secret of others) made.add((await create(secret)).job?.uuid);
    expect(made.size).toBe(4);
    expect(await tenant.count('FROM job WHERE workspace_id = $1')).toBe(4);
  });

  test('reads the id, name and credits of its workspace, and one that does not create no credits', async () => {
    const { workspace, tokenOf } = await scene();
    const query = '{ workspace { id name credits } viewer { scopes workspace { credits } } }';
    const answer = await longhaul.graphql(query, {}, await tokenOf({}));
    const { id } = workspace;
    expect(answer.data).toEqual({
      workspace: { id: `ws_${id}`, name: 'test', credits: 1_000_000 },
      viewer: { scopes: ['READ', 'WRITE'], workspace: { credits: 1_000_000 } },
    });
    const reading = await tokenOf({ scopes: ['READ'] });
    expect((await longhaul.graphql('{ workspace { id name } }', {}, reading)).data).toEqual({ workspace: { id: `ws_${id}`, name: 'test' } });
    expect(codes(await longhaul.graphql('{ workspace { credits } }', {}, reading))).toEqual(['FORBIDDEN']);
  });

  test('without READ creates and reads nothing', async () => {
    const { workspace, tokenOf } = await scene();
    const token = await tokenOf({ scopes: ['WRITE'] }, await workspace.key({ scopes: ['WRITE'] }));
    const { data } = await longhaul.graphql(
      'mutation ($input: CreateJobInput!) { createJob(input: $input) { ... on CreateJobPayload { job { status } } } }',
      { input: usual },
      token,
    );
    expect(data).toEqual({ createJob: { job: { status: 'PENDING' } } });
    for (const query of ['{ jobs { edges { node { id } } } }', '{ jobTypes { name } }', '{ jobUpdatesCursor }']) {
      expect(codes(await longhaul.graphql(query, {}, token))).toEqual(['FORBIDDEN']);
    }
    expect((await longhaul.graphql('{ workspace { credits } }', {}, token)).data).toEqual({ workspace: { credits: 999_999 } });
  });

  test('falls with its key', async () => {
    const { key, tokenOf } = await scene();
    const token = await tokenOf({});
    const { authenticator, database } = longhaul.services;
    await revokeApiKey(database, authenticator, (await authenticator.find(key))?.id ?? '');
    expect(codes(await longhaul.graphql(documents.create, { input: usual }, token))).toEqual(['UNAUTHENTICATED']);
  });
});

test.each([
  'mutation { createAccessToken(input: { tag: "customer-7" }) { __typename } }',
  'mutation { claimJobs(input: { types: ["comments"], workerId: "w" }) { __typename } }',
  'mutation { completeJobs(input: { completions: [] }) { __typename } }',
  'mutation { createSchedule(input: { name: "n", cron: "0 7 * * *", type: "comments" }) { __typename } }',
  'mutation { startBulkAction(input: { kind: CANCEL, everything: true }) { __typename } }',
  'mutation { redeliverWebhook(input: { id: "x" }) { __typename } }',
  'mutation { rotateWebhookSecret { secret } }',
  'mutation { grantCredits(input: { workspaceId: "x", amount: 1 }) { __typename } }',
  'mutation { updateWorkspace(input: { id: "x", paused: true }) { __typename } }',
  'mutation { createApiKey(input: { workspaceId: "x", name: "x", scopes: [READ] }) { __typename } }',
  '{ workspaces { edges { node { id } } } }',
  '{ jobTypes { pending } }',
  ...[
    'concurrencyLimit', 'paused', 'apiKeys { edges { node { id } } }', 'creditTransactions { edges { node { id } } }', 'jobCounts { pending }',
    'statistics(from: "2026-01-01T00:00:00Z", step: DAY) { created }', 'webhookDeliveries { edges { node { id } } }', 'workers { edges { node { id } } }',
    'bulkActions { edges { node { id } } }', 'schedules { edges { node { id } } }', 'auditEntries { edges { node { id } } }',
  ].map((field) => `{ workspace { ${field} } }`),
  '{ jobs { edges { node { webhookDeliveries { edges { node { url } } } } } } }',
])('a token that creates is refused %s', async (document) => {
  expect(new Set(codes(await longhaul.graphql(document, {}, usualToken)))).toEqual(new Set(['FORBIDDEN']));
});

test.each<[string, JsonObject, (string | undefined)[]]>([
  ['a job and tags', { jobId: '0198c0de-0000-7000-8000-000000000000', tags: ['a'] }, []],
  ['a tag and tags', { tag: 'a', tags: ['a'] }, []],
  ['no tags', { tags: [] }, ['tags']],
  ['eleven tags', { tags: Array.from({ length: 11 }, (_, n) => `t${n}`) }, ['tags']],
  ['an empty tag', { tags: ['a', ''] }, ['tags', '1']],
  ['a tag that is too long', { tags: ['x'.repeat(101)] }, ['tags', '0']],
  ['a tag with NUL', { tags: ['a\0'] }, ['tags', '0']],
  ['a tag with half a surrogate pair', { tag: '\ud800' }, ['tag']],
  ['no scopes', { tag: 'a', scopes: [] }, ['scopes']],
  ['a scope for workers', { tag: 'a', scopes: ['READ', 'WORK'] }, ['scopes', '1']],
  ['a scope that is none', { tag: 'a', scopes: ['EVERYTHING'] }, ['scopes', '0']],
  ['no types', { tag: 'a', scopes: ['WRITE'], types: [] }, ['types']],
  ['a type that is none', { tag: 'a', scopes: ['WRITE'], types: ['comments', 'comment'] }, ['types', '1']],
  ['types for a token that only reads', { tag: 'a', types: ['comments'] }, ['types']],
  ['more types than a header takes', { tag: 'a', scopes: ['WRITE'], types: Array.from({ length: 21 }, () => 'comments') }, ['types']],
])('no token is made for %s', async (_what, asked, path) => {
  expect(await run('token', asked, common.key)).toMatchObject({ code: 'VALIDATION_ERROR', issues: [{ path }] });
});

test('a token for one job only reads, and a key gives no scope that it lacks', async () => {
  const { workspace, tenant, key } = await scene();
  const { id } = await tenant.create();
  expect(await run('token', { jobId: id, scopes: ['READ', 'WRITE'] }, key)).toMatchObject({ issues: [{ path: ['scopes'] }] });
  const [reader, writer] = [await workspace.key({ scopes: ['READ'] }), await workspace.key({ scopes: ['WRITE'] })];
  for (const [secret, scopes] of [[reader, ['WRITE']], [reader, ['READ', 'WRITE']], [writer, ['READ']], [writer, null]] as const) {
    expect(codes(await longhaul.graphql(documents.token, { input: { tag: 'a', scopes } }, secret))).toEqual(['FORBIDDEN']);
  }
});

function claimsOf(token: string): object {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
}

test('processes of 0.2.0, which know job and tag alone, know what they knew and refuse the rest', async () => {
  const { tokenOf } = common;
  expect(claimsOf(await tokenOf({ scopes: ['READ'] }))).toMatchObject({ tag: 'customer-7' });
  for (const asked of [{}, { scopes: ['WRITE'] }, { types: ['comments'] }, { tag: null, tags: ['a', 'b'], scopes: null }]) {
    const claims = claimsOf(await tokenOf(asked));
    expect(Object.keys(claims).filter((name) => ['job', 'tag'].includes(name))).toEqual([]);
  }
});

function post(key: string, more: object = {}) {
  return rest(`${longhaul.url}/videoconduit/v1/download`, { key, headers: { 'idempotency-key': 'k' }, json: { url: 'https://example.com/v.mp4', ...more } });
}

function analyze(key: string) {
  return rest(`${longhaul.url}/vidocu/v1/videos/v1/analyze`, { method: 'POST', key });
}

describe('in the REST dialects, a token that creates', () => {
  test('submits jobs that bear its tag, with its own idempotency keys, and without a webhook', async () => {
    const { tenant, key, tokenOf } = await scene();
    const token = await tokenOf({});
    const answers = [await post(token), await post(token), await post(key)];
    const [first, again, other] = answers.map(({ headers }) => headers.get('x-job-id'));
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202]);
    expect(again).toBe(first);
    expect(other).not.toBe(first);
    expect((await tenant.read(first ?? '')).tags).toEqual(['customer-7']);
    expect((await post(await tokenOf({ tag: 'b', types: ['comments'] }))).status).not.toBe(202);
    expect((await post(await tokenOf({ tag: 'c' }), { webhook_url: 'https://example.com/hook' })).status).toBe(422);
  });

  test('cancels its own jobs alone, and joins none of others', async () => {
    const { tenant, key, tokenOf } = await scene();
    const token = await tokenOf({});
    const [own, others] = await tenant.createAll([{ tags: ['customer-7'] }, { tags: ['customer-8'] }]);
    const cancel = async (id = '') => (await rest(`${longhaul.url}/vydra/api/v1/jobs/${id}`, { method: 'DELETE', key: token })).status;
    expect([await cancel(own?.id), await cancel(others?.id)]).toEqual([200, 404]);
    expect(await tenant.read(others?.id ?? '')).toEqual(others);

    expect([await analyze(key), await analyze(token), await analyze(token)].map(({ status }) => status)).toEqual([202, 202, 200]);
  });
});
