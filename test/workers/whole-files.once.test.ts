import { mkdtemp, readdir, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ResultFiles } from '../../src/files/result-files.ts';
import { DiskStore } from '../../src/files/stores/disk/disk-store.ts';
import { parseOutboundAllow } from '../../src/outbound/addresses.ts';
import { createOutboundFetch, type OutboundFetch } from '../../src/outbound/fetch.ts';
import type { Handler } from '../../src/worker/handler.ts';
import { createDownloadHandler } from '../../src/worker/handlers/download.ts';
import { createFingerprintHandler } from '../../src/worker/handlers/fingerprint.ts';
import { type AttemptOptions, failureOf, makeAttempt } from '../support/attempt.ts';
import { openRawSource } from '../support/raw-source.ts';

const workspaceId = '0198c0de-0000-7000-8000-000000000001';
const handlers: [name: string, handler: Handler][] = [
  ['download', createDownloadHandler({ maxBytes: 1_000_000 })],
  ['fingerprint', createFingerprintHandler({ media: null, maxBytes: 1_000_000 })],
];

let folder: string;
let artifacts: ResultFiles;
let fetch: OutboundFetch;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-whole-files-'));
  artifacts = new ResultFiles(new DiskStore(folder));
  fetch = createOutboundFetch({ allow: parseOutboundAllow(['localhost']) });
});

afterEach(async () => {
  await fetch.close();
  expect(await partialFiles()).toEqual([]);
  await rm(folder, { recursive: true });
});

async function partialFiles(): Promise<string[]> {
  const names = await readdir(folder, { recursive: true });
  return names.filter((name) => name.endsWith('.part'));
}

/** Runs the handler against a source that answers with this text, as Latin-1, and then leaves. */
async function run(handler: Handler, answer: string, how: 'ends' | 'resets' | 'stays' = 'ends') {
  const sockets: Socket[] = [];
  const { origin } = await openRawSource((_path, socket) => {
    sockets.push(socket);
    socket.write(answer, 'latin1');
    if (how === 'ends') socket.end();
  });
  // A reset throws away what was not read yet: only when the headers have arrived.
  const onReport: AttemptOptions['onReport'] = ({ step }) => {
    if (step === 'downloading' && how === 'resets') for (const socket of sockets) socket.resetAndDestroy();
  };
  return handler(makeAttempt({ artifacts, fetch }, workspaceId, { sourceUrl: `${origin}/film.mp4` }, { onReport }));
}

const ok = 'HTTP/1.1 200 OK\r\n';
const go = 'HTTP/1.1 100 Continue\r\n\r\n';
const chunked = `${ok}Transfer-Encoding: chunked\r\n`;
const part = 'HTTP/1.1 206 Partial Content\r\n';

describe.each(handlers)('%s', (_name, handler) => {
  test.each([
    ['of an announced length', `${ok}Content-Length: 4\r\n\r\nfilm`, 'stays', 4],
    ['of an announced length that is nothing', `${ok}Content-Length: 0\r\n\r\n`, 'stays', 0],
    ['in chunks', `${chunked}\r\n4\r\nfilm\r\n0\r\n\r\n`, 'stays', 4],
    ['in chunks, with a trailer', `${chunked}\r\n4\r\nfilm\r\n0\r\nX-Checksum: 1\r\n\r\n`, 'stays', 4],
    ['until the connection ends', `${ok}\r\nfilm`, 'ends', 4],
    ['until the connection ends, as announced', `${ok}Connection: close\r\n\r\nfilm`, 'ends', 4],
    ['until the connection of HTTP/1.0 ends', 'HTTP/1.0 200 OK\r\n\r\nfilm', 'ends', 4],
    ['that is reset after its announced end', `${ok}Connection: close\r\nContent-Length: 4\r\n\r\nfilm`, 'resets', 4],
    ['after a 100 that nobody asked for', `${go}${ok}Content-Length: 4\r\n\r\nfilm`, 'stays', 4],
    ['after several, with headers', `${go}HTTP/1.1 100 Continue\r\nX-Hint: 1\r\n\r\n${ok}Content-Length: 4\r\n\r\nfilm`, 'stays', 4],
    ['after one until the connection ends', `${go}${ok}\r\nfilm`, 'ends', 4],
    ['after one in HTTP/1.0', `HTTP/1.0 100 Continue\r\n\r\n${ok}Content-Length: 4\r\n\r\nfilm`, 'stays', 4],
    ['after one between others', `HTTP/1.1 102 Processing\r\n\r\n${go}HTTP/1.1 103 Early Hints\r\n\r\n${go}${ok}Content-Length: 4\r\n\r\nfilm`, 'stays', 4],
    ['that begins like one', `${ok}Content-Length: ${go.length}\r\n\r\n${go}`, 'stays', go.length],
    ['after an informational answer', `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${ok}Content-Length: 4\r\n\r\nfilm`, 'stays', 4],
    ['as one range that is the whole', `${part}Content-Range: bytes 0-3/4\r\nContent-Length: 4\r\n\r\nfilm`, 'stays', 4],
    ['as one range that is the whole, in chunks', `${part}Content-Range: bytes 0-3/4\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfilm\r\n0\r\n\r\n`, 'stays', 4],
  ] as const)('a file that comes whole is taken: %s', async (_how, answer, how, bytes) => {
    expect(await run(handler, answer, how)).toMatchObject({ output: { bytes } });
  });

  test('an answer that comes byte by byte, after a 100, is taken whole', async () => {
    const answer = `${go}${ok}Content-Length: 4\r\n\r\nfilm`;
    const { origin } = await openRawSource(async (_path, socket) => {
      for (const byte of answer) await new Promise((written) => socket.write(byte, written));
    });
    const attempt = makeAttempt({ artifacts, fetch }, workspaceId, { sourceUrl: `${origin}/film.mp4` });
    expect(await handler(attempt)).toMatchObject({ output: { bytes: 4 } });
  });

  test.each([
    ['its announced length', `${ok}Content-Length: 10\r\n\r\nhalf`, 'ends'],
    ['its announced length, by a reset', `${ok}Content-Length: 10\r\n\r\nhalf`, 'resets'],
    ['its announced length, by a reset of a connection that was to close', `${ok}Connection: close\r\nContent-Length: 10\r\n\r\nhalf`, 'resets'],
    ['its announced length, in HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 10\r\n\r\nhalf', 'ends'],
    ['its last chunk', `${chunked}\r\n4\r\nhalf\r\n`, 'ends'],
    ['its last chunk, by a reset', `${chunked}\r\n4\r\nhalf\r\n`, 'resets'],
    ['its last chunk, on a connection that was to close', `${chunked}Connection: close\r\n\r\n4\r\nhalf\r\n`, 'ends'],
    ['its last chunk, by a reset of a connection that was to close', `${chunked}Connection: close\r\n\r\n4\r\nhalf\r\n`, 'resets'],
    ['the end of a chunk', `${chunked}Connection: close\r\n\r\n9\r\nhalf`, 'ends'],
    ['the line after its last chunk', `${chunked}\r\n4\r\nhalf\r\n0\r\n`, 'ends'],
    ['any length was announced, by a reset', `${ok}\r\nhalf`, 'resets'],
    ['any length was announced, by a reset of a connection that was to close', `${ok}Connection: close\r\n\r\nhalf`, 'resets'],
    ['any length was announced, by a reset of HTTP/1.0', 'HTTP/1.0 200 OK\r\n\r\nhalf', 'resets'],
    ['the end of a range that is the whole', `${part}Content-Range: bytes 0-9/10\r\nContent-Length: 10\r\n\r\nhalf`, 'ends'],
    ['its announced length, after a 100', `${go}${ok}Content-Length: 10\r\n\r\nhalf`, 'ends'],
    ['any length was announced, by a reset, after a 100', `${go}${ok}\r\nhalf`, 'resets'],
    ['the end of such a range, without a length', `${part}Content-Range: bytes 0-9/10\r\nConnection: close\r\n\r\nhalf`, 'ends'],
  ] as const)('a file that ends before %s is incomplete and worth another attempt', async (_what, answer, how) => {
    expect(await failureOf(run(handler, answer, how))).toMatchObject({ code: 'SOURCE_INCOMPLETE', retryable: true });
  });

  test.each([
    ['the first bytes', 'Content-Range: bytes 0-3/1000\r\n'],
    ['the last bytes', 'Content-Range: bytes 996-999/1000\r\n'],
    ['bytes of an unknown whole', 'Content-Range: bytes 0-3/*\r\n'],
    ['a range of nothing', 'Content-Range: bytes */4\r\n'],
    ['a range in another unit', 'Content-Range: items 0-3/4\r\n'],
    ['a range that its length contradicts', 'Content-Range: bytes 0-999/1000\r\n'],
    ['several ranges', 'Content-Type: multipart/byteranges; boundary=x\r\n'],
    ['a part that it does not name', ''],
  ])('a source that sends a part unasked is refused: %s', async (_what, headers) => {
    const failure = await failureOf(run(handler, `${part}${headers}Content-Length: 4\r\n\r\nfilm`));
    expect(failure).toMatchObject({ code: 'SOURCE_INCOMPLETE', message: expect.stringContaining('206') });
  });

  test.each([
    ['201 Created', false],
    ['203 Non-Authoritative Information', false],
    ['204 No Content', false],
    ['205 Reset Content', false],
    ['207 Multi-Status', false],
    ['226 IM Used', false],
    ['299 Whatever', false],
    ['300 Multiple Choices', false],
    ['302 Found', false],
    ['304 Not Modified', false],
    ['416 Range Not Satisfiable', false],
    ['503 Service Unavailable', true],
  ])('an answer of %s brings no file', async (status, retryable) => {
    const failure = await failureOf(run(handler, `HTTP/1.1 ${status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`));
    expect(failure).toMatchObject({ code: 'SOURCE_STATUS', retryable, message: expect.stringContaining(status.slice(0, 3)) });
  });

  test.each([
    ['Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nfilm'],
    ['Content-Encoding: identity\r\nContent-Encoding: br\r\nContent-Length: 4\r\n\r\nfilm'],
    ['Content-Encoding: GZIP\r\nConnection: close\r\n\r\nfi'],
    ['Transfer-Encoding: gzip, chunked\r\n\r\n4\r\nfilm\r\n0\r\n\r\n'],
    ['Transfer-Encoding: gzip\r\nConnection: close\r\n\r\nfilm'],
  ])('a file in an encoding that was not asked for is refused: %j', async (answer) => {
    expect(await failureOf(run(handler, ok + answer))).toMatchObject({ code: 'SOURCE_ENCODING', retryable: false });
  });

  test.each([
    ['a second', () => '1'],
    ['a date', () => new Date(Date.now() + 1_000).toUTCString()],
    ['no time at all', () => '0'],
  ])('a source that answers 202 is asked again when it says so: %s', async (_when, retryAfter) => {
    const { origin, asked } = await openRawSource((_path, socket) => {
      const wait = `HTTP/1.1 202 Accepted\r\nRetry-After: ${retryAfter()}\r\nContent-Length: 7\r\n\r\nwaiting`;
      socket.write(asked.length < 2 ? wait : `${ok}Content-Length: 4\r\n\r\nfilm`);
    });
    const attempt = makeAttempt({ artifacts, fetch }, workspaceId, { sourceUrl: `${origin}/film.mp4` });
    const before = performance.now();
    expect(await handler(attempt)).toMatchObject({ output: { bytes: 4 } });
    expect(asked).toHaveLength(2);
    // A second at the least, whatever the source says: it is not asked in a loop.
    expect(performance.now() - before).toBeGreaterThan(900);
    expect(attempt.reports).toContainEqual({ step: 'waiting', message: expect.stringContaining('localhost') });
  });

  test('a source that asks for more patience than an attempt has is left to the next attempt', async () => {
    const answer = 'HTTP/1.1 202 Accepted\r\nRetry-After: 3600\r\nContent-Length: 0\r\n\r\n';
    expect(await failureOf(run(handler, answer))).toMatchObject({ code: 'SOURCE_STATUS', retryable: true });
  });

  test('an attempt that is cancelled while its source prepares the file ends at once', async () => {
    const controller = new AbortController();
    const { origin } = await openRawSource((_path, socket) => {
      socket.write('HTTP/1.1 202 Accepted\r\nRetry-After: 30\r\nContent-Length: 0\r\n\r\n');
    });
    const attempt = makeAttempt({ artifacts, fetch }, workspaceId, { sourceUrl: `${origin}/film.mp4` }, {
      signal: controller.signal,
      onReport: ({ step }) => {
        if (step === 'waiting') controller.abort(new Error('cancelled'));
      },
    });
    await expect(handler(attempt)).rejects.toThrow('cancelled');
  });
});
