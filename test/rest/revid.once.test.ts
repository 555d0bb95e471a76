import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import type { Job } from '../../src/jobs/model/job.ts';
import type { JsonObject } from '../../src/json.ts';
import { Tenant } from '../support/domain.ts';
import { type Longhaul, sharedLonghaul, type TestWorkspace } from '../support/longhaul.ts';
import { rest, type RestAnswer } from '../support/rest.ts';

let longhaul: Longhaul;
let workspace: TestWorkspace;
let tenant: Tenant;
let key: string;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
  workspace = await longhaul.workspace();
  tenant = Tenant.of(longhaul, workspace.id);
  key = await workspace.key({ dialect: 'REVID' });
});
afterAll(() => longhaul.stop());

const media = { type: 'media/transcribe', input: { media_url: 'https://example.com/a.mp3' } };
const statusPath = '/paid/get/job/status';
const unknown = '0198c0de-0000-7000-8000-000000000000';

async function post(path: string, json: unknown, secret = key) {
  return bare(await rest(longhaul.url + path, { json, headers: { 'x-api-key': secret } }));
}

function bare({ status, body }: RestAnswer) {
  return { status, body };
}

/** At most three decimals. */
const seconds = expect.toSatisfy((value) => value >= 0 && value === Math.round(value * 1_000) / 1_000);
const uuid = expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);

/** The thirteen keys around the answer to a request. */
function enveloped(response: unknown, of: JsonObject = {}) {
  return {
    endpoint: '/v1/toolkit/job/status',
    code: 200,
    id: null,
    job_id: uuid,
    response,
    message: 'success',
    pid: process.pid,
    queue_id: expect.toSatisfy(Number.isSafeInteger),
    run_time: seconds,
    queue_time: 0,
    total_time: seconds,
    queue_length: expect.any(Number),
    build_number: packageJson.version,
    ...of,
  };
}

/** What is said of a job, inside. */
function told({ id }: Job, job_status: string, response: unknown = null) {
  const inner = { job_status, job_id: id, queue_id: expect.any(Number), process_id: process.pid, response };
  return { status: 200, body: enveloped(inner, { job_id: id }) };
}

function at(instant: Date | null): number {
  return instant?.getTime() ?? Number.NaN;
}

/** The thirteen keys of how a job ended. */
function ended(job: Job, of: JsonObject) {
  const startedAt = job.startedAt ?? job.finishedAt;
  // Creation is by the process's idea of the database's clock, which may be milliseconds ahead of it.
  const queued = Math.max(at(startedAt) - at(job.createdAt), 0);
  const ran = at(job.finishedAt) - at(startedAt);
  return enveloped(null, {
    endpoint: '/v1/media/transcribe',
    job_id: job.id,
    run_time: ran / 1_000,
    queue_time: queued / 1_000,
    total_time: (queued + ran) / 1_000,
    queue_length: 0,
    ...of,
  });
}

function poll({ id }: Job, more: JsonObject = {}) {
  return post(statusPath, { job_id: id, ...more });
}

describe('a job in each state', () => {
  test('is queued', async () => {
    const job = await tenant.create(media);
    expect(await poll(job)).toEqual(told(job, 'queued'));
  });

  test('runs, with or without progress, and between two attempts', async () => {
    const { job, token } = await tenant.running(media);
    expect(await poll(job)).toEqual(told(job, 'running'));
    await tenant.report(token, { percentage: 100, message: 'Nearly' });
    expect(await poll(job)).toEqual(told(job, 'running'));
    await tenant.fail(token);
    expect(await poll(job)).toEqual(told(job, 'running'));
  });

  test.each(['Transcription completed successfully.', { text: 'Hello', srt: null }, [1, 'a'], 0, false, null])(
    'is done with the result %j',
    async (result) => {
      const { job, token } = await tenant.running(media);
      const done = await tenant.complete(token, result);
      expect(await poll(job)).toEqual(told(job, 'done', ended(done, { code: 200, response: result, message: 'success' })));
    },
  );

  test('is done when it failed, and code and message say so', async () => {
    const { job, token } = await tenant.running(media);
    const failed = await tenant.fail(token, { message: 'Nobody speaks.', retryable: false });
    const response = ended(failed, { code: 500, message: 'Nobody speaks.' });
    expect(await poll(job)).toEqual(told(job, 'done', response));
  });

  test('is done when it was cancelled, waiting or running', async () => {
    const waiting = await tenant.create(media);
    const { job: running } = await tenant.running(media);
    for (const job of [waiting, running]) {
      const gone = await tenant.cancel(job.id);
      const response = ended(gone, { code: 500, message: 'Job was cancelled' });
      expect(await poll(job)).toEqual(told(job, 'done', response));
    }
  });
});

describe('asking for the status', () => {
  test.each(['/paid/get/job/status', '/v1/toolkit/job/status', '/revid/paid/get/job/status', '/revid/v1/toolkit/job/status'])(
    '%s answers the same, and echoes the id of the request',
    async (path) => {
      const job = await tenant.create(media);
      const answer = await post(path, { job_id: job.id.toUpperCase(), id: 'mine', unknown: 'is ignored' });
      const plain = told(job, 'queued');
      expect(answer).toEqual({ ...plain, body: { ...plain.body, id: 'mine' } });
      expect(await post(path, { job_id: job.id, id: 7 })).toEqual(told(job, 'queued'));
    },
  );

  test('tells how many jobs wait', async () => {
    const busy = await longhaul.workspace();
    const crowd = Tenant.of(longhaul, busy.id);
    const job = await crowd.create(media);
    await crowd.create();
    await crowd.running();
    const { body } = await post(statusPath, { job_id: job.id }, await busy.key({ dialect: 'REVID' }));
    expect(body).toMatchObject({ queue_length: 2 });
  });

  const missing = 'Missing JSON in request';
  const required = "Invalid payload: 'job_id' is a required property";
  test.each([
    { json: { id: 'x' }, message: required },
    { json: { jobId: unknown }, message: required },
    { json: { job_id: 123 }, message: "Invalid payload: 123 is not of type 'string'" },
    { json: { job_id: null }, message: "Invalid payload: None is not of type 'string'" },
    { json: { job_id: true }, message: "Invalid payload: True is not of type 'string'" },
    { json: { job_id: ['x', 1.5, null] }, message: "Invalid payload: ['x', 1.5, None] is not of type 'string'" },
    { json: { job_id: { a: "it's" } }, message: `Invalid payload: {'a': "it's"} is not of type 'string'` },
    { json: { job_id: ['"\'\\\n\u0001é'] }, message: String.raw`Invalid payload: ['"\'\\\n\x01é'] is not of type 'string'` },
    { json: { job_id: {} }, message: "Invalid payload: {} is not of type 'string'" },
    { json: ['x'], message: "Invalid payload: ['x'] is not of type 'object'" },
    { json: 'x', message: "Invalid payload: 'x' is not of type 'object'" },
    { json: {}, message: missing },
    { json: [], message: missing },
    { json: null, message: missing },
  ])('with $json is told as jsonschema tells it', async ({ json, message }) => {
    expect(await post(statusPath, json)).toEqual({ status: 400, body: { message } });
  });

  test('without a body, without JSON or without its type is a 400 of the same shape', async () => {
    const url = longhaul.url + statusPath;
    const headers = { 'x-api-key': key };
    expect(await rest(url, { method: 'POST', headers })).toMatchObject({ status: 400, body: { message: missing } });
    const json = { ...headers, 'content-type': 'application/json' };
    expect(await rest(url, { headers: json, body: '{"job_id"' })).toMatchObject({ status: 400, body: { message: expect.stringMatching(/JSON/) } });
    expect(await rest(url, { headers: { ...headers, 'content-type': 'text/plain' }, body: '{}' })).toMatchObject({
      status: 400,
      body: { message: expect.stringMatching(/Content-Type/) },
    });
  });

  test("for an unknown job, another workspace's or what is no UUID is a bare 404 with the id as it was sent", async () => {
    const other = await (await Tenant.in(longhaul)).create(media);
    for (const job_id of [unknown, other.id, other.id.toUpperCase(), '', 'none', `${other.id} `, 'a\0b', '\ud800', 'b\udc00']) {
      expect(await post(statusPath, { job_id, id: 'mine' })).toEqual({ status: 404, body: { error: 'Job not found', job_id } });
    }
  });

  test('for what cannot be stored is refused only by those who may ask', async () => {
    expect(await post(statusPath, { job_id: '\0' }, 'wrong')).toEqual({ status: 401, body: { message: 'Unauthorized' } });
  });

  test('by GET is 405', async () => {
    const answer = await rest(longhaul.url + statusPath, { headers: { 'x-api-key': key } });
    expect(answer).toMatchObject({ status: 405, body: { message: 'Method not allowed' } });
    expect(answer.headers.get('allow')).toBe('POST');
  });

  test('while something is broken is a 500 of the documented form, without a word of what is inside', async () => {
    const job = await tenant.create(media);
    const { jobs } = longhaul.services;
    const find = jobs.find.bind(jobs);
    jobs.find = () => Promise.reject(new Error('secret of ours'));
    try {
      const body = { error: 'Failed to retrieve job status: internal server error', code: 500 };
      expect(await poll(job)).toEqual({ status: 500, body });
    } finally {
      jobs.find = find;
    }
  });
});

describe('who asks', () => {
  const unauthorized = { message: 'Unauthorized' };
  const posts = [
    '/paid/get/job/status',
    '/v1/toolkit/job/status',
    '/v1/toolkit/jobs/status',
    '/paid/get/all/jobs/id/status',
    '/v1/media/transcribe',
  ];

  test('nobody without a key in x-api-key, before anything else is looked at', async () => {
    const theirs = await workspace.key({ dialect: 'VYDRA' });
    const bearer = { authorization: `Bearer ${key}` };
    const headers: Record<string, string>[] = [{}, { 'x-api-key': 'wrong' }, bearer, { 'x-api-key': theirs }];
    for (const path of posts) {
      for (const header of headers) {
        const answer = await rest(longhaul.url + path, { method: 'POST', headers: header });
        expect(answer).toMatchObject({ status: 401, body: unauthorized });
      }
    }
  });

  test('a native key, and one that may only read, may ask; it may not submit', async () => {
    const reading = await workspace.key({ scopes: ['READ'] });
    const job = await tenant.create(media);
    expect((await post(statusPath, { job_id: job.id }, reading)).status).toBe(200);
    const refused = await post('/v1/media/transcribe', media.input, reading);
    expect(refused).toEqual({ status: 403, body: { message: expect.stringContaining('WRITE') } });
  });

  test.each(['/v1/toolkit/authenticate', '/revid/v1/toolkit/authenticate'])('%s tells whether a key is good', async (path) => {
    const ask = async (headers: Record<string, string>) => bare(await rest(longhaul.url + path, { headers }));
    const envelope = { endpoint: '/authenticate' };
    expect(await ask({ 'X-API-KEY': key })).toEqual({ status: 200, body: enveloped('Authorized', envelope) });
    for (const headers of [{}, { 'x-api-key': 'wrong' }, { authorization: `Bearer ${key}` }] as Record<string, string>[]) {
      const body = enveloped(null, { ...envelope, code: 401, message: 'Unauthorized', queue_length: 0 });
      expect(await ask(headers)).toEqual({ status: 401, body });
    }
  });
});
