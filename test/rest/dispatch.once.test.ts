import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Job } from '../../src/jobs/model/job.ts';
import type { Vendor } from '../../src/rest/core/dialect-profile.ts';
import { vidocuId } from '../../src/rest/vidocu/vidocu-id.ts';
import { revokeApiKey } from '../../src/workspaces/revoke-api-key.ts';
import { type Longhaul, startLonghaul, type TestWorkspace } from '../support/longhaul.ts';
import { rest, type RestRequest } from '../support/rest.ts';
import { submit } from '../support/steps.ts';

let longhaul: Longhaul;
let workspace: TestWorkspace;
let job: Job;
const keys: Partial<Record<Vendor | 'NATIVE', string>> = {};
beforeAll(async () => {
  longhaul = await startLonghaul({
    COMPAT_HOSTS: 'api.vidocu.test=vidocu,videoconduit.test=videoconduit',
    TRUST_PROXY: 'loopback',
  });
  workspace = await longhaul.workspace();
  for (const dialect of ['NATIVE', 'VIDOCU', 'VIDEOCONDUIT', 'VYDRA'] as const) keys[dialect] = await workspace.key({ dialect });
  job = await submit(longhaul, workspace.id);
});
afterAll(() => longhaul.stop());

/** As a proxy in front of it forwards the request. */
const host = (name: string) => ({ headers: { 'x-forwarded-host': name } });

const union = {
  error: { code: 'authentication_error', message: 'Invalid or missing API key' },
  detail: 'Invalid or missing API key',
  code: 'unauthorized',
};
const vidocuUnauthorized = { error: { code: 'authentication_error', message: 'Invalid or missing API key' } };
const videoConduitUnauthorized = { detail: 'Invalid or missing API key', code: 'unauthorized' };

function get(path: string, request: RestRequest = {}) {
  return rest(longhaul.url + path, request);
}

/** Which dialect answered with the job. */
async function speaker(path: string, request: RestRequest): Promise<string> {
  const { status, body } = await get(path, request);
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return `${status}`;
  if (body['jobId'] === vidocuId(job)) return 'VIDOCU';
  return body['job_id'] === job.id ? 'VIDEOCONDUIT' : `${status} ${JSON.stringify(body)}`;
}

describe('which dialect answers', () => {
  test('the prefix of the path says so, whatever host and key say', async () => {
    const { NATIVE = '' } = keys;
    for (const headers of [{}, host('api.vidocu.test').headers, host('videoconduit.test').headers]) {
      expect(await speaker(`/vidocu/v1/jobs/${job.id}`, { key: NATIVE, headers })).toBe('VIDOCU');
      expect(await speaker(`/videoconduit/v1/jobs/${job.id}`, { key: NATIVE, headers })).toBe('VIDEOCONDUIT');
    }
  });

  test('without a prefix the host does, also with a native key', async () => {
    const { NATIVE = '' } = keys;
    expect(await speaker(`/v1/jobs/${job.id}`, { key: NATIVE, ...host('api.vidocu.test') })).toBe('VIDOCU');
    expect(await speaker(`/v1/jobs/${job.id}`, { key: NATIVE, ...host('VideoConduit.test:8443') })).toBe('VIDEOCONDUIT');
  });

  test('a host that is written out to its root is the same one', async () => {
    const { NATIVE = '' } = keys;
    expect(await speaker(`/v1/jobs/${job.id}`, { key: NATIVE, ...host('api.vidocu.test.') })).toBe('VIDOCU');
    expect(await speaker(`/v1/jobs/${job.id}`, { key: NATIVE, ...host('VIDEOCONDUIT.test.:8443') })).toBe('VIDEOCONDUIT');
    expect((await get(`/v1/jobs/${job.id}`, { key: NATIVE, ...host('api.vidocu.test..') })).body).toEqual(union);
  });

  test('a host that no proxy vouches for is the one of the Host header', async () => {
    const strict = await startLonghaul({ COMPAT_HOSTS: 'api.vidocu.test=vidocu,localhost=videoconduit' });
    try {
      const { body } = await rest(`${strict.url}/v1/jobs/x`, { key: 'k'.repeat(20), ...host('api.vidocu.test') });
      expect(body).toEqual(videoConduitUnauthorized);
    } finally {
      await strict.stop();
    }
  });

  test('where only one dialect has the path, the path does, also with a native key', async () => {
    const { NATIVE = '' } = keys;
    expect((await get('/v1/jobs', { key: NATIVE })).body).toEqual({ items: [expect.anything()], next_cursor: null, has_more: false });
    expect((await get('/v1/jobs')).body).toEqual(videoConduitUnauthorized);
    expect((await get('/v1/tools/trim/execute', { method: 'POST' })).body).toEqual(vidocuUnauthorized);
  });

  test('where two have it, the form of the key does', async () => {
    expect(await speaker(`/v1/jobs/${job.id}`, { key: keys.VIDOCU ?? '' })).toBe('VIDOCU');
    expect(await speaker(`/v1/jobs/${job.id}`, { key: keys.VIDEOCONDUIT ?? '' })).toBe('VIDEOCONDUIT');
  });

  test.each([
    { key: 'vdo_live_mistyped', body: vidocuUnauthorized },
    { key: 'vdo_oat_mistyped', body: vidocuUnauthorized },
    { key: 'vc_mistyped', body: videoConduitUnauthorized },
  ])('the form of a key counts although $key is nobody\'s', async ({ key, body }) => {
    expect(await get(`/v1/jobs/${job.id}`, { key })).toMatchObject({ status: 401, body });
  });

  test.each<{ what: string; request: RestRequest }>([
    { what: 'no key', request: {} },
    { what: 'a key of no known form', request: { key: 'something-else-entirely' } },
    { what: 'a key in another header', request: { headers: { 'x-api-key': 'vc_0000000000000000' } } },
    { what: 'another scheme', request: { headers: { authorization: 'Basic vc_0000' } } },
  ])('with $what, both clients are told that they are not known', async ({ request }) => {
    for (const id of [job.id, vidocuId(job), 'none', '%F0%9F']) {
      const answer = await get(`/v1/jobs/${id}`, request);
      expect(answer).toMatchObject({ status: 401, body: union });
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    }
  });

  test('a native key alone cannot choose between two dialects', async () => {
    expect(await get(`/v1/jobs/${job.id}`, { key: keys.NATIVE ?? '' })).toMatchObject({ status: 401, body: union });
    expect(await get(`/v1/jobs/${job.id}`, { key: keys.VYDRA ?? '' })).toMatchObject({ status: 401, body: union });
  });

  test("the form of a job's id never counts", async () => {
    const uuid = '0198c0de-0000-7000-8000-000000000000';
    expect((await get(`/v1/jobs/${uuid}`, { key: keys.VIDOCU ?? '' })).body).toEqual({
      error: { code: 'not_found', message: 'Job not found' },
    });
    expect((await get(`/v1/jobs/${vidocuId(job)}`, { key: keys.VIDEOCONDUIT ?? '' })).body).toMatchObject({ job_id: job.id });
  });

  test("a key of Vidocu's that asks for a list gets Vidocu's 404, because Vidocu has none", async () => {
    const body = { error: { code: 'not_found', message: 'Not found' } };
    expect(await get('/v1/jobs', { key: keys.VIDOCU ?? '' })).toMatchObject({ status: 404, body });
    expect(await get('/vidocu/v1/jobs', { key: keys.VIDOCU ?? '' })).toMatchObject({ status: 404, body });
  });
});

describe('whose key', () => {
  test("a vendor's key is good in its own dialect alone", async () => {
    const { VIDOCU = '', VIDEOCONDUIT = '', VYDRA = '' } = keys;
    for (const key of [VIDEOCONDUIT, VYDRA]) {
      const body = { error: { code: 'authentication_error', message: 'Invalid API key format' } };
      expect(await get(`/vidocu/v1/jobs/${job.id}`, { key })).toMatchObject({ status: 401, body });
    }
    for (const key of [VIDOCU, VYDRA]) {
      const refused = { status: 401, body: videoConduitUnauthorized };
      expect(await get(`/videoconduit/v1/jobs/${job.id}`, { key })).toMatchObject(refused);
      expect(await get(`/v1/jobs/${job.id}`, { key, ...host('videoconduit.test') })).toMatchObject(refused);
    }
    expect((await longhaul.graphql('{ workspace { id } }', {}, VIDOCU)).errors).toHaveLength(1);
  });

  test('the key counts where the vendor puts it, and nowhere else', async () => {
    const headers = { 'x-api-key': keys.VIDOCU ?? '' };
    expect((await get(`/vidocu/v1/jobs/${job.id}`, { headers })).status).toBe(401);
    const shouted = { authorization: `BEARER ${keys.VIDOCU ?? ''}` };
    expect((await get(`/v1/jobs/${job.id}`, { headers: shouted })).status).toBe(200);
  });

  test.each([
    { dialect: 'VIDOCU', refused: { status: 401, body: vidocuUnauthorized } },
    { dialect: 'VIDEOCONDUIT', refused: { status: 403, body: { detail: 'This API key is deactivated', code: 'forbidden' } } },
  ] as const)('a key of $dialect that was revoked opens nothing from then on', async ({ dialect, refused }) => {
    const key = await workspace.key({ dialect });
    expect((await get(`/v1/jobs/${job.id}`, { key })).status).toBe(200);
    const { database, authenticator } = longhaul.services;
    const found = await authenticator.find(key);
    await revokeApiKey(database, authenticator, found?.id ?? '');
    expect(await get(`/v1/jobs/${job.id}`, { key })).toMatchObject(refused);
  });
});

describe('what leads nowhere is told so in the dialect\'s own form', () => {
  const notFound = {
    VIDOCU: { error: { code: 'not_found', message: 'Not found' } },
    VIDEOCONDUIT: { detail: 'Not found', code: 'not_found' },
  };

  test.each([
    { where: 'its prefix', path: '/vidocu/v1/nothing', request: {}, body: notFound.VIDOCU },
    { where: 'its prefix alone', path: '/videoconduit', request: {}, body: notFound.VIDEOCONDUIT },
    { where: 'its host', path: '/v1/nothing', request: host('api.vidocu.test'), body: notFound.VIDOCU },
    { where: 'the root of its host', path: '/', request: host('api.vidocu.test'), body: notFound.VIDOCU },
    { where: "another's path on its host", path: '/v1/jobs', request: host('api.vidocu.test'), body: notFound.VIDOCU },
    { where: 'the root, with its key', path: '/v1/videos', request: { key: 'vdo_live_x' }, body: notFound.VIDOCU },
  ])('an unknown path under $where', async ({ path, request, body }) => {
    for (const sent of [{}, { json: {} }, { body: 'no { JSON' }]) {
      const answer = await get(path, { ...request, ...sent });
      expect(answer).toMatchObject({ status: 404, body });
      expect(answer.headers.get('cache-control')).toBe('no-store');
    }
  });

  test('an unknown path that is nobody\'s is ours', async () => {
    for (const path of ['/v1/nothing', '/vidocux/v1/jobs/1']) {
      expect(await get(path)).toMatchObject({ status: 404, body: { error: { code: 'NOT_FOUND' } } });
    }
  });

  test.each([
    { path: '/vidocu/v1/jobs/x', body: { error: { code: 'method_not_allowed', message: 'Method not allowed' } } },
    { path: '/videoconduit/v1/jobs', body: { detail: 'Method not allowed', code: 'method_not_allowed' } },
  ])('a wrong method on $path is 405 and names the right ones', async ({ path, body }) => {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      const answer = await get(path, { method, ...(method === 'POST' ? { body: '{' } : {}) });
      expect(answer).toMatchObject({ status: 405, body });
      expect(answer.headers.get('allow')).toBe('GET, HEAD');
    }
  });

  test('a wrong method on a path of both is 405 for whose key it is, and the shared 401 for nobody', async () => {
    const path = `/v1/jobs/${job.id}`;
    expect(await get(path, { method: 'DELETE' })).toMatchObject({ status: 401, body: union });
    const answer = await get(path, { method: 'DELETE', key: keys.VIDEOCONDUIT ?? '' });
    expect(answer).toMatchObject({ status: 405, body: { code: 'method_not_allowed' } });
  });

  test.each([
    { what: 'half an escape', id: '%' },
    { what: 'half a character', id: '%F0%9F' },
    { what: 'five thousand characters', id: 'x'.repeat(5_000) },
  ])('a job\'s id of $what is an unknown one, once the key is known', async ({ id }) => {
    const { VIDOCU = '', VIDEOCONDUIT = '' } = keys;
    const vidocu404 = { status: 404, body: { error: { code: 'not_found', message: 'Job not found' } } };
    const videoConduit404 = { status: 404, body: { detail: 'Job not found', code: 'not_found' } };
    expect(await get(`/vidocu/v1/jobs/${id}`, { key: VIDOCU })).toMatchObject(vidocu404);
    expect(await get(`/v1/jobs/${id}`, { key: VIDOCU })).toMatchObject(vidocu404);
    expect(await get(`/videoconduit/v1/jobs/${id}`, { key: VIDEOCONDUIT })).toMatchObject(videoConduit404);
    expect(await get(`/v1/jobs/${id}`, { key: VIDEOCONDUIT })).toMatchObject(videoConduit404);
    expect(await get(`/vidocu/v1/jobs/${id}`)).toMatchObject({ status: 401, body: vidocuUnauthorized });
    expect((await get(`/videoconduit/v1/jobs/${id}`, { method: 'PUT' })).status).toBe(405);
    expect((await get(`/videoconduit/v1/jobs/${id}`, { method: 'HEAD', key: VIDEOCONDUIT })).status).toBe(404);
  });

  test('an unreadable path of ours is refused in our form', async () => {
    expect(await get('/artifacts/%F0%9F')).toMatchObject({ status: 400, body: { error: { code: 'BAD_USER_INPUT' } } });
  });
});

test('HEAD answers as GET does, without the body', async () => {
  const { VIDOCU = '' } = keys;
  for (const path of [`/vidocu/v1/jobs/${job.id}`, `/v1/jobs/${job.id}`, '/vidocu/v1/jobs/none']) {
    const got = await get(path, { key: VIDOCU });
    const asked = await get(path, { key: VIDOCU, method: 'HEAD' });
    expect(asked).toMatchObject({ status: got.status, body: undefined });
    expect(asked.headers.get('content-length')).toBe(got.headers.get('content-length'));
  }
});

describe('a known path of ours with another method is 405', () => {
  test.each([
    { path: '/health/live', allow: 'GET, HEAD' },
    { path: '/metrics', allow: 'GET, HEAD' },
    { path: '/artifacts/some-id', allow: 'GET, HEAD' },
  ])('$path', async ({ path, allow }) => {
    const answer = await get(path, { method: 'PUT', body: 'x' });
    expect(answer).toMatchObject({ status: 405, body: { error: { code: 'BAD_USER_INPUT', message: expect.stringContaining(allow) } } });
    expect(answer.headers.get('allow')).toBe(allow);
  });

  test('also where every host is a dialect\'s', async () => {
    expect((await get('/health/live', { ...host('api.vidocu.test') })).status).toBe(200);
    expect((await get('/health/live', { method: 'POST', ...host('api.vidocu.test') })).status).toBe(405);
  });
});
