import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Tenant } from '../support/domain.ts';
import { type Longhaul, sharedLonghaul, type TestWorkspace } from '../support/longhaul.ts';
import { rest } from '../support/rest.ts';

let longhaul: Longhaul;
let workspace: TestWorkspace;
let tenant: Tenant;
let key: string;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
  workspace = await longhaul.workspace({ credits: 1_000 });
  tenant = Tenant.of(longhaul, workspace.id);
  key = await workspace.key();
});
afterAll(() => longhaul.stop());

function submit(path: string, json: unknown, idempotencyKey: string) {
  const headers = { 'idempotency-key': idempotencyKey, 'x-api-key': key };
  return rest(longhaul.url + path, path.startsWith('/revid') ? { json, headers } : { json, headers, key });
}

const conflict = 'This Idempotency-Key was used for another request within 24 hours. Use a new key.';
const url = 'https://example.com/a.mp4';
const vidocuConflict = { error: { code: 'idempotency_conflict', message: conflict } };
const dialects = [
  { path: '/vidocu/v1/videos/v1/analyze', json: { tone: 'calm' }, bad: { tone: 1 }, body: vidocuConflict },
  { path: '/vidocu/v1/videos/v1/translate', json: { language: 'de' }, bad: {}, body: vidocuConflict },
  { path: '/vidocu/v1/tools/cut/execute', json: { from: 1 }, bad: { webhookUrl: 1 }, body: vidocuConflict },
  {
    path: '/videoconduit/v1/download',
    json: { url, quality: 'best' },
    bad: { url: 'none' },
    body: { detail: conflict, code: 'idempotency_conflict' },
  },
  {
    path: '/vydra/api/v1/jobs',
    json: { workflow: 'house-timelapse', input: { theme: 'A mill' } },
    bad: { workflow: 'no-such-workflow' },
    body: { error: conflict, code: 'IDEMPOTENCY_CONFLICT' },
  },
  {
    path: '/revid/v1/media/transcribe',
    json: { media_url: url, id: 'mine' },
    bad: { media_url: 7, id: 'mine' },
    body: { endpoint: '/v1/media/transcribe', code: 409, id: 'mine', response: null, message: conflict },
  },
];

describe.each(dialects)('a submission to $path', ({ path, json, bad, body }) => {
  const name = `key for ${path}`;
  test('with a key gets the same answer again, and is charged once', async () => {
    const first = await submit(path, json, name);
    expect([201, 202]).toContain(first.status);
    const jobId = first.headers.get('x-job-id') ?? '';
    const balance = await tenant.balance();
    await tenant.cancel(jobId);
    // The order of the fields does not make another request.
    const reordered = Object.fromEntries(Object.entries(json).toReversed());
    for (const sent of [json, reordered]) {
      const again = await submit(path, sent, name);
      expect(again.status).toBe(first.status);
      // RevidAPI counts the queue for each answer.
      expect({ ...Object(again.body), queue_length: null }).toEqual({ ...Object(first.body), queue_length: null });
      expect(again.headers.get('x-job-id')).toBe(jobId);
    }
    expect(await tenant.balance()).toBeGreaterThan(balance);
  });

  test('with that key is refused if it is another, valid or not', async () => {
    for (const other of [{ ...json, more: true }, bad]) {
      expect(await submit(path, other, name)).toMatchObject({ status: 409, body });
    }
  });

  test('with a key that is empty or too long is refused', async () => {
    for (const wrong of ['', 'x'.repeat(256)]) {
      const refused = await submit(path, json, wrong);
      expect(refused.status).toBe(400);
      expect(JSON.stringify(refused.body)).toContain('Idempotency-Key');
    }
    expect((await submit(path, json, 'x'.repeat(255 - path.length) + path)).status).toBeLessThan(300);
  });
});

test('a repeated analysis is its own, although another one of the video is under way by now', async () => {
  const path = '/vidocu/v1/videos/v9/analyze';
  const first = await submit(path, {}, 'first analysis');
  await tenant.cancel(first.headers.get('x-job-id') ?? '');
  const second = await submit(path, {}, 'second analysis');
  expect(second.status).toBe(202);
  expect((await submit(path, {}, 'first analysis')).body).toEqual(first.body);
  expect((await submit(path, {}, 'third analysis')).status).toBe(200);
});

test('an analysis that joined one under way is answered so again when that has ended, and never charged', async () => {
  const path = '/vidocu/v1/videos/v10/analyze';
  const made = await submit(path, {}, 'made');
  const joined = await submit(path, { tone: 'calm' }, 'joined');
  expect(joined).toMatchObject({ status: 200, body: { status: 'processing' } });
  await tenant.cancel(made.headers.get('x-job-id') ?? '');
  const balance = await tenant.balance();
  const again = await Promise.all([submit(path, { tone: 'calm' }, 'joined'), submit(path, { tone: 'calm' }, 'joined')]);
  for (const { status, body, headers } of again) {
    expect({ status, body }).toEqual({ status: 200, body: joined.body });
    expect(headers.get('x-job-id')).toBe(made.headers.get('x-job-id'));
  }
  expect((await submit(path, {}, 'made')).body).toEqual(made.body);
  expect((await submit(path, { tone: 'loud' }, 'joined')).status).toBe(409);
  expect((await submit(path, { tone: 1 }, 'joined')).status).toBe(409);
  expect(await tenant.balance()).toBe(balance);
  // Without the key it is a new one.
  expect((await submit(path, { tone: 'calm' }, 'new')).status).toBe(202);
});

test('a key that a job of GraphQL has is not free for a dialect', async () => {
  await tenant.create({ idempotencyKey: 'shared' });
  expect((await submit('/videoconduit/v1/fingerprint', { url }, 'shared')).status).toBe(409);
});

test('an invalid submission leaves its key free', async () => {
  expect((await submit('/videoconduit/v1/download', {}, 'mended')).status).toBe(422);
  expect((await submit('/videoconduit/v1/download', { url }, 'mended')).status).toBe(202);
});
