import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import fastify, { type FastifyInstance } from 'fastify';
import { v4 as uuidv4 } from 'uuid';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { Secrets } from '../../src/secrets.ts';
import type { Downloadable } from '../../src/files/downloadable.ts';
import { createArtifactLinks } from '../../src/files/links.ts';
import { ResultFiles } from '../../src/files/result-files.ts';
import { artifactRoute } from '../../src/files/serving.ts';
import { DiskStore } from '../../src/files/stores/disk/disk-store.ts';

const workspaceId = '0198c0de-0000-7000-8000-000000000001';

let dir: string;
let store: DiskStore;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'longhaul-serving-'));
  store = new DiskStore(dir);
});

afterEach(() => rm(dir, { recursive: true }));

async function* chunks(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

/** What a signed link consists of. */
function partsOf(link: string): [id: string, expires: string, signature: string] {
  const { pathname, searchParams } = new URL(link);
  return [pathname.slice('/base/artifacts/'.length), searchParams.get('expires') ?? '', searchParams.get('signature') ?? ''];
}

describe('links', () => {
  const links = createArtifactLinks({ secrets: new Secrets(['a secret']), publicUrl: () => 'https://jobs.example/base/' });
  const artifact = { id: uuidv4(), expiresAt: new Date('2026-01-02T03:04:05.678Z') };

  test('a signed link is below the public URL, verifies, and is the same every time', () => {
    const link = links.sign(artifact);
    expect(link).toMatch(new RegExp(`^https://jobs\\.example/base/artifacts/${artifact.id}\\?expires=1767323045&signature=[\\w-]{43}$`));
    expect(links.verify(...partsOf(link))).toBe(true);
    expect(links.sign({ ...artifact, expiresAt: new Date(artifact.expiresAt) })).toBe(link);
    expect(links.sign({ ...artifact, expiresAt: new Date('2026-01-02T03:04:05Z') })).toBe(link);
  });

  test('a link with any part changed does not verify', () => {
    const [id, expires, signature] = partsOf(links.sign(artifact));
    expect(links.verify(uuidv4(), expires, signature)).toBe(false);
    expect(links.verify(id, String(Number(expires) + 1), signature)).toBe(false);
    expect(links.verify(id, expires, signature.slice(0, -2))).toBe(false);
    expect(links.verify(id, expires, `${signature}=`)).toBe(false);
    expect(links.verify(id, expires, `${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`)).toBe(false);
    expect(links.verify(id, expires, '')).toBe(false);
    expect(links.verify(id, expires, 'ü'.repeat(43))).toBe(false);
  });

  test('a link signed with another secret does not verify', () => {
    const others = createArtifactLinks({ secrets: new Secrets(['another secret']), publicUrl: () => 'https://jobs.example/base' });
    expect(links.verify(...partsOf(others.sign(artifact)))).toBe(false);
  });
});

describe('the route', () => {
  const links = createArtifactLinks({ secrets: new Secrets(['a secret']), publicUrl: () => 'http://localhost:4000' });
  const expiresAt = new Date('2026-01-02T00:00:00Z');
  let app: FastifyInstance;
  let now: Date;
  let rows: Map<string, Downloadable>;
  let lookUps: number;

  beforeEach(() => {
    now = new Date('2026-01-01T00:00:00Z');
    rows = new Map();
    lookUps = 0;
    // All connections, because a client may have opened one more than it used.
    app = fastify({ forceCloseConnections: true });
    const find = async (id: string) => {
      lookUps++;
      return rows.get(id) ?? null;
    };
    artifactRoute(app, { find, store, links, now: () => now });
  });

  afterEach(() => app.close());

  async function artifact(content = '0123456789', names: { filename?: string; mediaType?: string } = {}): Promise<Downloadable & { expiresAt: Date }> {
    const about = { workspaceId, filename: 'a.txt', mediaType: 'text/plain', maxBytes: 1000, signal: new AbortController().signal };
    const { id } = await new ResultFiles(store).save(chunks(content), about);
    const row = { id, workspaceId, filename: 'a.txt', mediaType: 'text/plain', expiresAt, ...names };
    rows.set(id, row);
    return row;
  }

  /** The link without its origin, as a request has it. */
  function target(row: { id: string; expiresAt: Date }): string {
    const { pathname, search } = new URL(links.sign(row));
    return pathname + search;
  }

  test('a signed link downloads the file, to be saved and never to be run', async () => {
    const row = await artifact('0123456789', { filename: 'Überblick "1".html', mediaType: 'text/html; charset=utf-8' });
    const response = await app.inject(target(row));
    expect({ status: response.statusCode, body: response.body }).toEqual({ status: 200, body: '0123456789' });
    expect(response.headers).toMatchObject({
      'content-type': 'text/html;charset=utf-8',
      'content-length': '10',
      'content-disposition': `attachment; filename="?berblick \\"1\\".html"; filename*=UTF-8''%C3%9Cberblick%20%221%22.html`,
      'x-content-type-options': 'nosniff',
      'cache-control': 'private',
      'content-security-policy': "default-src 'none'; sandbox",
      'accept-ranges': 'bytes',
      etag: expect.stringMatching(/^"[\w-]+"$/),
    });
  });

  test('HEAD gives the headers and no body', async () => {
    const response = await app.inject({ method: 'HEAD', url: target(await artifact()) });
    expect({ status: response.statusCode, body: response.body }).toEqual({ status: 200, body: '' });
    expect(response.headers).toMatchObject({ 'content-length': '10', 'content-type': 'text/plain', 'accept-ranges': 'bytes' });
  });

  test('over one real connection, HEAD and then GET', async () => {
    const origin = await app.listen({ port: 0, host: '127.0.0.1' });
    const url = origin + target(await artifact());
    const head = await fetch(url, { method: 'HEAD' });
    expect({ length: head.headers.get('content-length'), body: await head.text() }).toEqual({ length: '10', body: '' });
    expect(await (await fetch(url)).text()).toBe('0123456789');
  });

  test('an empty file downloads', async () => {
    const response = await app.inject(target(await artifact('')));
    expect({ status: response.statusCode, body: response.body, length: response.headers['content-length'] }).toEqual({
      status: 200,
      body: '',
      length: '0',
    });
  });

  test('a range gives that part of the file', async () => {
    const response = await app.inject({ url: target(await artifact()), headers: { range: 'bytes=2-4' } });
    expect({ status: response.statusCode, body: response.body }).toEqual({ status: 206, body: '234' });
    expect(response.headers).toMatchObject({ 'content-range': 'bytes 2-4/10', 'content-length': '3', 'content-type': 'text/plain' });
  });

  test.each([
    ['bytes=2-4', '234'],
    ['bytes=7-', '789'],
    ['bytes=-3', '789'],
    ['bytes=-30', '0123456789'],
    ['bytes=8-99', '89'],
    ['BYTES=0-0', '0'],
    ['bytes=2-18446744073709551615', '23456789'],
    ['bytes=-18446744073709551615', '0123456789'],
  ])('the range %s is %s', async (range, body) => {
    const response = await app.inject({ url: target(await artifact()), headers: { range } });
    expect([response.statusCode, response.body]).toEqual([206, body]);
  });

  test.each(['bytes=4-2', 'bytes=0-1,3-4', 'lines=1-2', 'bytes=a-b', 'bytes=-'])('the range %s means the whole file', async (range) => {
    const response = await app.inject({ url: target(await artifact()), headers: { range } });
    expect([response.statusCode, response.body]).toEqual([200, '0123456789']);
  });

  test('a download resumes where the file is still the same, and starts over where it is not', async () => {
    const url = target(await artifact());
    const { etag = '', 'last-modified': modified = '' } = (await app.inject(url)).headers;
    const resumed = async (ifRange: string) => (await app.inject({ url, headers: { range: 'bytes=2-4', 'if-range': ifRange } })).statusCode;
    expect(await resumed(etag)).toBe(206);
    expect(await resumed(modified)).toBe(206);
    expect(await resumed(`W/${etag}`)).toBe(200);
    expect(await resumed('"another"')).toBe(200);
    expect(await resumed(new Date(0).toUTCString())).toBe(200);
    expect((await app.inject({ method: 'HEAD', url, headers: { range: 'bytes=2-4' } })).statusCode).toBe(200);
  });

  test.each<[string, (etag: string, modified: string) => Record<string, string>, number]>([
    ['the tag', (etag) => ({ 'if-none-match': etag }), 304],
    ['the tag as a weak one, among others', (etag) => ({ 'if-none-match': `"x", W/${etag}` }), 304],
    ['any tag', () => ({ 'if-none-match': '*' }), 304],
    ['another tag, whatever the date', (_etag, modified) => ({ 'if-none-match': '"x"', 'if-modified-since': modified }), 200],
    ['the date', (_etag, modified) => ({ 'if-modified-since': modified }), 304],
    ['no date', () => ({ 'if-modified-since': 'yesterday' }), 200],
    ['the tag to be matched', (etag) => ({ 'if-match': etag }), 200],
    ['a weak tag to be matched', (etag) => ({ 'if-match': `W/${etag}` }), 412],
    ['an earlier date than the change', () => ({ 'if-unmodified-since': new Date(0).toUTCString() }), 412],
  ])('conditions: %s', async (_what, headers, status) => {
    const url = target(await artifact());
    const { etag = '', 'last-modified': modified = '' } = (await app.inject(url)).headers;
    for (const method of ['GET', 'HEAD'] as const) {
      expect((await app.inject({ method, url, headers: headers(String(etag), String(modified)) })).statusCode).toBe(status);
    }
  });

  test.each(['bytes=10-', 'bytes=18446744073709551615-'])('the range %s is behind the end and refused with the size of the file', async (range) => {
    const response = await app.inject({ url: target(await artifact()), headers: { range } });
    expect(response.statusCode).toBe(416);
    expect(response.headers['content-range']).toBe('bytes */10');
    expect(response.json()).toMatchObject({ error: { code: 'RANGE_NOT_SATISFIABLE' } });
  });

  test('who has the file already is told so', async () => {
    const url = target(await artifact());
    const { etag = '' } = (await app.inject(url)).headers;
    const response = await app.inject({ url, headers: { 'if-none-match': etag } });
    expect({ status: response.statusCode, body: response.body, etag: response.headers.etag }).toEqual({ status: 304, body: '', etag });
    const changed = await app.inject({ url, headers: { 'if-match': '"other"' } });
    expect(changed.statusCode).toBe(412);
    expect(changed.json()).toMatchObject({ error: { code: 'PRECONDITION_FAILED' } });
  });

  test.each([
    ['no signature', (url: string) => url.replace(/&signature=.*/, '')],
    ['no query', (url: string) => url.replace(/\?.*/, '')],
    ['a changed signature', (url: string) => `${url.slice(0, -4)}AAAA`],
    ['two signatures', (url: string) => `${url}&signature=AAAA`],
    ['another expiry', (url: string) => url.replace(/expires=\d+/, 'expires=9999999999')],
    ['another id', (url: string) => url.replace(/artifacts\/[\w-]+/, `artifacts/${workspaceId}`)],
    ['a path for an id', (url: string) => url.replace(/artifacts\/[\w-]+/, 'artifacts/..%2F..%2Fetc%2Fpasswd')],
  ])('a link with %s is refused before anything is looked up', async (_, change) => {
    const response = await app.inject(change(target(await artifact())));
    expect(response.statusCode).toBe(403);
    expect(response.json()).toEqual({ error: { code: 'FORBIDDEN', message: expect.stringContaining('unchanged') } });
    expect(response.headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    expect(lookUps).toBe(0);
  });

  test('a file is there until the millisecond of its expiry, then gone', async () => {
    const url = target(await artifact());
    now = new Date(expiresAt.getTime() - 1);
    expect((await app.inject(url)).statusCode).toBe(200);
    now = expiresAt;
    const response = await app.inject(url);
    expect(response.statusCode).toBe(410);
    expect(response.json()).toMatchObject({ error: { code: 'EXPIRED' } });
  });

  test('a link that was made for less time than the file has ends by itself', async () => {
    const row = await artifact();
    const link = target({ ...row, expiresAt: new Date('2026-01-01T12:00:00Z') });
    for (const fileEnds of [expiresAt, null]) {
      rows.set(row.id, { ...row, expiresAt: fileEnds });
      now = new Date('2026-01-01T11:59:59.999Z');
      expect((await app.inject(link)).statusCode).toBe(200);
      now = new Date('2026-01-01T12:00:00Z');
      expect((await app.inject(link)).statusCode).toBe(410);
    }
  });

  test('an artifact that nobody knows, and one whose file is gone, are not found', async () => {
    const unknown = await app.inject(target({ id: uuidv4(), expiresAt }));
    expect(unknown.statusCode).toBe(404);
    const row = await artifact();
    await store.remove({ workspaceId, id: row.id });
    const gone = await app.inject(target(row));
    expect(gone.statusCode).toBe(404);
    expect(gone.json()).toEqual({ error: { code: 'NOT_FOUND', message: expect.any(String) } });
    const head = await app.inject({ method: 'HEAD', url: target(row) });
    expect({ status: head.statusCode, body: head.body }).toEqual({ status: 404, body: '' });
  });

  test('what stands in the place of a file is an error of ours, not a redirect', async () => {
    const row = await artifact();
    await store.remove({ workspaceId, id: row.id });
    await mkdir(store.path({ workspaceId, id: row.id }));
    expect((await app.inject(target(row))).statusCode).toBe(500);
  });

  test('a directory with a dot in its path serves its files', async () => {
    store = new DiskStore(join(dir, '.data', 'artifacts'));
    await store.bindToInstallation('installation-a', { mayClaim: true });
    const dotted = fastify();
    const row = await artifact();
    artifactRoute(dotted, { find: async () => row, store, links, now: () => now });
    expect((await dotted.inject(target(row))).body).toBe('0123456789');
    await dotted.close();
  });
});
