import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Job } from '../../src/jobs/model/job.ts';
import { type JsonValue, isJsonObject } from '../../src/json.ts';
import { videoConduitTypes } from '../../src/rest/videoconduit/videoconduit-types.ts';
import { type Longhaul, startLonghaul, type TestWorkspace } from '../support/longhaul.ts';
import { rest, type RestRequest } from '../support/rest.ts';
import { claim } from '../support/steps.ts';

let longhaul: Longhaul;
let workspace: TestWorkspace;
let key: string;
beforeAll(async () => {
  longhaul = await startLonghaul({ MAX_QUEUE_LENGTH: '50', MAX_INPUT_BYTES: '5000' });
  workspace = await longhaul.workspace();
  key = await workspace.key({ dialect: 'VIDEOCONDUIT' });
});
afterAll(() => longhaul.stop());

const url = 'https://example.com/video.mp4';

/** A fault of a value that is there. */
function value(...loc: string[]) {
  return { loc: ['body', ...loc], msg: expect.any(String), type: 'value_error' };
}

function post(type: string, request: RestRequest) {
  return rest(`${longhaul.url}/videoconduit/v1/${type}`, { method: 'POST', key, ...request });
}

async function created(body: JsonValue | undefined): Promise<Job> {
  const id = isJsonObject(body) ? body['job_id'] : null;
  const job = typeof id === 'string' ? await longhaul.services.jobs.find(workspace.id, id) : null;
  if (job === null) throw new Error('no job was created');
  return job;
}

const prices = { download: 1, transcribe: 3, translate: 4, preview: 1, fingerprint: 1, comments: 1 };

test.each(videoConduitTypes)('POST /v1/%s creates a job, charges it, and its status is there at once', async (type) => {
  const sent = { url, output_format: 'srt', word_timestamps: false, nested: { a: [1, null] } };
  const { status, body, headers } = await post(type, { json: { ...sent, webhook_url: 'https://example.com/hook' } });
  const job = await created(body);
  const created_at = job.createdAt.toISOString().replace(/\.\d{3}Z$/, 'Z');
  expect(status).toBe(202);
  expect(headers.get('cache-control')).toBe('no-store');
  expect(body).toEqual({ job_id: job.id, job_type: type, status: 'pending', credits_charged: prices[type], created_at });
  expect(job).toMatchObject({
    type,
    // Workers find the source where they look for it.
    input: { ...sent, sourceUrl: url },
    webhookUrl: 'https://example.com/hook',
    dialect: 'VIDEOCONDUIT',
    clientReference: null,
  });
  expect((await rest(`${longhaul.url}/v1/jobs/${job.id}`, { key })).body).toEqual({
    job_id: job.id,
    job_type: type,
    status: 'pending',
    source_url: url,
    parameters: sent,
    credits_charged: prices[type],
    download_url: null,
    result_data: null,
    error_message: null,
    created_at,
    completed_at: null,
    expires_at: null,
  });
  await longhaul.services.jobs.complete(null, { token: await claim(longhaul, job), output: null });
});

test('what is optional may be null, as clients send it for what they leave out', async () => {
  const { status, body } = await post('transcribe', { json: { url, language: null, webhook_url: null } });
  expect(status).toBe(202);
  expect((await created(body)).webhookUrl).toBeNull();
});

describe('a body that cannot be is a 422 whose detail is a list, and creates nothing', () => {
  const missing = { loc: ['body', 'url'], msg: 'field required', type: 'value_error.missing' };
  const syntax = { loc: ['body'], msg: 'The body is not valid JSON', type: 'value_error.jsondecode' };
  const type = { loc: ['body'], msg: 'Send JSON, with Content-Type: application/json', type: 'type_error' };
  const json = { 'content-type': 'application/json' };

  test.each<{ what: string; request: RestRequest; detail: unknown }>([
    { what: 'no url', request: { json: {} }, detail: [missing] },
    { what: 'a url that is none', request: { json: { url: 'ftp://example.com' } }, detail: [value('url')] },
    { what: 'a url that is a number', request: { json: { url: 7 } }, detail: [value('url')] },
    { what: 'a webhook_url that is none', request: { json: { url, webhook_url: 'x' } }, detail: [value('webhook_url')] },
    { what: 'two faults', request: { json: { webhook_url: 1 } }, detail: [missing, value('webhook_url')] },
    { what: 'a fault of the job type', request: { json: { url, language: '?' } }, detail: [value('language')] },
    { what: 'NUL in a text', request: { json: { url, note: 'a\0' } }, detail: [value('note')] },
    { what: 'too much', request: { json: { url, note: 'x'.repeat(6_000) } }, detail: [value()] },
    { what: 'a list', request: { json: [url] }, detail: [value()] },
    { what: 'nothing', request: {}, detail: [{ loc: ['body'], msg: 'field required', type: 'value_error.missing' }] },
    { what: 'no JSON', request: { body: '{"url":', headers: json }, detail: [syntax] },
    { what: 'no UTF-8', request: { body: Uint8Array.of(0x22, 0xff, 0x22), headers: json }, detail: [syntax] },
    { what: 'a form', request: { body: `url=${url}`, headers: { 'content-type': 'application/x-www-form-urlencoded' } }, detail: [type] },
  ])('$what', async ({ request, detail }) => {
    const before = await balance();
    expect(await post('transcribe', request)).toMatchObject({ status: 422, body: { detail, code: 'validation_error' } });
    expect(await balance()).toBe(before);
  });

  test('one that is far too large is a 413', async () => {
    const { status, body } = await post('comments', { json: { url, note: 'x'.repeat(200_000) } });
    expect(status).toBe(413);
    expect(body).toEqual({ detail: 'The request body is too large', code: 'bad_request' });
  });

  test('but only for a key that is known', async () => {
    for (const body of ['{', '{}', 'x'.repeat(200_000)]) {
      expect(await post('comments', { body, key: 'vc_unknown' })).toMatchObject({
        status: 401,
        body: { detail: 'Invalid or missing API key', code: 'unauthorized' },
      });
    }
  });
});

test('a key that may only read creates nothing', async () => {
  const reader = await workspace.key({ dialect: 'VIDEOCONDUIT', scopes: ['READ'] });
  expect(await post('comments', { json: { url }, key: reader })).toMatchObject({
    status: 403,
    body: { detail: 'The API key lacks the scope WRITE', code: 'forbidden' },
  });
});

test('credits that do not suffice are a 402 that says what is needed and what is there', async () => {
  const poor = await longhaul.workspace({ credits: 2 });
  const poorKey = await poor.key({ dialect: 'VIDEOCONDUIT' });
  const { status, body } = await post('transcribe', { json: { url }, key: poorKey });
  expect(status).toBe(402);
  expect(body).toEqual({ detail: 'Insufficient credits', code: 'insufficient_credits', required: 3, available: 2 });
  expect((await post('comments', { json: { url }, key: poorKey })).status).toBe(202);
});

test('a queue that is full is a 429 that says when to come again', async () => {
  const busy = await longhaul.workspace();
  const busyKey = await busy.key({ dialect: 'VIDEOCONDUIT' });
  const answers = await Promise.all(Array.from({ length: 51 }, () => post('comments', { json: { url }, key: busyKey })));
  const refused = answers.filter(({ status }) => status !== 202);
  expect(refused).toHaveLength(1);
  expect(refused[0]?.status).toBe(429);
  expect(refused[0]?.headers.get('retry-after')).toBe('60');
  expect(refused[0]?.body).toEqual({
    detail: '50 jobs are pending already. Retry when some have started.',
    code: 'rate_limited',
    retry_after: 60,
  });
});

async function balance(): Promise<number> {
  const [row] = await longhaul.services.database.hot.query<{ credits: number }>(
    'SELECT credits FROM workspace WHERE id = $1',
    [workspace.id],
  );
  return row?.credits ?? Number.NaN;
}
