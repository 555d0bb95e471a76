import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type JsonValue, isJsonObject } from '../../src/json.ts';
import { Tenant } from '../support/domain.ts';
import { createApiKey } from '../../src/workspaces/create-api-key.ts';
import { backend, type Longhaul, sharedLonghaul, type TestWorkspace } from '../support/longhaul.ts';
import { rest } from '../support/rest.ts';
import { submit } from '../support/steps.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
});
afterAll(() => longhaul.stop());

const sourceUrl = 'https://example.com/video.mp4';

interface Page {
  ids: string[];
  items: JsonValue[];
  next_cursor: string | null;
  has_more: boolean;
}

/** One page, which must be one. */
async function page(key: string, query: Record<string, string> = {}): Promise<Page> {
  const { status, body } = await list(key, new URLSearchParams(query).toString());
  expect(status).toBe(200);
  if (!isJsonObject(body)) throw new Error('a page is an object');
  const { items, next_cursor, has_more, ...more } = body;
  expect(more).toEqual({});
  if (!Array.isArray(items) || typeof has_more !== 'boolean') throw new Error('a page has items and has_more');
  if (next_cursor !== null && typeof next_cursor !== 'string') throw new Error('next_cursor is a string or null');
  return { ids: items.map(idOf), items, next_cursor, has_more };
}

function list(key: string, query: string) {
  return rest(`${longhaul.url}/videoconduit/v1/jobs?${query}`, { key });
}

function idOf(item: JsonValue): string {
  return isJsonObject(item) && typeof item['job_id'] === 'string' ? item['job_id'] : '';
}

/** Every page from the first, or from the cursor, to the last. */
async function walk(key: string, query: Record<string, string>, between: () => Promise<unknown> = async () => {}) {
  const ids: string[] = [];
  let cursor = '';
  for (;;) {
    const { ids: more, next_cursor, has_more } = await page(key, { ...query, cursor });
    ids.push(...more);
    expect(has_more).toBe(next_cursor !== null);
    if (next_cursor === null) return ids;
    cursor = next_cursor;
    await between();
  }
}

async function readers(): Promise<{ workspace: TestWorkspace; key: string }> {
  const workspace = await longhaul.workspace();
  return { workspace, key: await workspace.key({ dialect: 'VIDEOCONDUIT' }) };
}

test('an empty list is a last page', async () => {
  const { key } = await readers();
  expect((await list(key, '')).body).toEqual({ items: [], next_cursor: null, has_more: false });
});

test('an item has exactly six fields', async () => {
  const { workspace, key } = await readers();
  const job = await submit(longhaul, workspace.id, { type: 'transcribe', input: { sourceUrl } });
  expect((await list(key, '')).body).toEqual({
    items: [
      {
        job_id: job.id,
        job_type: 'transcribe',
        status: 'pending',
        source_url: sourceUrl,
        credits_charged: 3,
        created_at: job.createdAt.toISOString().replace(/\.\d{3}Z$/, 'Z'),
      },
    ],
    next_cursor: null,
    has_more: false,
  });
});

test('the list is narrow: jobs that came this way, or whose type is native to it', async () => {
  const { workspace, key } = await readers();
  const { jobs } = longhaul.services;
  const native = await submit(longhaul, workspace.id, { type: 'comments' });
  const tool = { type: 'tool', input: {} };
  await submit(longhaul, workspace.id, tool);
  const [through] = await jobs.createMany(workspace.id, [tool], { dialect: 'VIDEOCONDUIT' });
  await submit(longhaul, (await longhaul.workspace()).id, { type: 'comments' });
  expect((await page(key)).ids).toEqual([through?.id, native.id]);
});

test('a filter by status finds what is shown with it', async () => {
  const tenant = await Tenant.in(longhaul);
  const { secret: key } = await keyOf(tenant.id);
  const pending = await tenant.create();
  const running = await tenant.running();
  const between = await tenant.running();
  await tenant.fail(between.token);
  const completed = await tenant.running();
  await tenant.complete(completed.token);
  const failed = await tenant.running();
  await tenant.fail(failed.token, { retryable: false });
  const cancelled = await tenant.create();
  await tenant.cancel(cancelled.id);

  const expected = {
    pending: [pending.id],
    processing: [between.job.id, running.job.id],
    completed: [completed.job.id],
    failed: [cancelled.id, failed.job.id],
  };
  for (const [status, ids] of Object.entries(expected)) {
    const shown = await page(key, { status });
    expect({ status, ids: shown.ids }).toEqual({ status, ids });
    for (const item of shown.items) expect(item).toMatchObject({ status });
  }
  expect((await page(key)).ids).toHaveLength(6);
});

test('a filter by type', async () => {
  const { workspace, key } = await readers();
  const comments = await submit(longhaul, workspace.id, { type: 'comments' });
  await submit(longhaul, workspace.id, { type: 'preview' });
  expect((await page(key, { job_type: 'comments' })).ids).toEqual([comments.id]);
  expect((await page(key, { job_type: 'download', status: 'pending' })).ids).toEqual([]);
});

describe('a walk', () => {
  test('shows each job of its start once, newest first, while others are created and jobs end', async () => {
    const tenant = await Tenant.in(longhaul);
    const { secret: key } = await keyOf(tenant.id);
    // In one transaction: many of them share their millisecond.
    const jobs = await tenant.createAll(Array.from({ length: 250 }, () => ({})));
    const ids = await walk(key, { limit: '7' }, async () => {
      const [another] = await tenant.createAll([{}, {}]);
      if (another !== undefined) await tenant.cancel(another.id);
    });
    expect(ids).toEqual(jobs.map(({ id }) => id).toReversed());
  });

  test('shows thousands of jobs once each while others are created', { timeout: 120_000 }, async () => {
    const thousands = backend === 'servers' ? 10 : 2;
    const tenant = await Tenant.in(longhaul);
    const { secret: key } = await keyOf(tenant.id);
    const old: string[] = [];
    for (let batch = 0; batch < thousands; batch++) {
      const jobs = await tenant.createAll(Array.from({ length: 1_000 }, () => ({})));
      old.push(...jobs.map(({ id }) => id));
    }
    const ids = await walk(key, { limit: '100' }, () => tenant.createAll(Array.from({ length: 11 }, () => ({}))));
    expect(ids).toEqual(old.toReversed());
    expect(await tenant.count('FROM job WHERE workspace_id = $1')).toBeGreaterThan(1_100 * thousands);
  });

  test('goes on from any cursor, again and again', async () => {
    const tenant = await Tenant.in(longhaul);
    const { secret: key } = await keyOf(tenant.id);
    await tenant.createAll(Array.from({ length: 5 }, () => ({})));
    const { next_cursor } = await page(key, { limit: '2' });
    const again = await page(key, { limit: '2', cursor: next_cursor ?? '' });
    await tenant.create();
    expect(await page(key, { limit: '2', cursor: next_cursor ?? '' })).toEqual(again);
  });

  test('ends with the page that is exactly full', async () => {
    const tenant = await Tenant.in(longhaul);
    const { secret: key } = await keyOf(tenant.id);
    await tenant.createAll(Array.from({ length: 21 }, () => ({})));
    expect(await page(key, { limit: '21' })).toMatchObject({ has_more: false, next_cursor: null });
    const first = await page(key);
    expect(first.ids).toHaveLength(20);
    expect(first.has_more).toBe(true);
    expect((await page(key, { limit: '100' })).ids).toHaveLength(21);
  });
});

describe('a value that cannot be is a 400', () => {
  test.each([
    { name: 'limit', values: ['0', '101', '-1', '1.5', 'abc', '', '1&limit=2', '%2B5', '1e1', '9'.repeat(400)] },
    { name: 'status', values: ['', 'cancelled', 'PENDING', 'pending&status=failed'] },
    { name: 'job_type', values: ['', 'tool', 'Download'] },
    { name: 'cursor', values: ['x', 'eyJjcmVhdGVkX2F0IjogIjIwMjUtMDEtMTQifQ%3D%3D', '%00', 'a&cursor=b'] },
  ])('of $name', async ({ name, values }) => {
    const { key } = await readers();
    for (const value of values) {
      const answer = await list(key, `${name}=${value}`);
      expect({ value, ...answer }).toMatchObject({ value, status: 400, body: { code: 'bad_request' } });
      expect(answer.body).toEqual({ detail: expect.stringMatching(new RegExp(`^${name}: .`)), code: 'bad_request' });
    }
  });

  test("another list's cursor", async () => {
    const { workspace, key } = await readers();
    const job = await submit(longhaul, workspace.id);
    const cursor = longhaul.services.cursors.encode('jobs', job.id);
    expect((await list(key, `cursor=${cursor}`)).body).toEqual({
      detail: 'cursor: is no next_cursor of this list; begin again without one',
      code: 'bad_request',
    });
  });

  test('but only for a key that is known', async () => {
    expect((await rest(`${longhaul.url}/videoconduit/v1/jobs?limit=0`)).status).toBe(401);
  });
});

test('what is not known in the query is ignored', async () => {
  const { key } = await readers();
  expect((await list(key, 'page=7&cursor=&sort=asc&limit=020')).status).toBe(200);
});

async function keyOf(workspaceId: string): Promise<{ secret: string }> {
  const asked = { workspaceId, name: 'test', scopes: ['READ' as const], dialect: 'VIDEOCONDUIT' as const };
  return createApiKey(longhaul.services.database, asked);
}
