import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import fastify, { type FastifyInstance } from 'fastify';
import { v4 as uuidv4, version as uuidVersion } from 'uuid';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { Secrets } from '../../src/secrets.ts';
import { createArtifactLinks } from '../../src/files/links.ts';
import { artifactRoute, type DownloadableArtifact } from '../../src/files/serving.ts';
import { ArtifactStore, type StoredFile } from '../../src/files/store.ts';
import { ArtifactTooLargeError } from '../../src/files/writing.ts';

const workspaceId = '0198c0de-0000-7000-8000-000000000001';
const never = new AbortController().signal;

let dir: string;
let store: ArtifactStore;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'longhaul-artifacts-'));
  store = new ArtifactStore(dir);
});

afterEach(() => rm(dir, { recursive: true }));

async function* chunks(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

async function* failing(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('half');
  throw new Error('source broke');
}

/** Every file below the directory, partial ones included. */
async function files(): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
}

function save(source: AsyncIterable<Uint8Array>, options: { maxBytes?: number; signal?: AbortSignal } = {}): Promise<StoredFile> {
  return store.save(source, { workspaceId, filename: 'a.txt', mediaType: 'text/plain', maxBytes: 1000, signal: never, ...options });
}

/** What a signed link consists of. */
function partsOf(link: string): [id: string, expires: string, signature: string] {
  const { pathname, searchParams } = new URL(link);
  return [pathname.slice('/base/artifacts/'.length), searchParams.get('expires') ?? '', searchParams.get('signature') ?? ''];
}

describe('the store', () => {
  test('a saved file is at its path with the size and hash that were reported', async () => {
    const written: number[] = [];
    const saved = await store.save(chunks('hello ', 'world'), {
      workspaceId,
      filename: 'a.txt',
      mediaType: 'text/plain',
      maxBytes: 11,
      signal: never,
      onBytes: (bytes) => written.push(bytes),
    });
    const sha256 = createHash('sha256').update('hello world').digest('hex');
    expect(saved).toEqual({ id: saved.id, workspaceId, filename: 'a.txt', mediaType: 'text/plain', bytes: 11, sha256 });
    expect(uuidVersion(saved.id)).toBe(7);
    expect(await readFile(store.path(workspaceId, saved.id), 'utf8')).toBe('hello world');
    expect(await files()).toEqual([saved.id]);
    expect(written).toEqual([6, 11]);
  });

  test('an empty file is a file', async () => {
    const saved = await save(chunks());
    expect(saved.bytes).toBe(0);
    expect(await readFile(store.path(workspaceId, saved.id), 'utf8')).toBe('');
  });

  test('while it is being written, a file is not at its path yet', async () => {
    let during: string[] = [];
    async function* watched(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('half');
      during = await files();
      yield Buffer.from('half');
    }
    const saved = await save(watched());
    expect(during).toEqual([`${saved.id}.part`]);
  });

  test('nothing is left of a source that fails, whose error is passed on', async () => {
    await expect(save(failing())).rejects.toThrow('source broke');
    expect(await files()).toEqual([]);
  });

  test('nothing is left of a source over the limit, which is not read any further', async () => {
    let read = 0;
    let ended = false;
    async function* large(): AsyncGenerator<Uint8Array> {
      try {
        for (; ; read++) yield Buffer.alloc(10);
      } finally {
        ended = true;
      }
    }
    await expect(save(large(), { maxBytes: 25 })).rejects.toThrow(ArtifactTooLargeError);
    expect({ read, ended, files: await files() }).toEqual({ read: 2, ended: true, files: [] });
  });

  test('nothing is left after an abort, even when the source hangs and never hears of it', async () => {
    const controller = new AbortController();
    async function* hanging(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('half');
      controller.abort(new Error('cancelled'));
      await new Promise(() => {});
    }
    await expect(save(hanging(), { signal: controller.signal })).rejects.toThrow('cancelled');
    expect(await files()).toEqual([]);
  });

  test('an abort after the last byte leaves nothing either', async () => {
    const controller = new AbortController();
    async function* aborting(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('whole');
      controller.abort(new Error('cancelled'));
    }
    await expect(save(aborting(), { signal: controller.signal })).rejects.toThrow('cancelled');
    expect(await files()).toEqual([]);
  });

  test('after an abort nothing is begun', async () => {
    await expect(save(chunks('a'), { signal: AbortSignal.abort(new Error('cancelled')) })).rejects.toThrow('cancelled');
    expect(await readdir(dir)).toEqual([]);
  });

  test('removing a file may be done twice', async () => {
    const { id } = await save(chunks('a'));
    await store.remove(workspaceId, id);
    await store.remove(workspaceId, id);
    expect(await files()).toEqual([]);
  });

  test.each([
    ['..', uuidv4()],
    ['../../etc', 'passwd'],
    [workspaceId, `${uuidv4()}/..`],
    [workspaceId, '.longhaul-volume'],
    [workspaceId, ''],
  ])('what is no UUID never becomes a path: %s, %s', async (workspace, id) => {
    expect(() => store.path(workspace, id)).toThrow(TypeError);
    await expect(store.remove(workspace, id)).rejects.toThrow(TypeError);
  });

  test('whole and half-written files are listed by workspace, and nothing else', async () => {
    const { id } = await save(chunks('whole'));
    const half = uuidv4();
    const folder = dirname(store.path(workspaceId, id));
    await writeFile(join(folder, `${half}.part`), 'half');
    for (const path of [join(folder, 'notes.txt'), join(dir, '.longhaul-volume')]) await writeFile(path, '');
    const found = [];
    for await (const { workspaceId: workspace, ids } of store.list()) found.push({ workspace, ids: ids.toSorted() });
    expect(found).toEqual([{ workspace: workspaceId, ids: [id, half].toSorted() }]);
    await store.remove(workspaceId, half);
    expect((await readdir(folder)).toSorted()).toEqual([id, 'notes.txt'].toSorted());
  });
});

describe('the volume', () => {
  test('the first process claims it, the others find it', async () => {
    const fresh = new ArtifactStore(join(dir, 'deep', 'artifacts'));
    await fresh.bindToInstallation('installation-1', { mayClaim: true });
    await fresh.bindToInstallation('installation-1', { mayClaim: false });
    await fresh.bindToInstallation('installation-1', { mayClaim: true });
    expect(await files()).toEqual(['.longhaul-volume']);
  });

  test('many processes may claim it at the same time', async () => {
    const claims = Array.from({ length: 20 }, () => store.bindToInstallation('installation-1', { mayClaim: true }));
    await Promise.all(claims);
    expect(await files()).toEqual(['.longhaul-volume']);
  });

  test('of two installations that claim it at the same time, one is refused', async () => {
    const claims = ['one', 'two'].map((id) => store.bindToInstallation(id, { mayClaim: true }));
    const outcomes = await Promise.allSettled(claims);
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  });

  test("another installation's volume is refused, also by who may claim", async () => {
    await store.bindToInstallation('installation-1', { mayClaim: true });
    for (const mayClaim of [true, false]) {
      await expect(store.bindToInstallation('installation-2', { mayClaim })).rejects.toThrow(
        /another installation.*ARTIFACTS_DIR must be the same volume for every process/,
      );
    }
  });

  test('an unmarked directory is refused by who may not claim, and stays as it was', async () => {
    await expect(store.bindToInstallation('installation-1', { mayClaim: false })).rejects.toThrow(
      /does not hold the artifacts.*ARTIFACTS_DIR must be the same volume for every process/,
    );
    expect(await files()).toEqual([]);
  });

  test('a directory that is not there is refused by who may not claim, and not made', async () => {
    const missing = new ArtifactStore(join(dir, 'missing'));
    await expect(missing.bindToInstallation('installation-1', { mayClaim: false })).rejects.toThrow(/cannot be written to \(ENOENT\)/);
    expect(await readdir(dir)).toEqual([]);
  });

  test('a directory that cannot be written to is refused with the reason', async () => {
    await writeFile(join(dir, 'file'), '');
    const blocked = new ArtifactStore(join(dir, 'file'));
    await expect(blocked.bindToInstallation('installation-1', { mayClaim: true })).rejects.toThrow(/cannot be written to \(EEXIST\)/);
  });
});

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
  let rows: Map<string, DownloadableArtifact>;
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

  async function artifact(content = '0123456789', names: { filename?: string; mediaType?: string } = {}): Promise<DownloadableArtifact> {
    const { id, bytes } = await save(chunks(content));
    const row = { id, workspaceId, filename: 'a.txt', mediaType: 'text/plain', bytes, expiresAt, ...names };
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
      'content-type': 'text/html; charset=utf-8',
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

  test('an artifact that nobody knows, and one whose file is gone, are not found', async () => {
    const unknown = await app.inject(target({ id: uuidv4(), expiresAt }));
    expect(unknown.statusCode).toBe(404);
    const row = await artifact();
    await store.remove(workspaceId, row.id);
    const gone = await app.inject(target(row));
    expect(gone.statusCode).toBe(404);
    expect(gone.json()).toEqual({ error: { code: 'NOT_FOUND', message: expect.any(String) } });
    const head = await app.inject({ method: 'HEAD', url: target(row) });
    expect({ status: head.statusCode, body: head.body }).toEqual({ status: 404, body: '' });
  });

  test('what stands in the place of a file is an error of ours, not a redirect', async () => {
    const row = await artifact();
    await store.remove(workspaceId, row.id);
    await mkdir(store.path(workspaceId, row.id));
    expect((await app.inject(target(row))).statusCode).toBe(500);
  });

  test('a directory with a dot in its path serves its files', async () => {
    store = new ArtifactStore(join(dir, '.data', 'artifacts'));
    await store.bindToInstallation('installation-a', { mayClaim: true });
    const dotted = fastify();
    const row = await artifact();
    artifactRoute(dotted, { find: async () => row, store, links, now: () => now });
    expect((await dotted.inject(target(row))).body).toBe('0123456789');
    await dotted.close();
  });
});
