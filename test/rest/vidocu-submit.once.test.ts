import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type JsonValue, isJsonObject } from '../../src/json.ts';
import { createApiKey } from '../../src/workspaces/create-api-key.ts';
import { Tenant } from '../support/domain.ts';
import { eventually } from '../support/eventually.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';
import { startReceiver } from '../support/receiver.ts';
import { rest, type RestRequest } from '../support/rest.ts';

let longhaul: Longhaul;
let tenant: Tenant;
let key: string;
beforeAll(async () => {
  longhaul = await startLonghaul({ OUTBOUND_ALLOW: '127.0.0.1' });
  tenant = await Tenant.in(longhaul);
  key = await vidocuKey(tenant);
});
afterAll(() => longhaul.stop());

async function vidocuKey({ id }: Tenant, scopes: ('READ' | 'WRITE')[] = ['READ', 'WRITE']): Promise<string> {
  const asked = { workspaceId: id, name: 'test', scopes, dialect: 'VIDOCU' as const };
  return (await createApiKey(longhaul.services.database, asked)).secret;
}

function post(path: string, request: RestRequest = {}) {
  return rest(longhaul.url + path, { method: 'POST', key, ...request });
}

function jobIdIn(body: JsonValue | undefined): string {
  return isJsonObject(body) && typeof body['jobId'] === 'string' ? body['jobId'] : '';
}

async function created(body: JsonValue | undefined) {
  const uuid = await longhaul.services.jobs.ids.uuidOf(tenant.id, jobIdIn(body));
  const job = uuid === null ? null : await longhaul.services.jobs.find(tenant.id, uuid);
  if (job === null) throw new Error('no job was created');
  return job;
}

test.each([
  { name: 'analyze', body: { videoContext: 'Demo', language: 'en', tone: 'calm' }, type: 'analysis', prefix: 'analysis' },
  { name: 'export', body: { language: 'en' }, type: 'export', prefix: 'export' },
  { name: 'translate', body: { language: 'es', more: [1] }, type: 'translation', prefix: 'translation' },
  { name: 'voiceover', body: { voiceId: 'EXAV', language: 'en' }, type: 'voiceover', prefix: 'tool' },
])('POST /v1/videos/:id/$name creates a job of the body and the video', async ({ name, body, type, prefix }) => {
  const before = await tenant.balance();
  const answer = await post(`/v1/videos/vid_${name}/${name}`, { json: body });
  expect(answer).toMatchObject({ status: 202, body: { jobId: expect.stringMatching(new RegExp(`^${prefix}_\\d{13}_[0-9a-z]{7}$`)) } });
  expect(answer.body).toEqual({ jobId: jobIdIn(answer.body), status: 'pending' });
  const job = await created(answer.body);
  expect(job).toMatchObject({ type, input: { ...body, videoId: `vid_${name}` }, dialect: 'VIDOCU', webhookUrl: null });
  expect(await tenant.balance()).toBe(before - 1);
  const polled = await rest(`${longhaul.url}/vidocu/v1/jobs/${jobIdIn(answer.body)}`, { key });
  expect(polled).toMatchObject({ status: 200, body: { jobId: jobIdIn(answer.body), type: prefix, status: 'pending' } });
});

test('POST /v1/tools/:type/execute creates a job of the body and the tool', async () => {
  const body = { videoUrl: 'https://example.com/a.mp4', startTime: 10 };
  const answer = await post('/vidocu/v1/tools/video-trimmer/execute', { json: body });
  const jobId = jobIdIn(answer.body);
  expect(answer).toMatchObject({ status: 202, body: { jobId, status: 'pending', tool: 'video-trimmer' } });
  expect(jobId).toMatch(/^tool_/);
  expect(await created(answer.body)).toMatchObject({ type: 'tool', input: { ...body, tool: 'video-trimmer' } });
});

test("the path's video and tool count, whatever the body says", async () => {
  const exported = await post('/v1/videos/vid_path/export', { json: { videoId: 'vid_body' } });
  expect((await created(exported.body)).input).toEqual({ videoId: 'vid_path' });
  const executed = await post('/v1/tools/trim%20it/execute', { json: { tool: 'other' } });
  expect((await created(executed.body)).input).toEqual({ tool: 'trim it' });
});

test('where nothing is required, no body is an empty one', async () => {
  expect((await created((await post('/v1/videos/vid_empty/analyze')).body)).input).toEqual({ videoId: 'vid_empty' });
});

describe('an analysis that is under way already', () => {
  test('is not started again', async () => {
    const path = '/v1/videos/vid_once/analyze';
    const first = await post(path);
    const jobId = jobIdIn(first.body);
    const before = await tenant.balance();
    const again = { status: 200, body: { jobId, status: 'processing', message: 'Analysis already in progress' } };
    expect(await post(path)).toMatchObject(again);
    const { token } = await tenant.start(await created(first.body));
    expect(await post(path)).toMatchObject(again);
    expect((await post('/v1/videos/vid_other/analyze')).status).toBe(202);
    expect(await tenant.balance()).toBe(before - 1);
    await tenant.complete(token);
    const next = await post(path);
    expect(next.status).toBe(202);
    expect(jobIdIn(next.body)).not.toBe(jobId);
  });

  test('is not, either, when twenty ask at once', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => post('/v1/videos/vid_rush/analyze')));
    expect(new Set(answers.map(({ body }) => jobIdIn(body))).size).toBe(1);
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(19);
  });

  test("is none where it is another workspace's", async () => {
    const other = await vidocuKey(await Tenant.in(longhaul));
    await post('/v1/videos/vid_shared/analyze');
    expect((await post('/v1/videos/vid_shared/analyze', { key: other })).status).toBe(202);
  });

  test('keeps its webhook, whatever the next one names', async () => {
    const path = '/v1/videos/vid_kept/analyze';
    const webhookUrl = 'https://example.com/first';
    const first = await post(path, { json: { webhookUrl } });
    const again = await post(path, { json: { webhookUrl: 'https://example.com/second' } });
    expect([again.status, jobIdIn(again.body)]).toEqual([200, jobIdIn(first.body)]);
    expect(await created(first.body)).toMatchObject({ webhookUrl });
  });
});

test.each([
  { name: 'export', one: {}, other: { language: 'de' } },
  { name: 'translate', one: { language: 'de' }, other: { language: 'es' } },
  { name: 'voiceover', one: { voiceId: 'EXAV' }, other: { voiceId: 'EXAV' } },
])('$name starts another job of a video each time, whatever is under way', async ({ name, one, other }) => {
  const before = await tenant.balance();
  const answers = [];
  for (const json of [one, other, one]) answers.push(await post(`/v1/videos/vid_twice/${name}`, { json }));
  expect(answers.map(({ status }) => status)).toEqual([202, 202, 202]);
  expect(new Set(answers.map(({ body }) => jobIdIn(body))).size).toBe(3);
  expect(await tenant.balance()).toBe(before - 3);
  const inputs = await Promise.all(answers.map(async ({ body }) => (await created(body)).input));
  expect(inputs).toEqual([one, other, one].map((json) => ({ ...json, videoId: 'vid_twice' })));
});

describe('the webhookUrl of a submission', () => {
  test.each([
    { path: '/v1/videos/vid_told/translate', json: { language: 'es' }, event: 'video.translated', data: { videoId: 'vid_told', language: 'es' } },
    { path: '/v1/tools/video-trimmer/execute', json: { startTime: 10 }, event: 'tool.completed', data: { videoId: null, toolType: 'tool' } },
  ])('is told in the words of Vidocu how the job of $path ended, and is no part of its input', async ({ path, json, event, data }) => {
    const receiver = await startReceiver();
    const answer = await post(path, { json: { ...json, webhookUrl: receiver.url } });
    expect(answer.status).toBe(202);
    const job = await created(answer.body);
    expect(job.webhookUrl).toBe(receiver.url);
    expect(job.input).not.toHaveProperty('webhookUrl');
    await tenant.complete((await tenant.start(job)).token, { text: 'Hola' });
    const { headers, body } = await eventually(() => {
      const [only, ...more] = receiver.received;
      if (only === undefined || more.length > 0) throw new Error(`${receiver.received.length} have arrived`);
      return only;
    });
    expect(headers).toMatchObject({
      'x-vidocu-event': event,
      'x-vidocu-timestamp': expect.stringMatching(/^\d{10}$/),
      'x-vidocu-delivery-attempt': '1',
      'x-vidocu-signature': expect.stringMatching(/^sha256=[0-9a-f]{64}$/),
    });
    expect(JSON.parse(body)).toEqual({
      event,
      data: { ...data, jobId: jobIdIn(answer.body), result: { text: 'Hola' } },
      webhookId: headers['webhook-id'],
    });
  });

  test('may be null', async () => {
    const answer = await post('/v1/videos/vid_untold/export', { json: { webhookUrl: null } });
    expect(await created(answer.body)).toMatchObject({ webhookUrl: null, input: { videoId: 'vid_untold' } });
  });

  test.each(['', 'example.com/hook', 'ftp://example.com/hook', 'https://user:word@example.com/hook', 7])(
    'is refused where it is %j',
    async (webhookUrl) => {
      const before = await tenant.balance();
      for (const path of ['/v1/videos/vid_bad/analyze', '/v1/videos/vid_bad/export', '/v1/tools/video-trimmer/execute']) {
        expect(await post(path, { json: { webhookUrl } })).toMatchObject({
          status: 400,
          body: { error: { code: 'validation_error', message: expect.stringMatching(/^webhookUrl: expected an absolute http/) } },
        });
      }
      expect(await tenant.balance()).toBe(before);
    },
  );
});

describe('a body that cannot be is a 400', () => {
  const unreadable = 'The body must be a JSON object, sent with Content-Type: application/json';
  test.each<{ what: string; name: string; request: RestRequest; message: unknown }>([
    { what: 'without the language', name: 'translate', request: {}, message: expect.stringContaining('language: is required') },
    { what: 'with half a language', name: 'translate', request: { json: { language: 'e' } }, message: expect.stringContaining('language: ') },
    { what: 'without the voice', name: 'voiceover', request: { json: {} }, message: expect.stringContaining('voiceId: is required') },
    { what: 'that is a list', name: 'analyze', request: { json: [] }, message: 'expected an object, got an array' },
    { what: 'that is no JSON', name: 'analyze', request: { body: '{', headers: { 'content-type': 'application/json' } }, message: 'The body is not JSON in UTF-8' },
    { what: 'that is text', name: 'analyze', request: { body: '{}', headers: { 'content-type': 'text/plain' } }, message: unreadable },
  ])('$what', async ({ name, request, message }) => {
    expect(await post(`/v1/videos/vid_bad/${name}`, request)).toMatchObject({
      status: 400,
      body: { error: { code: 'validation_error', message } },
    });
  });

  test.each(['analyze', 'export', 'voiceover'])('nor can a video whose id cannot be stored be sent to %s', async (name) => {
    for (const id of ['%00', '', 'x'.repeat(201)]) {
      expect({ id, ...(await post(`/v1/videos/${id}/${name}`, { json: { voiceId: 'EXAV' } })) }).toMatchObject({
        id,
        status: 400,
        body: { error: { code: 'validation_error', message: expect.stringMatching(/^videoId: /) } },
      });
    }
  });

  test('but only for a key that is known, and that may write', async () => {
    const path = '/vidocu/v1/videos/vid_bad/translate';
    expect((await post(path, { body: '{', key: 'vdo_live_x' })).status).toBe(401);
    const reader = await vidocuKey(tenant, ['READ']);
    expect(await post(path, { body: '{', key: reader })).toMatchObject({
      status: 403,
      body: { error: { code: 'insufficient_scope', message: 'The API key lacks the scope WRITE' } },
    });
  });
});

test("credits that do not suffice are the vendor's limit_exceeded", async () => {
  const poor = await vidocuKey(await Tenant.in(longhaul, { credits: 0 }));
  expect(await post('/v1/videos/vid_1/analyze', { key: poor })).toMatchObject({
    status: 403,
    body: { error: { code: 'limit_exceeded', message: 'This costs 1 credits; 0 are left' } },
  });
});
