import { createHash, randomBytes } from 'node:crypto';
import { v7 as uuid } from 'uuid';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { KeptLostError, NoRoomError } from '../../src/files/stores/errors.ts';
import { PartBuffers } from '../../src/files/stores/s3/part-buffers.ts';
import { S3Store } from '../../src/files/stores/s3/s3-store.ts';
import { bucketUrl, type S3Settings } from '../../src/files/stores/s3/s3-settings.ts';
import type { FileId, Kept } from '../../src/files/stores/store.ts';
import { openS3Proxy, type S3Fate, type S3Proxy } from '../support/s3-proxy.ts';
import { type S3Server, startFauxqsServer, startS3rver } from '../support/s3-servers.ts';
import { contentOf } from '../support/stores.ts';

const never = new AbortController().signal;
const maxBytes = 64 * 1024 ** 2;
const slowDown: S3Fate = { status: 503, code: 'SlowDown' };

let fauxqs: S3Server;
let s3rver: S3Server;
let content: Buffer;
beforeAll(async () => {
  [fauxqs, s3rver] = await Promise.all([startFauxqsServer(), startS3rver()]);
  content = randomBytes(2 * fauxqs.settings.partBytes + 12_345);
});
afterAll(() => Promise.all([fauxqs.close(), s3rver.close()]));

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += 333_333) yield bytes.subarray(at, at + 333_333);
}

/** A store behind a proxy. */
async function troubled(server: S3Server, fateOf: S3Proxy['fateOf'], changes: Partial<S3Settings> = {}) {
  const proxy = await openS3Proxy(server.settings.endpoint ?? '', fateOf);
  const store = new S3Store({ ...server.settings, endpoint: proxy.url, ...changes });
  onTestFinished(() => store.close());
  const file: FileId = { workspaceId: uuid(), id: uuid() };
  const count = (what: string) => proxy.asked.filter((each) => each.what === what).length;
  return { proxy, store, file, count };
}

/** Writes all and reads it back. */
async function expectWhole({ store, file }: { store: S3Store; file: FileId }): Promise<void> {
  const kept = await store.append(file, null, pieces(content), { signal: never, maxBytes, onKept: () => {} });
  const sha256 = createHash('sha256').update(content).digest('hex');
  expect(await store.finish(file, kept)).toEqual({ bytes: content.length, sha256 });
  expect((await contentOf(store, file))?.equals(content)).toBe(true);
}

/** Why a start is refused; empty if it is not. */
async function refusalOf(changes: Partial<S3Settings>): Promise<string> {
  const store = new S3Store({ ...s3rver.settings, ...changes });
  onTestFinished(() => store.close());
  const error: unknown = await store.bindToInstallation('one', { mayClaim: true }).then(() => null, (reason: unknown) => reason);
  const told = error instanceof Error ? `${error.message}\n${JSON.stringify(error.cause)}\n${error.cause}` : '';
  for (const secret of [changes.secretAccessKey, changes.sessionToken]) if (secret != null) expect(told).not.toContain(secret);
  return error instanceof Error ? error.message : '';
}

describe('a part is sent again', () => {
  test.each<[string, S3Fate]>([
    ['when the connection is killed in the middle of it', 'cut in the middle'],
    ['when its answer is lost', 'answer lost'],
    ['after 503 SlowDown', slowDown],
    ['after 500 InternalError', { status: 500, code: 'InternalError' }],
    ['after 400 RequestTimeout, of a body that came too slowly', { status: 400, code: 'RequestTimeout' }],
  ])('%s, and none of the others', async (_when, fate) => {
    const trouble = await troubled(fauxqs, (what, nth) => (what === 'part 2' && nth <= 2 ? fate : 'passes'));
    await expectWhole(trouble);
    expect(['part 1', 'part 2', 'part 3'].map(trouble.count)).toEqual([1, 3, 1]);
  });

  test('not before the service says', async () => {
    const trouble = await troubled(fauxqs, (what, nth) => (what === 'part 1' && nth === 1 ? { ...Object(slowDown), retryAfter: 1 } : 'passes'));
    await expectWhole(trouble);
    const [first, second] = trouble.proxy.asked.filter(({ what }) => what === 'part 1');
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThan(990);
  });
});

test('whatever is refused for a moment is asked again', async () => {
  const trouble = await troubled(fauxqs, (_what, nth) => (nth === 1 ? slowDown : 'passes'));
  await expectWhole(trouble);
  await trouble.store.remove(trouble.file);
  expect(await trouble.store.open(trouble.file)).toBeNull();
});

describe('a completion', () => {
  test('that says 200 and fails in its body is tried again', async () => {
    const trouble = await troubled(fauxqs, (what, nth) => (what === 'complete' && nth === 1 ? { status: 200, code: 'InternalError' } : 'passes'));
    await expectWhole(trouble);
    expect(trouble.count('complete')).toBe(2);
  });

  test('whose answer is lost has happened', async () => {
    const trouble = await troubled(fauxqs, (what) => (what === 'complete' ? 'answer lost' : 'passes'));
    await expectWhole(trouble);
    expect(trouble.count('complete')).toBe(1);
  });
});

describe('a file that is read', () => {
  test('is whole although answers are truncated: the rest is asked for, of the same object', async () => {
    const trouble = await troubled(fauxqs, (what, nth) => (what === 'GET' && nth <= 3 ? 'answer truncated' : 'passes'));
    await expectWhole(trouble);
    const ranges = trouble.proxy.asked.filter(({ what }) => what === 'GET').map(({ headers }) => headers);
    expect(ranges).toHaveLength(4);
    expect(ranges.map(({ range }) => range === undefined)).toEqual([true, false, false, false]);
    expect(new Set(ranges.map((headers) => headers['if-match'])).size).toBe(1);
  });

  test('and is another one meanwhile breaks off, rather than to mix the two', async () => {
    const { store, file, proxy } = await troubled(fauxqs, () => 'passes');
    const write = async (bytes: Buffer) => store.finish(file, await store.append(file, null, pieces(bytes), { signal: never, maxBytes, endsFile: true }));
    await write(content.subarray(0, 1_000_000));
    const opened = await store.open(file);
    await write(randomBytes(1_000_000));
    await expect(Array.fromAsync(opened?.read() ?? [])).rejects.toThrow(/PreconditionFailed/);
    expect(proxy.asked.filter(({ what }) => what === 'GET')).toHaveLength(1);
  });

  test('has its connection closed when nobody reads it any more', async () => {
    const { store, file, proxy } = await troubled(fauxqs, (what) => (what === 'GET' ? 'hangs' : 'passes'));
    await store.finish(file, await store.append(file, null, pieces(content), { signal: never, maxBytes }));
    const stream = (await store.open(file))?.read();
    stream?.resume();
    await expect.poll(() => proxy.asked.at(-1)?.what).toBe('GET');
    stream?.destroy();
    await new Promise((closed) => stream?.once('close', closed));
  });
});

describe('nothing is left', () => {
  test('of an upload that was aborted in the middle of a part', async () => {
    const stopping = new AbortController();
    const trouble = await troubled(fauxqs, (what) => {
      if (what !== 'part 2') return 'passes';
      stopping.abort(new Error('cancelled'));
      return 'hangs';
    });
    const { store, file } = trouble;
    await expect(store.append(file, null, pieces(content), { signal: stopping.signal, maxBytes })).rejects.toThrow('cancelled');
    expect(trouble.count('abort')).toBe(1);
    expect(await Array.fromAsync(store.list())).not.toContainEqual(expect.objectContaining({ workspaceId: file.workspaceId }));
  });

  test('of one that the sweep finds by its name alone', async () => {
    const trouble = await troubled(fauxqs, () => 'passes');
    const { store, file } = trouble;
    await store.append(file, null, pieces(content), { signal: never, maxBytes, onKept: () => {} });
    expect(await Array.fromAsync(store.list())).toContainEqual({ workspaceId: file.workspaceId, ids: [file.id] });
    await store.remove(file);
    expect(trouble.count('abort')).toBe(1);
    expect(await Array.fromAsync(store.list())).not.toContainEqual(expect.objectContaining({ workspaceId: file.workspaceId }));
  });
});

test('an upload that the service has dropped is lost, and then nothing speaks of it any more', async () => {
  const trouble = await troubled(fauxqs, () => 'passes');
  const { store, file, proxy } = trouble;
  const kept = await store.append(file, null, pieces(content.subarray(0, fauxqs.settings.partBytes + 10)), { signal: never, maxBytes, onKept: () => {} });
  proxy.fateOf = (what) => (what === 'part 2' ? { status: 404, code: 'NoSuchUpload' } : 'passes');
  await expect(store.append(file, kept, pieces(content), { signal: never, maxBytes, onKept: () => {} })).rejects.toThrow(KeptLostError);
  expect(await store.has(file, kept)).toBe(false);
});

test('what was on its way when the source was aborted is kept', async () => {
  const stopping = new AbortController();
  const passing = Promise.withResolvers<void>();
  const { store, file, proxy } = await troubled(fauxqs, (what) => {
    if (what === 'part 2') passing.resolve();
    return 'passes';
  });
  async function* aborting() {
    yield* pieces(content.subarray(0, 2 * fauxqs.settings.partBytes + 77));
    await passing.promise;
    stopping.abort(new Error('the process stops'));
    await new Promise(() => {});
  }
  const all: Kept[] = [];
  await expect(store.append(file, null, aborting(), { signal: stopping.signal, maxBytes, onKept: (kept) => void all.push(kept) })).rejects.toThrow('the process stops');
  expect(all.at(-1)).toMatchObject({ bytes: 2 * fauxqs.settings.partBytes + 77 });
  expect(proxy.asked.map(({ what }) => what)).toContain('PUT tail');
});

test('files that are written at once wait for memory, in turn', async () => {
  const buffers = new PartBuffers();
  const mebibyte = 1024 ** 2;
  const first = await buffers.take(400 * mebibyte, never);
  expect(buffers.tryTake(200 * mebibyte)).toBeNull();
  const waiting = ['second', 'third'].map(async (name) => {
    const buffer = await buffers.take(200 * mebibyte, never);
    order.push(name);
    return buffer;
  });
  const order: string[] = [];
  // Who waits goes first, even if there is room for less.
  expect(buffers.tryTake(1)).toBeNull();
  buffers.giveBack(first);
  for (const buffer of await Promise.all(waiting)) buffers.giveBack(buffer);
  expect(order).toEqual(['second', 'third']);
  // What is larger than all of it is taken alone.
  expect(await buffers.take(600 * mebibyte, never)).toHaveLength(600 * mebibyte);
  await expect(buffers.take(1, AbortSignal.abort(new Error('cancelled')))).rejects.toThrow('cancelled');
});

test('a bucket that is full is no room', async () => {
  const { store, file } = await troubled(fauxqs, (what) => (what.startsWith('part') ? { status: 507, code: 'XMinioStorageFull' } : 'passes'));
  await expect(store.append(file, null, pieces(content), { signal: never, maxBytes })).rejects.toThrow(NoRoomError);
});

test('parts are of one size, and nothing is sent but what was asked for', async () => {
  const trouble = await troubled(fauxqs, () => 'passes');
  await expectWhole(trouble);
  await trouble.store.remove(trouble.file);
  const sizes = trouble.proxy.asked.filter(({ what }) => what.startsWith('part')).map(({ headers }) => Number(headers['content-length']));
  expect(sizes).toEqual([fauxqs.settings.partBytes, fauxqs.settings.partBytes, 12_345]);
  const names = new Set(trouble.proxy.asked.flatMap(({ headers }) => Object.keys(headers)));
  const known = ['authorization', 'connection', 'content-length', 'content-type', 'host', 'if-match', 'x-amz-content-sha256', 'x-amz-date'];
  expect([...names].toSorted()).toEqual(known);
  expect(trouble.proxy.asked.map(({ headers }) => headers['content-type'])).not.toContain('aws-chunked');
});

test('more files than one answer lists are all listed', async () => {
  const { store, proxy } = await troubled(fauxqs, () => 'passes');
  const workspaceId = uuid();
  const ids = Array.from({ length: 1_010 }, () => uuid());
  const write = async (id: string) => store.append({ workspaceId, id }, null, pieces(Buffer.from('a film')), { signal: never, maxBytes, endsFile: true });
  for (let at = 0; at < ids.length; at += 50) await Promise.all(ids.slice(at, at + 50).map(write));
  const listed = await Array.fromAsync(store.list());
  expect(listed.filter((each) => each.workspaceId === workspaceId).flatMap((each) => each.ids).toSorted()).toEqual(ids.toSorted());
  expect(proxy.asked.filter(({ what }) => what === 'list')).toHaveLength(2);
});

describe('a bucket that cannot be used', () => {
  test('is refused with what to change, and no secret is told', async () => {
    expect(await refusalOf({ secretAccessKey: 'a-wrong-secret' })).toMatch(/AWS_SECRET_ACCESS_KEY is not that of AWS_ACCESS_KEY_ID/);
    expect(await refusalOf({ accessKeyId: 'NOBODY', secretAccessKey: 'a-wrong-secret' })).toMatch(/does not know AWS_ACCESS_KEY_ID/);
    expect(await refusalOf({ bucket: 'another' })).toMatch(/no such bucket.*ARTIFACTS_URL/);
    expect(await refusalOf({})).toBe('');
  });

  test.each<[S3Fate, RegExp]>([
    [{ status: 403, code: 'AccessDenied' }, /writing an object \(s3:PutObject\) failed.*permissions that OPERATIONS.md lists/],
    [{ status: 400, code: 'ExpiredToken' }, /AWS_SESSION_TOKEN is not valid.*anew/],
    [{ status: 403, code: 'RequestTimeTooSkewed' }, /clock is wrong.*NTP/],
    [{ status: 301, code: 'PermanentRedirect</Code><Region>eu-central-1</Region><Code>' }, /another region: set AWS_REGION=eu-central-1/],
  ])('says so: %j', async (fate, message) => {
    const { store } = await troubled(s3rver, () => fate, { sessionToken: 'temporary' });
    await expect(store.bindToInstallation('one', { mayClaim: true })).rejects.toThrow(message);
  });
});

test('the bucket stands in the host name, or in the path', () => {
  const amazon = { ...s3rver.settings, endpoint: null, region: 'eu-central-1' };
  expect(bucketUrl({ ...amazon, pathStyle: false }).href).toBe('https://files.s3.eu-central-1.amazonaws.com/');
  expect(bucketUrl({ ...amazon, pathStyle: true }).href).toBe('https://s3.eu-central-1.amazonaws.com/files');
  expect(bucketUrl({ ...amazon, endpoint: 'http://minio:9000/s3/', pathStyle: true }).href).toBe('http://minio:9000/s3/files');
  expect(bucketUrl({ ...amazon, endpoint: 'https://account.r2.cloudflarestorage.com', pathStyle: false }).href).toBe('https://files.account.r2.cloudflarestorage.com/');
});

describe('a redirect', () => {
  test('carries what temporary keys need', async () => {
    const store = new S3Store({ ...s3rver.settings, redirects: true, sessionToken: 'temporary' });
    onTestFinished(() => store.close());
    const url = await store.redirect({ workspaceId: uuid(), id: uuid() }, { mediaType: 'a/b', disposition: 'inline' }, 999_999);
    const { searchParams } = new URL(url ?? '');
    expect(searchParams.get('X-Amz-Security-Token')).toBe('temporary');
    expect(searchParams.get('X-Amz-Expires')).toBe('3600');
  });

  test('gives the file to anybody, as the link would have, for a while', async () => {
    const store = new S3Store({ ...s3rver.settings, redirects: true });
    onTestFinished(() => store.close());
    const file = { workspaceId: uuid(), id: uuid() };
    await store.finish(file, await store.append(file, null, pieces(content), { signal: never, maxBytes }));
    // Without filename*: s3rver takes signatures of queries with ' and * for wrong ones.
    const as = { mediaType: 'video/mp4', disposition: 'attachment; filename="a + b.mp4"' };
    const url = (await store.redirect(file, as, 60)) ?? '';
    expect(url).not.toContain('=S3RVER&');
    const answer = await fetch(url, { headers: { range: 'bytes=0-99' } });
    expect(answer.status).toBe(206);
    expect(answer.headers.get('content-type')).toBe(as.mediaType);
    expect(answer.headers.get('content-disposition')).toBe(as.disposition);
    expect(Buffer.from(await answer.arrayBuffer()).equals(content.subarray(0, 100))).toBe(true);
    expect(new URL(url).searchParams.get('X-Amz-Expires')).toBe('60');
    expect((await fetch(url.replace('video%2Fmp4', 'text%2Fhtml'))).status).toBe(403);
  });
});
