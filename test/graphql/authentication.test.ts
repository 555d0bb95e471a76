import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { toGlobalId } from '../../src/graphql/global-id.ts';
import { createLog } from '../../src/server/json-log.ts';
import {
  ApiKeysDocument,
  CancelJobDocument,
  CreateApiKeyDocument,
  CreateJobDocument,
  JobDocument,
  JobProgressDocument,
  JobTypesDocument,
  NodesDocument,
  RetryJobDocument,
  RevokeApiKeyDocument,
  type Scope,
} from './generated/graphql.ts';
import { ask, request, transports, watchSocket } from '../support/client.ts';
import { type Longhaul, sharedLonghaul, startLonghaul } from '../support/longhaul.ts';
import { globalId, submit } from '../support/steps.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
});
afterAll(() => longhaul.stop());

const unknownId = toGlobalId('Job', '0198c0de-0000-7000-8000-000000000000');
const unknownKey = `lh_${'0'.repeat(64)}`;

test('without a key every field that needs one is refused by itself, and HTTP says 401', async () => {
  const { status, data, errors } = await longhaul.graphql(
    `{ __typename one: job(id: "${unknownId}") { id } two: node(id: "${unknownId}") { id } }`,
    {},
    null,
  );
  expect(status).toBe(401);
  expect(data).toEqual({ __typename: 'Query', one: null, two: null });
  expect(errors.map(({ path, extensions }) => ({ path, code: extensions['code'] }))).toEqual([
    { path: ['one'], code: 'UNAUTHENTICATED' },
    { path: ['two'], code: 'UNAUTHENTICATED' },
  ]);
});

test('without a key no mutation does anything', async () => {
  const { status, data, errors } = await request(longhaul.url, null, CreateJobDocument, { input: { type: 'comments' } });
  expect(status).toBe(401);
  expect(data).toEqual({ createJob: null });
  expect(errors[0]?.extensions).toEqual({ code: 'UNAUTHENTICATED' });
});

test('a wrong key is refused with 401, whatever it asks for', async () => {
  const { status, data, errors } = await longhaul.graphql('{ __typename }', {}, unknownKey);
  expect(status).toBe(401);
  expect(data).toBeNull();
  expect(errors).toEqual([
    { message: expect.stringContaining('Invalid or missing API key'), extensions: { code: 'UNAUTHENTICATED' } },
  ]);
});

test('the schema can be asked for without a key', async () => {
  const { status, data, errors } = await longhaul.graphql('{ __schema { queryType { name } } }', {}, null);
  expect({ status, data, errors }).toEqual({ status: 200, data: { __schema: { queryType: { name: 'Query' } } }, errors: [] });
});

test.each([
  { header: 'Authorization: Bearer', headers: (key: string) => ({ authorization: `Bearer ${key}` }) },
  { header: 'Authorization: bearer', headers: (key: string) => ({ authorization: `bearer ${key}` }) },
  { header: 'x-api-key', headers: (key: string) => ({ 'x-api-key': key }) },
])('a key is taken from $header', async ({ headers }) => {
  const workspace = await longhaul.workspace();
  const response = await fetch(`${longhaul.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers(await workspace.key()) },
    body: '{"query":"{ workspace { id } }"}',
  });
  expect(await response.json()).toEqual({ data: { workspace: { id: toGlobalId('Workspace', workspace.id) } } });
});

test('a key works until it is revoked, and not once more', async () => {
  const workspace = await longhaul.workspace();
  const { url, adminKey } = longhaul;
  const input = { workspaceId: workspace.id, name: 'short-lived', scopes: ['READ'] satisfies Scope[] };
  const { createApiKey } = await ask(url, adminKey, CreateApiKeyDocument, { input });
  if (createApiKey === null || !('secret' in createApiKey)) throw new Error('no key was made');
  const { secret, apiKey } = createApiKey;
  // Asked twice, so that the second answer comes from what the process remembers.
  for (let time = 1; time <= 2; time += 1) expect((await request(url, secret, JobTypesDocument, {})).status).toBe(200);

  const { revokeApiKey } = await ask(url, adminKey, RevokeApiKeyDocument, { input: { id: apiKey.id } });
  expect(revokeApiKey).toMatchObject({ apiKey: { id: apiKey.id, revokedAt: expect.any(String) } });

  const refused = await request(url, secret, JobTypesDocument, {});
  expect(refused).toMatchObject({ status: 401, data: null, errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
  await expect(watchSocket(url, secret, JobProgressDocument, { id: unknownId }).next()).rejects.toMatchObject({ code: 4401 });

  const again = await ask(url, adminKey, RevokeApiKeyDocument, { input: { id: apiKey.id } });
  expect(again.revokeApiKey).toEqual(revokeApiKey);
});

test.each<{ scopes: Scope[]; operation: string; field: string }>([
  { scopes: ['READ', 'WORK'], field: 'createJob', operation: 'mutation { createJob(input: { type: "comments" }) { __typename } }' },
  { scopes: ['READ', 'WORK'], field: 'cancelJob', operation: 'mutation { cancelJob(input: { id: "x" }) { __typename } }' },
  { scopes: ['WRITE'], field: 'job', operation: '{ job(id: "x") { id } }' },
  { scopes: ['WRITE', 'WORK'], field: 'node', operation: '{ node(id: "x") { id } }' },
  { scopes: ['WRITE', 'WORK'], field: 'jobs', operation: '{ jobs { edges { cursor } } }' },
  {
    scopes: ['READ', 'WRITE'],
    field: 'claimJobs',
    operation: 'mutation { claimJobs(input: { types: ["comments"], workerId: "w" }) { __typename } }',
  },
  { scopes: ['READ', 'WRITE'], field: 'releaseJob', operation: 'mutation { releaseJob(input: { token: "x" }) { __typename } }' },
  { scopes: ['READ', 'WRITE', 'WORK'], field: 'workspaces', operation: '{ workspaces { edges { cursor } } }' },
  {
    scopes: ['READ', 'WRITE', 'WORK'],
    field: 'grantCredits',
    operation: 'mutation { grantCredits(input: { workspaceId: "x", amount: 1 }) { __typename } }',
  },
])('a key with $scopes may not $field', async ({ scopes, operation, field }) => {
  const workspace = await longhaul.workspace();
  const { errors } = await longhaul.graphql(operation, {}, await workspace.key({ scopes }));
  expect(errors).toMatchObject([{ path: [field], extensions: { code: 'FORBIDDEN' }, message: expect.stringContaining('scope') }]);
});

test("a workspace's keys are for administrators alone", async () => {
  const workspace = await longhaul.workspace();
  const { errors } = await request(longhaul.url, await workspace.key(), ApiKeysDocument, {});
  expect(errors).toMatchObject([{ path: ['workspace', 'apiKeys'], extensions: { code: 'FORBIDDEN' } }]);
});

test.each(transports)('a subscription over $over without READ is FORBIDDEN', async ({ watch }) => {
  const workspace = await longhaul.workspace();
  const job = await submit(longhaul, workspace.id);
  const key = await workspace.key({ scopes: ['WRITE'] });
  const events = watch(longhaul.url, key, JobProgressDocument, { id: globalId(job) });
  expect((await events.next()).value).toMatchObject({ errors: [{ extensions: { code: 'FORBIDDEN' } }] });
  expect(await events.next()).toMatchObject({ done: true });
});

test("another workspace's job looks exactly like one that does not exist", async () => {
  const theirs = globalId(await submit(longhaul, (await longhaul.workspace()).id));
  const key = await (await longhaul.workspace()).key();
  const { url } = longhaul;
  const everything = async (id: string) => ({
    job: await request(url, key, JobDocument, { id }),
    nodes: await request(url, key, NodesDocument, { ids: [id] }),
    cancel: await request(url, key, CancelJobDocument, { input: { id } }),
    retry: await request(url, key, RetryJobDocument, { input: { id } }),
  });
  const seen = await everything(theirs);
  expect(seen).toEqual(await everything(unknownId));
  expect(seen).toMatchObject({
    job: { status: 200, data: { job: null }, errors: [] },
    nodes: { data: { nodes: [null] }, errors: [] },
    cancel: { data: { cancelJob: { __typename: 'NotFoundError', code: 'NOT_FOUND' } }, errors: [] },
    retry: { data: { retryJob: { __typename: 'NotFoundError', code: 'NOT_FOUND' } }, errors: [] },
  });
});

test.each(transports)("a subscription over $over to another workspace's job is NOT_FOUND like one to no job", async ({ watch }) => {
  const theirs = globalId(await submit(longhaul, (await longhaul.workspace()).id));
  const key = await (await longhaul.workspace()).key();
  const answers = await Promise.all(
    [theirs, unknownId, 'no id at all'].map(async (id) => {
      const events = watch(longhaul.url, key, JobProgressDocument, { id });
      const { value } = await events.next();
      expect(await events.next()).toMatchObject({ done: true });
      return value?.errors;
    }),
  );
  expect(answers[0]).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
  expect(answers[1]).toEqual(answers[0]);
  expect(answers[2]).toEqual(answers[0]);
});

test('a VideoConduit key works on its own surface and nowhere else', async () => {
  const workspace = await longhaul.workspace();
  const job = await submit(longhaul, workspace.id);
  const key = await workspace.key({ scopes: ['READ', 'WRITE'], dialect: 'VIDEOCONDUIT' });
  expect(key).toMatch(/^vc_/);
  const polled = await fetch(`${longhaul.url}/videoconduit/v1/jobs/${job.id}`, { headers: { authorization: `Bearer ${key}` } });
  expect(polled.status).toBe(200);
  const refused = await request(longhaul.url, key, JobDocument, { id: globalId(job) });
  expect(refused).toMatchObject({ status: 401, data: null, errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
  await expect(watchSocket(longhaul.url, key, JobProgressDocument, { id: globalId(job) }).next()).rejects.toMatchObject({
    code: 4401,
  });
});

test('a key that a client already has is imported, and works', async () => {
  const workspace = await longhaul.workspace();
  const secret = `vc_${randomBytes(16).toString('hex')}`;
  const input = { workspaceId: workspace.id, name: 'old', scopes: ['READ'] satisfies Scope[], secret };
  const { createApiKey } = await ask(longhaul.url, longhaul.adminKey, CreateApiKeyDocument, { input });
  expect(createApiKey).toMatchObject({ secret, apiKey: { name: 'old', scopes: ['READ'], dialect: 'NATIVE' } });
  expect((await request(longhaul.url, secret, JobTypesDocument, {})).status).toBe(200);

  const twice = await ask(longhaul.url, longhaul.adminKey, CreateApiKeyDocument, { input });
  expect(twice.createApiKey).toMatchObject({ __typename: 'ValidationError', issues: [{ path: ['secret'] }] });
});

test.each<{ scope: Scope }>([{ scope: 'WORK_ALL' }, { scope: 'ADMIN' }])(
  'only keys of the workspace default can have $scope',
  async ({ scope }) => {
    const workspace = await longhaul.workspace();
    const { url, adminKey } = longhaul;
    const make = (workspaceId: string) =>
      ask(url, adminKey, CreateApiKeyDocument, { input: { workspaceId, name: 'wide', scopes: [scope] } });
    expect((await make(workspace.id)).createApiKey).toMatchObject({ __typename: 'ValidationError', issues: [{ path: ['scopes'] }] });

    const { workspace: own } = await ask(url, adminKey, ApiKeysDocument, {});
    expect((await make(own.id)).createApiKey).toMatchObject({ apiKey: { scopes: [scope] } });
  },
);

test('of a key nothing is stored but its SHA-256 and the characters that it is recognised by', async () => {
  const workspace = await longhaul.workspace();
  const key = await workspace.key();
  const [row] = await longhaul.services.database.hot.query<{ hash: string; prefix: string }>(
    'SELECT * FROM api_key WHERE workspace_id = $1',
    [workspace.id],
  );
  expect(row?.hash).toBe(createHash('sha256').update(key).digest('hex'));
  expect(key.startsWith(row?.prefix ?? '?')).toBe(true);
  expect(row?.prefix.length).toBeLessThan(10);
  expect(JSON.stringify(row)).not.toContain(key.slice(10));
});

test('a bug is masked for the client, and the log has its id and no secret', async () => {
  const lines: string[] = [];
  const failing = await startLonghaul({}, { log: createLog('trace', { write: (line) => void lines.push(line) }) });
  try {
    const key = await (await failing.workspace()).key();
    const { database } = failing.services;
    await failing.graphql('{ __typename }', {}, unknownKey);
    const imported = `vc_${randomBytes(16).toString('hex')}`;
    const inline = `createApiKey(input: { workspaceId: "x", name: "n", scopes: [READ], secret: "${imported}" })`;
    // Refused for its scope, and for its text.
    await failing.graphql(`mutation { ${inline} { __typename } }`, {}, key);
    await failing.graphql(`mutation { ${inline} { `, {}, key);
    await database.hot.query('ALTER TABLE job RENAME TO job_away');
    const { status, data, errors } = await request(failing.url, key, JobDocument, { id: unknownId });
    await database.hot.query('ALTER TABLE job_away RENAME TO job');
    expect({ status, data }).toEqual({ status: 200, data: { job: null } });
    const [error] = errors;
    const id = String(error?.extensions['id']);
    expect(error).toEqual({
      message: `Something went wrong on our side. Report it with this id: ${id}.`,
      path: ['job'],
      locations: expect.anything(),
      extensions: { code: 'INTERNAL', id },
    });
    const log = lines.join('');
    expect(log).toContain(id);
    expect(log).toContain('does not exist');
    for (const secret of [key, imported, unknownKey, failing.adminKey, failing.shared['SECRET'] ?? key]) {
      expect(log).not.toContain(secret);
    }
  } finally {
    await failing.stop();
  }
});
