import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Job } from '../../src/jobs/model/job.ts';
import type { JsonValue } from '../../src/json.ts';
import { authenticate } from '../../src/workspaces/authenticate.ts';
import { createApiKey } from '../../src/workspaces/create-api-key.ts';
import { Tenant } from '../support/domain.ts';
import { type Longhaul, sharedLonghaul, startLonghaul, type TestWorkspace } from '../support/longhaul.ts';
import { rest } from '../support/rest.ts';

let longhaul: Longhaul;
let workspace: TestWorkspace;
let tenant: Tenant;
let key: string;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
  workspace = await longhaul.workspace();
  tenant = Tenant.of(longhaul, workspace.id);
  key = await workspace.key({ dialect: 'VYDRA' });
});
afterAll(() => longhaul.stop());

const house = { type: 'house-timelapse', input: { theme: 'Cliffside Ocean Mansion' } };
const instant = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

function call(method: string, path: string, json?: unknown, secret = key) {
  return rest(`${longhaul.url}${path}`, { method, key: secret, ...(json === undefined ? {} : { json }) });
}

async function poll({ id }: Pick<Job, 'id'>): Promise<JsonValue | undefined> {
  const { status, body } = await call('GET', `/vydra/api/v1/jobs/${id}`);
  expect(status).toBe(200);
  return body;
}

/** What every state shows of a job that waits; each test says what is different. */
function pending(job: Job) {
  return {
    id: job.id,
    status: 'pending',
    progress: 0,
    statusMessage: 'Waiting to start...',
    output: null,
    workflow: 'house-timelapse',
    workflowSlug: 'house-timelapse',
    creditsCharged: 150,
    createdAt: job.createdAt.toISOString(),
    completedAt: null,
  };
}

const refunded = { creditsRefunded: 150, refundStatus: 'completed' };

describe('a job in each state', () => {
  test('waits', async () => {
    const job = await tenant.create(house);
    expect(await poll(job)).toEqual(pending(job));
  });

  test('runs, with the last report if there is one, and is not over at 100 percent', async () => {
    const { job, token } = await tenant.running(house);
    const running = { ...pending(job), status: 'running', statusMessage: 'Running' };
    expect(await poll(job)).toEqual(running);
    await tenant.report(token, { percentage: 45, message: 'Generating video 2 of 3...' });
    expect(await poll(job)).toEqual({ ...running, progress: 45, statusMessage: 'Generating video 2 of 3...' });
    await tenant.report(token, { percentage: 100, message: 'Nearly' });
    expect(await poll(job)).toEqual({ ...running, progress: 100, statusMessage: 'Nearly' });
  });

  test('runs on between two attempts, as it was last reported', async () => {
    const { job, token } = await tenant.running(house);
    await tenant.report(token, { percentage: 45, message: 'Generating video 2 of 3...' });
    await tenant.fail(token);
    const between = { ...pending(job), status: 'running', progress: 45, statusMessage: 'Generating video 2 of 3...' };
    expect(await poll(job)).toEqual(between);
  });

  test('completes with its output', async () => {
    const { job, token } = await tenant.running(house);
    const output = { videoUrl: 'https://cdn.example.com/output.mp4', thumbnailUrl: 'https://cdn.example.com/thumbnail.jpg' };
    const { finishedAt } = await tenant.complete(token, output);
    expect(await poll(job)).toEqual({
      ...pending(job),
      status: 'completed',
      progress: 100,
      statusMessage: 'Completed successfully',
      output,
      completedAt: finishedAt?.toISOString(),
    });
  });

  test.each<{ result: JsonValue; output: JsonValue }>([
    { result: 'done', output: { value: 'done' } },
    { result: [1], output: { value: [1] } },
    { result: null, output: null },
  ])('shows the result $result as an object, or nothing', async ({ result, output }) => {
    const { job, token } = await tenant.running(house);
    await tenant.complete(token, result);
    expect(await poll(job)).toMatchObject({ status: 'completed', output });
  });

  test('fails, says why, and gives everything back', async () => {
    const { job, token } = await tenant.running(house);
    await tenant.report(token, { percentage: 30 });
    const { finishedAt } = await tenant.fail(token, { code: 'NO_GPU', message: 'No GPU is free.', retryable: false });
    expect(await poll(job)).toEqual({
      ...pending(job),
      status: 'failed',
      progress: 30,
      statusMessage: 'No GPU is free.',
      error: { message: 'No GPU is free.', code: 'NO_GPU' },
      ...refunded,
      completedAt: finishedAt?.toISOString(),
    });
  });

  test('is cancelled, by whomever', async () => {
    const { job, token } = await tenant.running(house);
    await tenant.report(token, { percentage: 30, message: 'Digging' });
    const { finishedAt } = await tenant.cancel(job.id, 'of no more use');
    expect(await poll(job)).toEqual({
      ...pending(job),
      status: 'cancelled',
      progress: 30,
      statusMessage: 'Job cancelled',
      ...refunded,
      completedAt: finishedAt?.toISOString(),
    });
  });
});

describe('a new job', () => {
  test.each([
    { what: 'at the root', prefix: '' },
    { what: 'under the prefix', prefix: '/vydra' },
  ])('is answered as the seed shows, with links $what', async ({ prefix }) => {
    const { status, body } = await call('POST', `${prefix}/api/v1/jobs`, {
      workflow: 'house-timelapse',
      input: { theme: 'Cliffside Ocean Mansion' },
      webhookUrl: 'https://yourapp.example.com/webhook/vydra',
    });
    expect(status).toBe(201);
    const { id } = Object(body) as { id: string };
    const self = `${longhaul.url}${prefix}/api/v1/jobs/${id}`;
    expect(body).toEqual({
      id,
      status: 'running',
      workflow: 'house-timelapse',
      creditsCharged: 150,
      createdAt: instant,
      _links: { self, status: self },
    });
    expect(await tenant.read(id)).toMatchObject({
      dialect: 'VYDRA',
      input: { theme: 'Cliffside Ocean Mansion' },
      webhookUrl: 'https://yourapp.example.com/webhook/vydra',
    });
    expect((await rest(self, { key })).body).toMatchObject({ id, status: 'pending' });
  });

  test('needs no input, and costs what its workflow does', async () => {
    for (const [workflow, creditsCharged] of [['house-timelapse', 150], ['renovation-timelapse', 50], ['transcribe', 3]]) {
      const input = workflow === 'transcribe' ? { input: { sourceUrl: 'https://example.com/a.mp4' } } : {};
      const { status, body } = await call('POST', '/vydra/api/v1/jobs', { workflow, ...input, unknown: 'is ignored' });
      expect({ status, body }).toMatchObject({ status: 201, body: { workflow, creditsCharged } });
    }
  });

  const missing = { error: 'Missing required field: workflow (string)', code: 'INVALID_INPUT' };
  test.each([
    { what: 'no workflow', json: {}, refused: missing },
    { what: 'an empty workflow', json: { workflow: '' }, refused: missing },
    { what: 'a number for a workflow', json: { workflow: 7, webhookUrl: 'no' }, refused: missing },
    {
      what: 'an unknown workflow',
      json: { workflow: 'castle-timelapse' },
      refused: { error: expect.stringContaining('castle-timelapse'), code: 'INVALID_INPUT' },
    },
    ...[null, 'text', 7, [], true].map((input) => ({
      what: `${JSON.stringify(input)} for an input`,
      json: { workflow: 'house-timelapse', input },
      refused: { error: expect.stringMatching(/^input: expected an object/), code: 'INVALID_INPUT' },
    })),
    {
      what: 'an input that the workflow does not take',
      json: { workflow: 'house-timelapse', input: { theme: 7 } },
      refused: { error: expect.stringMatching(/^input\.theme: /), code: 'INVALID_INPUT' },
    },
    ...['no url', '', '/hook', 'ftp://example.com/', 7, 'https://user:secret@example.com/'].map((webhookUrl) => ({
      what: `${JSON.stringify(webhookUrl)} for a webhookUrl`,
      json: { workflow: 'house-timelapse', webhookUrl },
      refused: { error: expect.stringMatching(/^webhookUrl: (?!.*secret)/), code: 'INVALID_URL' },
    })),
    {
      what: 'more than a bad webhookUrl',
      json: { workflow: 'house-timelapse', input: 7, webhookUrl: 'no url' },
      refused: { error: expect.stringMatching(/^input: .*; webhookUrl: /), code: 'INVALID_INPUT' },
    },
    { what: 'a list', json: [], refused: { error: expect.any(String), code: 'INVALID_INPUT' } },
  ])('with $what is refused, and nothing is created', async ({ json, refused }) => {
    const poor = Tenant.of(longhaul, (await longhaul.workspace({ credits: 1_000 })).id);
    const secret = await workspaceKey(poor);
    expect(await call('POST', '/vydra/api/v1/jobs', json, secret)).toMatchObject({ status: 400, body: refused });
    expect(await poor.count('FROM job WHERE workspace_id = $1')).toBe(0);
    expect(await poor.balance()).toBe(1_000);
  });

  test('without a body lacks its workflow; what is no JSON is told so', async () => {
    expect(await call('POST', '/vydra/api/v1/jobs')).toMatchObject({ status: 400, body: missing });
    const headers = { 'content-type': 'application/json' };
    const broken = await rest(`${longhaul.url}/vydra/api/v1/jobs`, { key, headers, body: '{"workflow":' });
    expect(broken).toMatchObject({ status: 400, body: { error: expect.stringMatching(/JSON/), code: 'INVALID_INPUT' } });
  });

  test('that is too dear is 402 and changes nothing', async () => {
    const poor = Tenant.of(longhaul, (await longhaul.workspace({ credits: 149 })).id);
    const { status, body } = await call('POST', '/api/v1/jobs', { workflow: 'house-timelapse' }, await workspaceKey(poor));
    expect({ status, body }).toEqual({
      status: 402,
      body: { error: 'Insufficient credits', code: 'INSUFFICIENT_CREDITS', creditsRequired: 150, creditsRemaining: 149 },
    });
    expect(await poor.balance()).toBe(149);
    expect(await poor.count('FROM job WHERE workspace_id = $1')).toBe(0);
  });
});

test('a full queue is 429 in the form that tells when to come back', async () => {
  const small = await startLonghaul({ MAX_QUEUE_LENGTH: '1' });
  try {
    const secret = await (await small.workspace()).key({ dialect: 'VYDRA' });
    const create = () => rest(`${small.url}/api/v1/jobs`, { key: secret, json: { workflow: 'house-timelapse' } });
    expect(await create()).toMatchObject({ status: 201 });
    const { status, headers, body } = await create();
    expect({ status, body }).toEqual({
      status: 429,
      body: {
        error: expect.stringMatching(/^1 jobs are pending/),
        code: 'RATE_LIMIT_EXCEEDED',
        retryAfter: 60,
        limits: { type: 'queue', limit: 1, used: 1 },
      },
    });
    expect(headers.get('retry-after')).toBe('60');
  } finally {
    await small.stop();
  }
});

test('a workflow that costs nothing has nothing to give back', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'longhaul-test-types-'));
  const types = join(folder, 'types.json');
  await writeFile(types, JSON.stringify([{ name: 'gratis', credits: 0 }]));
  const free = await startLonghaul({ JOB_TYPES: types });
  try {
    const secret = await (await free.workspace()).key({ dialect: 'VYDRA' });
    const { status, body } = await rest(`${free.url}/api/v1/jobs`, { key: secret, json: { workflow: 'gratis' } });
    expect({ status, body }).toMatchObject({ status: 201, body: { creditsCharged: 0 } });
    const url = `${free.url}/api/v1/jobs/${(Object(body) as { id: string }).id}`;
    expect((await rest(url, { method: 'DELETE', key: secret })).body).toEqual({
      success: true,
      message: 'Job cancelled',
      refund: { applied: false, creditsRefunded: 0 },
    });
    expect((await rest(url, { key: secret })).body).toMatchObject({ creditsRefunded: 0, refundStatus: 'none' });
  } finally {
    await free.stop();
    await rm(folder, { recursive: true });
  }
});

describe('cancelling', () => {
  test.each([
    { what: 'a job that waits', make: async () => tenant.create(house) },
    { what: 'a job that runs', make: async () => (await tenant.running(house)).job },
  ])('$what gives the credits back', async ({ make }) => {
    const job = await make();
    const { status, body } = await call('DELETE', `/api/v1/jobs/${job.id}`);
    expect({ status, body }).toEqual({
      status: 200,
      body: { success: true, message: 'Job cancelled', refund: { applied: true, creditsRefunded: 150 } },
    });
    expect(await poll(job)).toMatchObject({ status: 'cancelled', ...refunded });
  });

  test.each([
    { shown: 'completed', end: (token: string) => tenant.complete(token) },
    { shown: 'failed', end: (token: string) => tenant.fail(token, { retryable: false }) },
    { shown: 'cancelled', end: (_token: string, { id }: Job) => tenant.cancel(id) },
  ])('a job that is $shown is refused and changes nothing', async ({ shown, end }) => {
    const { job, token } = await tenant.running(house);
    await end(token, job);
    const before = { job: await tenant.read(job.id), balance: await tenant.balance() };
    const { status, body } = await call('DELETE', `/vydra/api/v1/jobs/${job.id}`);
    expect({ status, body }).toEqual({
      status: 400,
      body: {
        success: false,
        error: `The job is ${shown} already and cannot be cancelled`,
        code: 'JOB_NOT_CANCELLABLE',
        details: { status: shown },
      },
    });
    expect({ job: await tenant.read(job.id), balance: await tenant.balance() }).toEqual(before);
  });
});

describe('who asks', () => {
  const unknown = '0198c0de-0000-7000-8000-000000000000';
  const requests: [string, string][] = [
    ['POST', '/api/v1/jobs'],
    ['GET', '/api/v1/jobs?limit=wrong'],
    ['GET', `/api/v1/jobs/${unknown}`],
    ['DELETE', `/api/v1/jobs/${unknown}`],
  ];

  async function refusedWith(headers: Record<string, string>): Promise<unknown[]> {
    const answers = await Promise.all(
      requests.map(([method, path]) => rest(longhaul.url + path, { method, headers })),
    );
    return answers.map(({ status, body }) => ({ status, body }));
  }

  test.each([
    { what: 'no header', headers: {}, code: 'MISSING_AUTH', error: 'Missing Authorization header' },
    { what: 'no bearer', headers: { authorization: 'Basic dXNlcg==' }, code: 'INVALID_FORMAT', error: 'Invalid API key format' },
    { what: 'another form', headers: { authorization: 'Bearer vc_0000000000' }, code: 'INVALID_FORMAT', error: 'Invalid API key format' },
    {
      what: 'the right form and no such key',
      headers: { authorization: 'Bearer vydra_live_user_000000' },
      code: 'KEY_NOT_FOUND',
      error: 'API key not found',
    },
    { what: 'a key elsewhere', headers: { 'x-api-key': 'vydra_live_user_000000' }, code: 'MISSING_AUTH', error: 'Missing Authorization header' },
  ])('$what is 401 $code, before anything else is looked at', async ({ headers, code, error }) => {
    for (const answer of await refusedWith({ ...headers })) expect(answer).toEqual({ status: 401, body: { error, code } });
  });

  test('a revoked key is told so', async () => {
    const revoked = await workspace.key({ dialect: 'VYDRA' });
    await longhaul.services.database.hot.query(
      `UPDATE api_key SET revoked_at = now() WHERE workspace_id = $1 AND prefix = $2`,
      [workspace.id, revoked.slice(0, 'vydra_live_user_'.length + 4)],
    );
    for (const answer of await refusedWith({ authorization: `Bearer ${revoked}` })) {
      expect(answer).toEqual({ status: 401, body: { error: 'API key was revoked', code: 'KEY_REVOKED' } });
    }
  });

  test('a token that has expired is told so', async () => {
    const { services } = longhaul;
    const viewer = await authenticate(services, { secret: key, address: '127.0.0.1' }, 'VYDRA');
    const token = await services.accessTokens.sign({ ...viewer, restriction: { tags: ['any'], types: null }, scopes: ['READ'], expiresAt: new Date(Date.now() - 1_000) });
    for (const answer of await refusedWith({ authorization: `Bearer ${token}` })) {
      expect(answer).toEqual({ status: 401, body: { error: 'API key has expired', code: 'KEY_EXPIRED' } });
    }
  });

  test('a key that may only read neither creates nor cancels', async () => {
    const reading = await workspace.key({ dialect: 'VYDRA', scopes: ['READ'] });
    const job = await tenant.create(house);
    for (const [method, path] of [['POST', '/api/v1/jobs'], ['DELETE', `/api/v1/jobs/${job.id}`]] as const) {
      expect(await call(method, path, undefined, reading)).toMatchObject({
        status: 403,
        body: { error: expect.any(String), code: 'INSUFFICIENT_SCOPE' },
      });
    }
    expect((await tenant.read(job.id)).cancelReason).toBeNull();
  });

  test("another workspace's job, an unknown one and what is no id are one and the same 404", async () => {
    const other = await (await Tenant.in(longhaul)).create(house);
    for (const id of [other.id, unknown, 'none', '%00', 'x'.repeat(400), '%F0%9F']) {
      for (const method of ['GET', 'DELETE']) {
        const { status, body } = await call(method, `/vydra/api/v1/jobs/${id}`);
        expect({ id, status, body }).toEqual({ id, status: 404, body: { error: 'Job not found', code: 'JOB_NOT_FOUND' } });
      }
    }
    expect(await Tenant.of(longhaul, other.workspaceId).read(other.id)).toEqual(other);
  });

  test('other methods and paths are refused in the words of the dialect', async () => {
    const put = await call('PUT', '/api/v1/jobs');
    expect(put).toMatchObject({ status: 405, body: { error: 'Method not allowed', code: 'METHOD_NOT_ALLOWED' } });
    expect(put.headers.get('allow')).toBe('POST, GET, HEAD');
    expect((await call('POST', `/api/v1/jobs/${unknown}`)).headers.get('allow')).toBe('GET, HEAD, DELETE');
    expect(await call('GET', '/vydra/api/v2/jobs')).toMatchObject({ status: 404, body: { error: 'Not found', code: 'NOT_FOUND' } });
  });
});

async function workspaceKey({ id }: Tenant): Promise<string> {
  const { database } = longhaul.services;
  const { secret } = await createApiKey(database, { workspaceId: id, name: 'test', scopes: ['READ', 'WRITE'], dialect: 'VYDRA' });
  return secret;
}
