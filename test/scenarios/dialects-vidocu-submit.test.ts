import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonValue } from '../../src/jobs/job.ts';
import { isJsonObject } from '../../src/jobs/types/job-type.ts';
import { uuidOfVidocuId } from '../../src/rest/vidocu/id.ts';
import { createApiKey } from '../../src/workspaces/create-api-key.ts';
import { Tenant } from '../support/domain.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';
import { rest, type RestRequest } from '../support/rest.ts';

let longhaul: Longhaul;
let tenant: Tenant;
let key: string;
beforeAll(async () => {
  longhaul = await startLonghaul();
  tenant = await Tenant.in(longhaul);
  key = await vidocuKey(tenant);
});
afterAll(() => longhaul.stop());

async function vidocuKey({ id }: Tenant, scopes: ('READ' | 'WRITE')[] = ['READ', 'WRITE']): Promise<string> {
  const asked = { workspaceId: id, name: 'test', scopes, dialect: 'VIDOCU' as const };
  return (await createApiKey(longhaul.services.context.database, asked)).secret;
}

function post(path: string, request: RestRequest = {}) {
  return rest(longhaul.url + path, { method: 'POST', key, ...request });
}

function jobIdIn(body: JsonValue | undefined): string {
  return isJsonObject(body) && typeof body['jobId'] === 'string' ? body['jobId'] : '';
}

async function created(body: JsonValue | undefined) {
  const uuid = await uuidOfVidocuId(longhaul.services, tenant.id, jobIdIn(body));
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

describe('what is under way already is not started again', () => {
  test.each([
    { name: 'analyze', json: {}, message: 'Analysis already in progress' },
    { name: 'export', json: {}, message: 'Export already in progress' },
    { name: 'translate', json: { language: 'de' }, message: 'Translation already in progress' },
  ])('$name', async ({ name, json, message }) => {
    const path = `/v1/videos/vid_once/${name}`;
    const first = await post(path, { json });
    const jobId = jobIdIn(first.body);
    const before = await tenant.balance();
    const again = { status: 200, body: { jobId, status: 'processing', message } };
    expect(await post(path, { json })).toMatchObject(again);
    const { token } = await tenant.start(await created(first.body));
    expect(await post(path, { json })).toMatchObject(again);
    expect((await post(path.replace('vid_once', 'vid_other'), { json })).status).toBe(202);
    expect(await tenant.balance()).toBe(before - 1);
    await tenant.complete(token);
    const next = await post(path, { json });
    expect(next.status).toBe(202);
    expect(jobIdIn(next.body)).not.toBe(jobId);
  });

  test('also when twenty ask at once', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => post('/v1/videos/vid_rush/analyze')));
    expect(new Set(answers.map(({ body }) => jobIdIn(body))).size).toBe(1);
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(19);
  });

  test("another workspace's is none", async () => {
    const other = await vidocuKey(await Tenant.in(longhaul));
    await post('/v1/videos/vid_shared/analyze');
    expect((await post('/v1/videos/vid_shared/analyze', { key: other })).status).toBe(202);
  });

  test('a voiceover is, as the vendor has it', async () => {
    const json = { voiceId: 'EXAV' };
    const first = await post('/v1/videos/vid_voice/voiceover', { json });
    const second = await post('/v1/videos/vid_voice/voiceover', { json });
    expect([first.status, second.status]).toEqual([202, 202]);
    expect(jobIdIn(first.body)).not.toBe(jobIdIn(second.body));
  });
});

describe('a body that cannot be is a 400', () => {
  const unreadable = 'The body must be a JSON object, sent with Content-Type: application/json';
  test.each<{ what: string; name: string; request: RestRequest; message: unknown }>([
    { what: 'without the language', name: 'translate', request: {}, message: expect.stringContaining('language: is required') },
    { what: 'with half a language', name: 'translate', request: { json: { language: 'e' } }, message: expect.stringContaining('language: ') },
    { what: 'without the voice', name: 'voiceover', request: { json: {} }, message: expect.stringContaining('voiceId: is required') },
    { what: 'that is a list', name: 'analyze', request: { json: [] }, message: 'expected an object, got an array' },
    { what: 'that is no JSON', name: 'analyze', request: { body: '{', headers: { 'content-type': 'application/json' } }, message: unreadable },
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
