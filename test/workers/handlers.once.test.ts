import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type OutgoingHttpHeaders, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { ResultFiles } from '../../src/files/result-files.ts';
import { DiskStore } from '../../src/files/stores/disk/disk-store.ts';
import type { JsonObject } from '../../src/json.ts';
import { parseOutboundAllow } from '../../src/outbound/addresses.ts';
import { createOutboundFetch, type OutboundFetch } from '../../src/outbound/fetch.ts';
import { createDownloadHandler } from '../../src/worker/handlers/download.ts';
import { createFingerprintHandler } from '../../src/worker/handlers/fingerprint.ts';
import { type AttemptOptions, failureOf, makeAttempt, type WatchedAttempt } from '../support/attempt.ts';

const workspaceId = '0198c0de-0000-7000-8000-000000000001';
const maxBytes = 3_000_000;
const download = createDownloadHandler({ maxBytes });
const fingerprint = createFingerprintHandler({ maxBytes, media: null });
const both = [
  ['download', download],
  ['fingerprint', fingerprint],
] as const;

let dir: string;
let store: DiskStore;
let artifacts: ResultFiles;
let fetch: OutboundFetch;
const cleanups: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'longhaul-handlers-'));
  store = new DiskStore(dir);
  artifacts = new ResultFiles(store);
  fetch = createOutboundFetch({ allow: parseOutboundAllow(['localhost']) });
});

afterEach(async () => {
  await fetch.close();
  for (const cleanup of cleanups.splice(0)) await cleanup();
  await rm(dir, { recursive: true });
});

/** A source on `http://localhost:<port>`. */
async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(async () => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return `http://localhost:${typeof address === 'object' ? address?.port : ''}`;
}

function serveFile(content: string | Buffer, headers: OutgoingHttpHeaders = {}): Promise<string> {
  return serve((_, response) => response.writeHead(200, { 'content-length': Buffer.byteLength(content), ...headers }).end(content));
}

function attempt(input: JsonObject, options: AttemptOptions = {}): WatchedAttempt {
  return makeAttempt({ artifacts, fetch }, workspaceId, input, options);
}

async function files(): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
}

function sha256Of(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

describe('download', () => {
  test('the file is in the store, and the output describes it', async () => {
    const content = Buffer.alloc(2_000_000, 'film');
    const sourceUrl = `${await serveFile(content, { 'content-type': 'video/mp4' })}/films/My%20film.mp4?token=1#t=5`;
    const { output, artifacts: [made] = [] } = await download(attempt({ sourceUrl }));
    const facts = { filename: 'My film.mp4', mediaType: 'video/mp4', bytes: content.byteLength, sha256: sha256Of(content) };
    expect(output).toEqual({ ...facts, sourceUrl });
    expect(made).toEqual({ name: 'file', file: { ...facts, id: expect.any(String), workspaceId } });
    expect(await readFile(store.path({ workspaceId, id: made?.file.id ?? '' }))).toEqual(content);
    expect(await files()).toEqual([made?.file.id]);
  });

  test('the name that the source gives goes before that of the URL, which is the one redirected to', async () => {
    const base = await serve((request, response) => {
      if (request.url === '/named') response.writeHead(200, { 'content-disposition': 'attachment; filename="named.txt"' }).end();
      else if (request.url === '/moved') response.writeHead(302, { location: '/target.bin' }).end();
      else response.end();
    });
    const named = await download(attempt({ sourceUrl: `${base}/named` }));
    const moved = await download(attempt({ sourceUrl: `${base}/moved` }));
    expect([named, moved].map(({ artifacts: made }) => made?.[0]?.file.filename)).toEqual(['named.txt', 'target.bin']);
    expect(moved.output).toMatchObject({ sourceUrl: `${base}/moved`, mediaType: 'application/octet-stream' });
  });

  test.each([
    ['text/html; charset=utf-8', 'text/html;charset=utf-8'],
    ['nonsense', 'application/octet-stream'],
    [`text/plain; x=${'y'.repeat(300)}`, 'text/plain'],
  ])('the content type "%s" is kept as %s', async (header, mediaType) => {
    const { output } = await download(attempt({ sourceUrl: await serveFile('x', { 'content-type': header }) }));
    expect(output).toMatchObject({ mediaType });
  });

  test('what it did is in the log, without what a URL may be signed with', async () => {
    let asked = 0;
    const base = await serve((request, response) => {
      if (request.url?.startsWith('/signed') !== true) response.writeHead(302, { location: '/signed.bin?key=s3cret' }).end();
      else if (++asked === 1) response.writeHead(202, { 'retry-after': '1' }).end();
      else response.writeHead(200, { 'content-type': 'text/plain', 'content-length': 4 }).end('film');
    });
    const watched = attempt({ sourceUrl: `${base}/film?token=s3cret#s3cret` });
    await download(watched);
    const lines = await watched.logged();
    expect(lines).toMatchObject([
      { level: 'DEBUG', message: 'asked the source', fields: { source: `${base}/film` } },
      { level: 'INFO', message: 'the source redirects', fields: { to: `${base}/signed.bin` } },
      { level: 'INFO', message: expect.stringContaining('is preparing the file'), fields: { afterMilliseconds: 1_000 } },
      { level: 'INFO', message: 'the source answered', fields: { status: 200, mediaType: 'text/plain', bytes: 4 } },
      { level: 'INFO', message: 'stored the file', fields: { filename: 'signed.bin', bytes: 4, sha256: sha256Of('film') } },
    ]);
    expect(JSON.stringify(lines)).not.toContain('s3cret');
  });

  test('nothing is left of a file that breaks off', async () => {
    const sourceUrl = await serve((_, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('half', () => response.destroy());
    });
    await expect(download(attempt({ sourceUrl }))).rejects.toMatchObject({ code: 'SOURCE_INCOMPLETE' });
    expect(await files()).toEqual([]);
  });

  test('on abort the connection is cut at once, the partial file is gone, and the handler rejects', async () => {
    const controller = new AbortController();
    const cut = Promise.withResolvers<void>();
    const sourceUrl = await serve((request, response) => {
      request.socket.on('close', () => cut.resolve());
      response.writeHead(200, { 'content-length': 100 });
      response.write('x'.repeat(50));
    });
    const cancelling = attempt({ sourceUrl }, {
      signal: controller.signal,
      onReport: ({ percentage }) => {
        if (percentage === 50) controller.abort(new Error('cancelled'));
      },
    });
    await expect(download(cancelling)).rejects.toThrow('cancelled');
    expect(await files()).toEqual([]);
    await cut.promise;
  });

  test('when the store cannot write, the connection is not left open', async () => {
    const cut = Promise.withResolvers<void>();
    const sourceUrl = await serve((request, response) => {
      request.socket.on('close', () => cut.resolve());
      response.write('endless');
    });
    const broken = { ...attempt({ sourceUrl }), artifacts: new ResultFiles(new DiskStore('/dev/null/artifacts')) };
    await expect(download(broken)).rejects.toMatchObject({ code: 'ENOTDIR' });
    await cut.promise;
  });
});

describe('fingerprint', () => {
  const png = Buffer.from('89504e470d0a1a0a0000000d4948445200000001000000010806000000', 'hex');

  test('the hash is that of the whole file, and nothing is kept', async () => {
    const content = Buffer.alloc(2_000_000, 'film');
    const { output, artifacts: made } = await fingerprint(attempt({ sourceUrl: await serveFile(content) }));
    expect(output).toEqual({ sha256: sha256Of(content), bytes: 2_000_000, mediaType: 'application/octet-stream' });
    expect(made).toBeUndefined();
    expect(await files()).toEqual([]);
  });

  test('the media type is that of the content, not the one declared', async () => {
    const { output } = await fingerprint(attempt({ sourceUrl: await serveFile(png, { 'content-type': 'text/html' }) }));
    expect(output).toMatchObject({ mediaType: 'image/png', sha256: sha256Of(png) });
  });

  test('the media type is seen although the first bytes come one by one', async () => {
    const slow = attempt({ sourceUrl: await serveFile(png) });
    const { request } = fetch;
    slow.fetch = {
      ...fetch,
      async request(url, options) {
        const response = await request(url, options);
        return { ...response, body: Readable.from(byteByByte(response.body)) };
      },
    };
    const { output } = await fingerprint(slow);
    expect(output).toMatchObject({ mediaType: 'image/png', bytes: png.byteLength, sha256: sha256Of(png) });
  });

  test('an empty file has a fingerprint', async () => {
    const { output } = await fingerprint(attempt({ sourceUrl: await serveFile('') }));
    expect(output).toEqual({ sha256: sha256Of(''), bytes: 0, mediaType: 'application/octet-stream' });
  });
});

describe.each(both)('%s: a source', (_, handler) => {
  test('that declares its length is reported once for each whole percent', async () => {
    const watched = attempt({ sourceUrl: await serveFile(Buffer.alloc(2_000_000)) });
    await handler(watched);
    expect(watched.reports.slice(0, 2)).toEqual([{ step: 'connecting' }, { step: 'downloading', percentage: 0 }]);
    const percentages = watched.reports.slice(2).map(({ percentage }) => percentage ?? -1);
    expect(percentages.at(-1)).toBe(100);
    expect(percentages).toEqual([...new Set(percentages)].toSorted((a, b) => a - b));
    expect(watched.reports.at(-1)?.message).toBe('2.0 MB of 2.0 MB');
  });

  test('of unknown length is reported in bytes, with no percentage', async () => {
    const sourceUrl = await serve((__, response) => {
      response.write(Buffer.alloc(1_000_000));
      response.end(Buffer.alloc(1_100_000));
    });
    const watched = attempt({ sourceUrl });
    await handler(watched);
    expect(watched.reports[1]).toEqual({ step: 'downloading', percentage: null });
    const received = watched.reports.slice(2);
    expect(received.map(({ percentage }) => percentage)).toEqual([null, null]);
    expect(received.at(-1)?.message).toMatch(/^2\.[01] MB$/);
  });

  test('is asked for the plain file', async () => {
    const asked: IncomingHttpHeaders[] = [];
    const sourceUrl = await serve((request, response) => {
      asked.push(request.headers);
      response.end();
    });
    await handler(attempt({ sourceUrl }));
    expect(asked).toEqual([expect.objectContaining({ 'accept-encoding': 'identity' })]);
  });

  test.each([
    [400, false],
    [404, false],
    [408, true],
    [425, true],
    [429, true],
    [500, true],
    [503, true],
    [304, false],
  ])('that answers %i fails the attempt; worth another one: %s', async (status, retryable) => {
    const sourceUrl = await serve((__, response) => response.writeHead(status).end());
    const error = await failureOf(handler(attempt({ sourceUrl })));
    expect(error).toMatchObject({ code: 'SOURCE_STATUS', retryable, message: expect.stringContaining(`status ${status}`) });
  });

  test('at a private address is refused for good', async () => {
    const { port } = new URL(await serveFile('internal'));
    const error = await failureOf(handler(attempt({ sourceUrl: `http://127.0.0.1:${port}/` })));
    expect(error).toMatchObject({ code: 'SOURCE_REFUSED', retryable: false });
  });

  test.each(['not a url', 'file:///etc/passwd', 'https://user:s3cret@files.example/', 5, null])('named %s is refused for good', async (sourceUrl) => {
    const error = await failureOf(handler(attempt({ sourceUrl })));
    expect(error).toMatchObject({ code: 'SOURCE_REFUSED', retryable: false });
    expect(error.message).not.toContain('s3cret');
  });

  test('that redirects in circles is refused for good', async () => {
    const sourceUrl = await serve((__, response) => response.writeHead(302, { location: '/again' }).end());
    expect(await failureOf(handler(attempt({ sourceUrl })))).toMatchObject({ code: 'SOURCE_UNREACHABLE', retryable: false });
  });

  test('that hangs up is worth another attempt', async () => {
    const sourceUrl = await serve((request) => request.socket.destroy());
    expect(await failureOf(handler(attempt({ sourceUrl })))).toMatchObject({ code: 'SOURCE_UNREACHABLE', retryable: true });
  });

  test('that falls silent within its body is worth another attempt', async () => {
    const sourceUrl = await serve((__, response) => response.write('half'));
    const impatient = attempt({ sourceUrl });
    const { request } = fetch;
    impatient.fetch = { ...fetch, request: (url, options) => request(url, { ...options, bodyTimeoutMs: 20 }) };
    expect(await failureOf(handler(impatient))).toMatchObject({ code: 'SOURCE_UNREACHABLE', retryable: true });
  });

  test('that declares too many bytes is refused before its body is read', async () => {
    const cut = Promise.withResolvers<void>();
    const sourceUrl = await serve((request, response) => {
      request.socket.on('close', () => cut.resolve());
      response.writeHead(200, { 'content-length': maxBytes + 1 }).flushHeaders();
    });
    expect(await failureOf(handler(attempt({ sourceUrl })))).toMatchObject({ code: 'SOURCE_TOO_LARGE', retryable: false });
    await cut.promise;
  });

  test('that sends too many bytes is cut off', async () => {
    const cut = Promise.withResolvers<void>();
    const sourceUrl = await serve((request, response) => {
      request.socket.on('close', () => cut.resolve());
      response.write(Buffer.alloc(maxBytes + 1));
    });
    expect(await failureOf(handler(attempt({ sourceUrl })))).toMatchObject({ code: 'SOURCE_TOO_LARGE', retryable: false });
    await cut.promise;
    expect(await files()).toEqual([]);
  });

  test('of exactly the largest size is taken', async () => {
    const { output } = await handler(attempt({ sourceUrl: await serveFile(Buffer.alloc(maxBytes)) }));
    expect(output).toMatchObject({ bytes: maxBytes });
  });

  test.each<[string, OutgoingHttpHeaders]>([
    ['its declared length', { 'content-length': 100 }],
    ['its last chunk', {}],
  ])('that ends before %s is incomplete and worth another attempt', async (__, headers) => {
    const sourceUrl = await serve((___, response) => {
      response.writeHead(200, headers);
      response.write('half', () => response.destroy());
    });
    expect(await failureOf(handler(attempt({ sourceUrl })))).toMatchObject({ code: 'SOURCE_INCOMPLETE', retryable: true });
  });

  test('that sends it compressed although asked not to is refused', async () => {
    const sourceUrl = await serveFile(gzipSync('film'), { 'content-encoding': 'gzip' });
    expect(await failureOf(handler(attempt({ sourceUrl })))).toMatchObject({ code: 'SOURCE_ENCODING', retryable: false });
  });

  test('is not even asked when the attempt is over already', async () => {
    let asked = false;
    const sourceUrl = await serve((__, response) => {
      asked = true;
      response.end();
    });
    await expect(handler(attempt({ sourceUrl }, { signal: AbortSignal.abort(new Error('cancelled')) }))).rejects.toThrow('cancelled');
    expect(asked).toBe(false);
  });

  test('that is being read is left at once on abort, with the reason of the abort', async () => {
    const controller = new AbortController();
    const cut = Promise.withResolvers<void>();
    const sourceUrl = await serve((request, response) => {
      request.socket.on('close', () => cut.resolve());
      response.write(Buffer.alloc(1_000_000));
    });
    const cancelling = attempt({ sourceUrl }, {
      signal: controller.signal,
      onReport: ({ message }) => {
        if (message === '1.0 MB') controller.abort(new Error('cancelled'));
      },
    });
    await expect(handler(cancelling)).rejects.toThrow('cancelled');
    await cut.promise;
  });
});

async function* byteByByte(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) for (const byte of chunk) yield Buffer.of(byte);
}
