import { afterAll, beforeAll, expect, test } from 'vitest';
import { errorTable } from '../../src/errors.ts';
import { toGlobalId } from '../../src/graphql/global-id.ts';
import type { JsonObject } from '../../src/json.ts';
import {
  CancelJobDocument,
  ClaimJobsDocument,
  CreateApiKeyDocument,
  CreateJobDocument,
  type CreateJobInput,
  FailJobDocument,
  JobDocument,
  JobsDocument,
  type JobsQueryVariables,
  NodesDocument,
  ReportProgressDocument,
  RevokeApiKeyDocument,
} from './generated/graphql.ts';
import { type Answer, ask, request } from '../support/client.ts';
import { type Longhaul, startLonghaul, type TestWorkspace } from '../support/longhaul.ts';
import { rest } from '../support/rest.ts';
import { claim, globalId, submit } from '../support/steps.ts';

let longhaul: Longhaul;
let workspace: TestWorkspace;
let key: string;
let before: string;
beforeAll(async () => {
  longhaul = await startLonghaul({ MAX_INPUT_BYTES: '1000' });
  workspace = await longhaul.workspace();
  key = await workspace.key();
  await submit(longhaul, workspace.id);
  await submit(longhaul, workspace.id);
  before = await everything();
});
// Whatever was refused wrote nothing, and the process goes on.
afterAll(async () => {
  expect(await everything()).toBe(before);
  expect((await fetch(`${longhaul.url}/health/ready`)).status).toBe(200);
  await longhaul.stop();
});

const sourceUrl = 'https://example.com/video.mp4';
const nul = 'a\0b';
const half = 'a\ud800b';

test.each([
  ['sourceURL', true],
  ['source_url', true],
  ['SourceUrls', true],
  ['url', false],
  ['source', false],
])('a required field that is missing while %s was given: the message asks whether that was meant is %s', async (given, asks) => {
  const answer = await longhaul.graphql(
    'mutation ($input: CreateJobInput!) { createJob(input: $input) { ... on ValidationError { issues { path message } } } }',
    { input: { type: 'download', input: { [given]: sourceUrl } } },
    key,
  );
  const message = asks ? expect.stringContaining(`. "${given}" was given: did you mean "sourceUrl"?`) : expect.not.stringContaining('did you mean');
  expect(answer).toMatchObject({ data: { createJob: { issues: [{ path: ['input', 'sourceUrl'], message }] } } });
});

test('a dialect ignores what it does not know, misspelt or not', async () => {
  const { status, body } = await rest(`${longhaul.url}/videoconduit/v1/download`, { key, json: { URL: sourceUrl } });
  expect(status).toBe(422);
  expect(JSON.stringify(body)).not.toContain('did you mean');
});

test.each<{ what: string; input: CreateJobInput; paths: string[][] }>([
  { what: 'an unknown type', input: { type: 'trnscribe', input: { sourceUrl } }, paths: [['type']] },
  { what: 'an empty type', input: { type: '' }, paths: [['type']] },
  { what: 'no source', input: { type: 'download', input: {} }, paths: [['input', 'sourceUrl']] },
  { what: 'no input at all', input: { type: 'download' }, paths: [['input', 'sourceUrl']] },
  { what: 'a source that is no URL', input: { type: 'download', input: { sourceUrl: 'video' } }, paths: [['input', 'sourceUrl']] },
  {
    what: 'several faults',
    input: { type: 'translate', input: { sourceUrl: 7, targetLanguage: '?' } },
    paths: [['input', 'sourceUrl'], ['input', 'targetLanguage']],
  },
  { what: 'NUL in the input', input: job({ a: { b: [nul] } }), paths: [['input', 'a', 'b', '0']] },
  { what: 'half a surrogate pair in the input', input: job({ a: [half] }), paths: [['input', 'a', '0']] },
  { what: 'NUL in a key of the input', input: job({ [nul]: 1 }), paths: [['input']] },
  { what: 'half a surrogate pair in a key of the input', input: job({ [half]: 1 }), paths: [['input']] },
  { what: 'an input nested too deeply', input: job({ deep: nested(100) }), paths: [expect.arrayContaining(['input', 'deep'])] },
  { what: 'an input that is too large', input: job({ text: 'x'.repeat(1_000) }), paths: [['input']] },
  { what: 'NUL in the type', input: { ...job(), type: nul }, paths: [['type']] },
  { what: 'NUL in a tag', input: { ...job(), tags: ['fine', nul] }, paths: [['tags', '1']] },
  { what: 'half a surrogate pair in a tag', input: { ...job(), tags: [half] }, paths: [['tags', '0']] },
  { what: 'an empty tag', input: { ...job(), tags: [''] }, paths: [['tags', '0']] },
  { what: 'too many tags', input: { ...job(), tags: Array.from({ length: 21 }, String) }, paths: [['tags']] },
  { what: 'NUL in the idempotency key', input: { ...job(), idempotencyKey: nul }, paths: [['idempotencyKey']] },
  { what: 'too long an idempotency key', input: { ...job(), idempotencyKey: 'x'.repeat(256) }, paths: [['idempotencyKey']] },
  { what: 'a webhook URL of another scheme', input: { ...job(), webhookUrl: 'ftp://example.com' }, paths: [['webhookUrl']] },
  { what: 'NUL in the webhook URL', input: { ...job(), webhookUrl: `https://example.com/${nul}` }, paths: [['webhookUrl']] },
  { what: 'a priority out of range', input: { ...job(), priority: 101 }, paths: [['priority']] },
  { what: 'no attempts', input: { ...job(), maxAttempts: 0 }, paths: [['maxAttempts']] },
  { what: 'a runAt before there was Longhaul', input: { ...job(), runAt: '1999-01-01T00:00:00Z' }, paths: [['runAt']] },
])('createJob refuses $what, and says where it is', async ({ input, paths }) => {
  const answer = await request(longhaul.url, key, CreateJobDocument, { input });
  expect(answer.errors).toEqual([]);
  expect(answer.data?.createJob).toMatchObject({
    code: 'VALIDATION_ERROR',
    issues: paths.map((path) => ({ path, message: expect.stringMatching(/\w/) })),
  });
  refusal(answer);
});

test.each([
  { what: 'NUL', text: '\\u0000' },
  { what: 'half a surrogate pair', text: '\\ud800' },
])('$what is refused in literals as in variables', async ({ text }) => {
  const literal = await longhaul.graphql(
    `mutation { createJob(input: { type: "comments", input: { sourceUrl: "${sourceUrl}", a: "${text}" } })
       { ... on ValidationError { issues { path } } } }`,
    {},
    key,
  );
  // A literal that is no Unicode text may already be refused as GraphQL.
  if (literal.errors.length === 0) expect(literal.data).toEqual({ createJob: { issues: [{ path: ['input', 'a'] }] } });
  else expect(literal.errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
});

test.each([{ what: 'NUL', text: nul }, { what: 'half a surrogate pair', text: half }])(
  '$what is refused in the reason of a cancellation, and the job goes on',
  async ({ text }) => {
    const own = await longhaul.workspace();
    const waiting = await submit(longhaul, own.id);
    const input = { id: globalId(waiting), reason: text };
    const answer = await request(longhaul.url, await own.key(), CancelJobDocument, { input });
    expect(answer.data?.cancelJob).toMatchObject({ code: 'VALIDATION_ERROR', issues: [{ path: ['reason'] }] });
    const { job: after } = await ask(longhaul.url, await own.key(), JobDocument, { id: globalId(waiting) });
    expect(after).toMatchObject({ status: 'PENDING', version: 1 });
  },
);

test.each([{ what: 'NUL', text: nul }, { what: 'half a surrogate pair', text: half }])(
  '$what is refused in what a worker says',
  async ({ text }) => {
    const own = await longhaul.workspace();
    const running = await submit(longhaul, own.id);
    const token = await claim(longhaul, running);
    const workKey = await own.key();
    const { url } = longhaul;
    const claimed = await request(url, workKey, ClaimJobsDocument, { input: { types: ['comments'], workerId: text } });
    const ofType = await request(url, workKey, ClaimJobsDocument, { input: { types: [text], workerId: 'w' } });
    const reported = await request(url, workKey, ReportProgressDocument, { input: { token, message: text } });
    const failed = await request(url, workKey, FailJobDocument, { input: { token, code: 'BAD', message: text } });
    const withToken = await request(url, workKey, ReportProgressDocument, { input: { token: text } });
    expect(claimed.data?.claimJobs).toMatchObject({ code: 'VALIDATION_ERROR', issues: [{ path: ['workerId'] }] });
    expect(ofType.data?.claimJobs).toMatchObject({ code: 'VALIDATION_ERROR', issues: [{ path: ['types', '0'] }] });
    expect(reported.data?.reportProgress).toMatchObject({ code: 'VALIDATION_ERROR', issues: [{ path: ['message'] }] });
    expect(failed.data?.failJob).toMatchObject({ code: 'VALIDATION_ERROR', issues: [{ path: ['message'] }] });
    expect(withToken.data?.reportProgress).toMatchObject({ code: 'VALIDATION_ERROR', issues: [{ path: ['token'] }] });
    const { job: after } = await ask(url, workKey, JobDocument, { id: globalId(running) });
    expect(after).toMatchObject({ status: 'RUNNING', progress: null, attempts: [{ number: 1, endedAt: null }] });
  },
);

const strangeIds = [
  'no id at all',
  '',
  nul,
  half,
  'job_',
  'job_0198c0de',
  toGlobalId('Workspace', '0198c0de-0000-7000-8000-000000000000'),
  // A UUID of no version that there is.
  '00000000-0000-0000-0000-000000000001',
  'job_00000000-0000-0000-0000-000000000001',
  "' OR 1=1 --",
  'x'.repeat(10_000),
];

test.each(strangeIds.map((id) => ({ shown: JSON.stringify(id).slice(0, 60), id })))(
  'the id $shown names nothing: null in a query, NotFoundError in a mutation',
  async ({ id }) => {
    const { url, adminKey } = longhaul;
    expect(await request(url, key, JobDocument, { id })).toMatchObject({ status: 200, data: { job: null }, errors: [] });
    expect(await request(url, key, NodesDocument, { ids: [id] })).toMatchObject({ data: { nodes: [null] }, errors: [] });
    const cancelled = await request(url, key, CancelJobDocument, { input: { id } });
    expect(cancelled.data?.cancelJob).toMatchObject({ code: 'NOT_FOUND' });
    const revoked = await request(url, adminKey, RevokeApiKeyDocument, { input: { id } });
    expect(revoked.data?.revokeApiKey).toMatchObject({ code: 'NOT_FOUND' });
    const input = { workspaceId: id, name: 'key', scopes: ['READ' as const] };
    const created = await request(url, adminKey, CreateApiKeyDocument, { input });
    expect(created.data?.createApiKey).toMatchObject({ code: 'NOT_FOUND' });
    const claimed = await request(url, key, ClaimJobsDocument, { input: { types: ['comments'], workerId: 'w', jobIds: [id] } });
    expect(claimed.data?.claimJobs).toEqual({ __typename: 'ClaimJobsPayload', leases: [] });
  },
);

test.each<{ what: string; page: (cursor: string) => JobsQueryVariables }>([
  { what: 'first: 0', page: () => ({ first: 0 }) },
  { what: 'first: -1', page: () => ({ first: -1 }) },
  { what: 'first: 101', page: () => ({ first: 101 }) },
  { what: 'last: 0', page: () => ({ last: 0 }) },
  { what: 'last: 101', page: () => ({ last: 101 }) },
  { what: 'first and last at once', page: () => ({ first: 1, last: 1 }) },
  { what: 'a tampered cursor', page: (cursor) => ({ after: tampered(cursor) }) },
  { what: 'half a cursor', page: (cursor) => ({ after: cursor.slice(0, 12) }) },
  { what: 'a cursor with something behind it', page: (cursor) => ({ before: `${cursor}=` }) },
  { what: 'an empty cursor', page: () => ({ after: '' }) },
  { what: 'NUL for a cursor', page: () => ({ before: nul }) },
  { what: 'NUL in a filter', page: () => ({ filter: { tags: [nul] } }) },
  { what: 'a filter of too many types', page: () => ({ filter: { types: Array.from({ length: 101 }, String) } }) },
])('a page is refused: $what', async ({ page }) => {
  const { jobs } = await ask(longhaul.url, key, JobsDocument, { first: 1 });
  const answer = await request(longhaul.url, key, JobsDocument, page(jobs.pageInfo.endCursor ?? ''));
  expect(answer).toMatchObject({ data: null, errors: [{ path: ['jobs'], extensions: { code: 'BAD_USER_INPUT' } }] });
  refusal(answer);
});

test.each([2 ** 53, -(2 ** 53), 1e21, 1e308])(
  'an id that is a number which JSON rounds names nothing else: %d',
  async (id) => {
    const single = await longhaul.graphql('query ($id: ID!) { node(id: $id) { id } }', { id }, key);
    const list = await longhaul.graphql('query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', { ids: ['x', id] }, key);
    const claims = 'mutation ($i: ClaimJobsInput!) { claimJobs(input: $i) { __typename ... on ValidationError { issues { path message } } } }';
    const inside = await longhaul.graphql(claims, { i: { types: ['analysis'], workerId: 'w', jobIds: [id] } }, key);
    expect(inside.data).toEqual({ claimJobs: { __typename: 'ValidationError', issues: [{ path: ['jobIds', '0'], message: expect.stringContaining('as a string') }] } });
    const literal = 'mutation ($i: ID!) { createJob(input: { type: "analysis", input: { videoId: $i } }) { __typename } }';
    const stored = await longhaul.graphql(literal, { i: id }, key);
    for (const { data, errors } of [single, list, stored]) {
      expect(data).toBeNull();
      expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
      expect(errors[0]?.message).toContain('as a string');
    }
  },
);

test('a cursor of one list is none of another', async () => {
  const { data } = await longhaul.graphql('{ workspace { creditTransactions { pageInfo { endCursor } } } }', {}, key);
  const cursor = /"endCursor":"([^"]+)"/.exec(JSON.stringify(data))?.[1];
  if (cursor === undefined) throw new Error('the ledger gave no cursor');
  const answer = await request(longhaul.url, key, JobsDocument, { after: cursor });
  expect(answer).toMatchObject({ data: null, errors: [{ path: ['jobs'], extensions: { code: 'BAD_USER_INPUT' } }] });
});

test.each([
  { what: 'a field that there is not', query: '{ jobs { nothing } }' },
  { what: 'what is no GraphQL', query: 'this is no GraphQL' },
  { what: 'an empty document', query: '' },
  { what: 'an instant without an offset', query: '{ jobs(filter: { createdAfter: "2026-01-01T00:00:00" }) { totalCount } }' },
  { what: 'the 30th of February', query: '{ jobs(filter: { createdAfter: "2026-02-30T00:00:00Z" }) { totalCount } }' },
  { what: 'an input that is null', query: 'mutation { createJob(input: null) { __typename } }' },
  { what: 'an input that is no object', query: 'mutation { createJob(input: "comments") { __typename } }' },
  { what: 'an input in a variable that is no object', query: 'mutation ($input: CreateJobInput!) { createJob(input: $input) { __typename } }' },
  { what: 'a string for a number', query: '{ jobs(first: "1") { totalCount } }' },
  { what: 'a number beyond Int', query: '{ jobs(first: 4294967296) { totalCount } }' },
])('a document is refused: $what', async ({ query }) => {
  const { status, data, errors } = await longhaul.graphql(query, {}, key);
  expect({ status, data }).toEqual({ status: expect.toSatisfy((code) => code === 200 || code === 400), data: null });
  for (const { extensions } of errors) expect(extensions['code']).toBe('BAD_USER_INPUT');
  refusal({ status, data, errors });
});

test.each([
  { what: 'a selection nested too deeply', query: `{ node(id: "x") { ... on Job { ${'retryOf { '.repeat(50)} id ${'} '.repeat(50)} } } }` },
  { what: 'brackets nested too deeply', query: `{ job(id: ${'['.repeat(20_000)} ) { id } }` },
  { what: 'too many aliases', query: `{ ${Array.from({ length: 1_000 }, (_, n) => `a${n}: job(id: "x") { id }`).join(' ')} }` },
])('$what is refused, and the process is up', async ({ query }) => {
  const answer = await longhaul.graphql(query, {}, key);
  expect(answer.status).toBeLessThan(500);
  expect(answer.data).toBeNull();
  expect(answer.errors[0]?.extensions['code']).toBe('LIMIT_EXCEEDED');
  refusal(answer);
});

const json = { 'content-type': 'application/json' };

test.each<{ what: string; init: RequestInit; query?: string; status: number; code: string; says?: string }>([
  { what: 'malformed JSON', init: { method: 'POST', headers: json, body: '{"query":' }, status: 400, code: 'BAD_USER_INPUT' },
  { what: 'no body', init: { method: 'POST', headers: json }, status: 400, code: 'BAD_USER_INPUT' },
  { what: 'JSON that is no object', init: { method: 'POST', headers: json, body: '7' }, status: 400, code: 'BAD_USER_INPUT' },
  { what: 'JSON without a query', init: { method: 'POST', headers: json, body: '{}' }, status: 400, code: 'BAD_USER_INPUT' },
  { what: 'a batch', init: { method: 'POST', headers: json, body: '[{"query":"{ __typename }"}]' }, status: 400, code: 'BAD_USER_INPUT' },
  {
    what: 'a form',
    init: {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ query: creation() }),
    },
    status: 415,
    code: 'BAD_USER_INPUT',
  },
  {
    what: 'a form with a file',
    init: { method: 'POST', body: formOf({ operations: JSON.stringify({ query: creation() }), map: '{}' }) },
    status: 415,
    code: 'BAD_USER_INPUT',
  },
  {
    what: 'GraphQL as text',
    init: { method: 'POST', headers: { 'content-type': 'text/plain' }, body: JSON.stringify({ query: creation() }) },
    status: 415,
    code: 'BAD_USER_INPUT',
  },
  {
    what: 'a body over the limit',
    init: { method: 'POST', headers: json, body: JSON.stringify({ query: '{ __typename }', pad: 'x'.repeat(17 * 1024 * 1024) }) },
    status: 413,
    code: 'PAYLOAD_TOO_LARGE',
    says: `more than ${16 * 1024 * 1024} bytes`,
  },
  { what: 'a mutation by GET', init: {}, query: creation(), status: 405, code: 'BAD_USER_INPUT' },
])('HTTP refuses $what', async ({ init, query, status, code, says = '' }) => {
  const url = new URL('/graphql', longhaul.url);
  if (query !== undefined) url.searchParams.set('query', query);
  const headers = { accept: 'application/json', authorization: `Bearer ${key}`, ...init.headers };
  const response = await fetch(url, { ...init, headers });
  const text = await response.text();
  expect({ status: response.status, text }).toEqual({ status, text: expect.stringContaining(`"${code}"`) });
  expect(text).toContain(says);
  expect(text).not.toMatch(inside);
});

function job(more: JsonObject = {}): CreateJobInput {
  return { type: 'comments', input: { sourceUrl, ...more } };
}

function nested(levels: number): JsonObject {
  let value: JsonObject = {};
  for (let level = 1; level < levels; level += 1) value = { a: value };
  return value;
}

function creation(): string {
  return `mutation { createJob(input: { type: "comments", input: { sourceUrl: "${sourceUrl}" } }) { __typename } }`;
}

function formOf(fields: Record<string, string>): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  return form;
}

/** Another id under the mark of this one. */
function tampered(cursor: string): string {
  return (cursor.startsWith('A') ? 'B' : 'A') + cursor.slice(1);
}

/** What no message may show: stacks, files, SQL, names of libraries. */
const inside = /\bat .*\.[jt]s|node_modules|\/src\/|SELECT |zod|pothos|graphql-js|postgres|\bstack\b/i;

/** Every refusal has a stable code from the table, in `errors` or in a member of the result, and shows nothing inside. */
function refusal<Data>({ data, errors }: Answer<Data> | { status: number; data: Data; errors: Answer<Data>['errors'] }): void {
  const members = Object.values(data ?? {}).filter((value) => typeof value === 'object' && value !== null && 'code' in value);
  const codes = [...errors.map(({ extensions }) => extensions['code']), ...members.map(({ code }) => code)];
  expect(codes.length).toBeGreaterThan(0);
  for (const code of codes) expect(Object.keys(errorTable)).toContain(code);
  expect(JSON.stringify({ data, errors })).not.toMatch(inside);
}

/** All that a refused request could have changed of the workspace. */
async function everything(): Promise<string> {
  const { database } = longhaul.services;
  const tables = ['job', 'job_tag', 'job_attempt', 'lease', 'idempotency_key', 'credit_transaction', 'api_key'];
  const rows = await Promise.all(
    tables.map((table) => database.hot.query(`SELECT * FROM ${table} WHERE workspace_id = $1 ORDER BY 1, 2`, [workspace.id])),
  );
  const keys = await database.hot.query('SELECT count(*)::int AS keys FROM api_key WHERE revoked_at IS NOT NULL');
  return JSON.stringify([rows, keys, await database.hot.query('SELECT * FROM workspace WHERE id = $1', [workspace.id])]);
}
