import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { ResultFiles } from '../../src/files/result-files.ts';
import { DiskStore } from '../../src/files/stores/disk/disk-store.ts';
import type { JsonValue } from '../../src/json.ts';
import { parseOutboundAllow } from '../../src/outbound/addresses.ts';
import { createOutboundFetch, type OutboundFetch } from '../../src/outbound/fetch.ts';
import { JobOver } from '../../src/worker/handler.ts';
import { createDownloadHandler } from '../../src/worker/handlers/download.ts';
import { type AttemptOptions, failureOf, makeAttempt } from '../support/attempt.ts';
import { eventually } from '../support/eventually.ts';
import { startS3rver, storeOf } from '../support/s3-servers.ts';
import { contentOf } from '../support/stores.ts';
import { openRangeSource, type RangeSource, type SourceFile } from '../support/range-source.ts';

const workspaceId = '0198c0de-0000-7000-8000-000000000001';
const content: Buffer = randomBytes(300_000);
const another: Buffer = randomBytes(300_000);
const maxBytes = 400_000;
const download = createDownloadHandler({ maxBytes });
const tagged = { content, headers: { etag: '"first"' } };

let folder: string;
let store: DiskStore;
let artifacts: ResultFiles;
let fetch: OutboundFetch;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-resumed-'));
  store = new DiskStore(folder);
  artifacts = new ResultFiles(store);
  fetch = createOutboundFetch({ allow: parseOutboundAllow(['localhost']) });
});
afterEach(async () => {
  await fetch.close();
  await rm(folder, { recursive: true });
});

function attemptAt({ url }: RangeSource, options: AttemptOptions = {}) {
  return makeAttempt({ artifacts, fetch }, workspaceId, { sourceUrl: url }, options);
}

/** An attempt whose source breaks off when so many whole percents of the file are there, and what it leaves. */
async function brokenOff(source: RangeSource, percent: number, checkpoint: JsonValue = null): Promise<JsonValue> {
  const { file } = source;
  const from = Number(Object(checkpoint).kept?.bytes ?? 0);
  source.file = { ...file, stopsAfter: (percent * file.content.length) / 100 - from };
  const attempt = attemptAt(source, { checkpoint, onReport: ({ percentage }) => percentage === percent && source.breakOff() });
  expect(await failureOf(download(attempt))).toMatchObject({ code: 'SOURCE_INCOMPLETE', retryable: true });
  source.file = file;
  return attempt.kept.at(-1) ?? null;
}

/** The next attempt, which ends well with this file. */
async function completed(source: RangeSource, checkpoint: JsonValue, expected: Buffer = content) {
  const attempt = attemptAt(source, { checkpoint });
  const { output, artifacts: [made] = [] } = await download(attempt);
  const sha256 = createHash('sha256').update(expected).digest('hex');
  expect(output).toMatchObject({ filename: 'holiday.mp4', mediaType: 'video/mp4', bytes: expected.length, sha256 });
  expect(await readFile(store.path({ workspaceId, id: made?.file.id ?? '' }))).toEqual(expected);
  expect(await files()).toEqual([made?.file.id]);
  return attempt;
}

async function files(): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

async function partPath(): Promise<string> {
  const [part = ''] = (await files()).filter((name) => name.endsWith('.part'));
  return join(folder, workspaceId, part);
}

test('an attempt asks for the rest alone, however often it breaks off, and shows where it goes on', async () => {
  const source = await openRangeSource(tagged);
  const first = await brokenOff(source, 30);
  const second = await brokenOff(source, 50, first);
  const { reports } = await completed(source, second);
  expect(source.asked).toEqual([
    { range: undefined, ifRange: undefined },
    { range: 'bytes=90000-', ifRange: '"first"' },
    { range: 'bytes=150000-', ifRange: '"first"' },
  ]);
  expect(reports.find(({ percentage }) => percentage != null)).toMatchObject({ percentage: 50 });
});

test('a date tells, too, unless the file may have changed again since', async () => {
  const date = 'Wed, 01 Jan 2025 00:00:10 GMT';
  const source = await openRangeSource({ content, headers: { 'last-modified': 'Wed, 01 Jan 2025 00:00:09 GMT', date } });
  await completed(source, await brokenOff(source, 30));
  expect(source.asked.at(-1)).toEqual({ range: 'bytes=90000-', ifRange: 'Wed, 01 Jan 2025 00:00:09 GMT' });

  source.file.headers = { 'last-modified': date, date };
  expect(await brokenOff(source, 30)).toBeNull();
});

test('what is all there is asked for its last byte', async () => {
  const source = await openRangeSource(tagged);
  // It stops when all has come, and nothing says yet that this is the end.
  const stopping = new AbortController();
  source.file = { ...tagged, stopsAfter: content.length, quirk: 'says no length' };
  const attempt = attemptAt(source, { signal: stopping.signal });
  const stopped = expect(download(attempt)).rejects.toThrow('the process stops');
  await eventually(async () => expect((await stat(await partPath())).size).toBe(content.length));
  stopping.abort(new Error('the process stops'));
  await stopped;
  source.file = tagged;
  await completed(source, { ...Object(attempt.kept.at(-1)), total: content.length });
  expect(source.asked.at(-1)?.range).toBe('bytes=299999-');
});

test('a bucket keeps it, too; and where the bucket has dropped it, the attempt begins anew', async () => {
  const server = await startS3rver();
  const bucket = storeOf(server, { partBytes: 100_000 });
  onTestFinished(async () => {
    await bucket.close();
    await server.close();
  });
  artifacts = new ResultFiles(bucket);
  const source = await openRangeSource(tagged);
  const left = await brokenOff(source, 50);
  const { artifacts: [made] = [] } = await download(attemptAt(source, { checkpoint: left }));
  expect(source.asked.at(-1)?.range).toBe('bytes=150000-');
  expect(await contentOf(bucket, { workspaceId, id: made?.file.id ?? '' })).toEqual(content);

  const second = await brokenOff(source, 50);
  await artifacts.remove({ workspaceId, id: String(Object(second).file) });
  const { artifacts: [again] = [] } = await download(attemptAt(source, { checkpoint: second }));
  expect(source.asked.at(-1)?.range).toBeUndefined();
  expect(await contentOf(bucket, { workspaceId, id: again?.file.id ?? '' })).toEqual(content);
});

describe('an attempt begins anew', () => {
  test.each<[string, Partial<SourceFile>]>([
    ['if the file is another one', { content: another, headers: { etag: '"second"' } }],
    ['if the source sends no ranges', { quirk: 'ignores Range' }],
    ['if it says that there is no such range', { content: another, quirk: 'answers 416' }],
    ['if it sends another range', { quirk: 'sends another range' }],
    ['if it sends the rest of another file', { content: another, headers: { etag: '"second"' }, quirk: 'ignores If-Range' }],
    ['if it sends the rest of a shorter file', { content: content.subarray(0, 200_000), quirk: 'ignores If-Range' }],
  ])('%s', async (_why, change) => {
    const source = await openRangeSource(tagged);
    const left = await brokenOff(source, 30);
    source.file = { ...tagged, ...change };
    await completed(source, left, change.content);
  });

  test('if the part is gone, or the disk has less of it than was said', async () => {
    const source = await openRangeSource(tagged);
    const short = await brokenOff(source, 30);
    await truncate(await partPath(), 89_999);
    await download(attemptAt(source, { checkpoint: short }));
    expect(source.asked.at(-1)?.range).toBeUndefined();
    await rm(folder, { recursive: true });
    await mkdir(folder);

    const gone = await brokenOff(source, 30);
    await rm(await partPath());
    await completed(source, gone);
    expect(source.asked.at(-1)?.range).toBeUndefined();
  });

  const foreign = { kept: { bytes: 1, sha256: '', state: null }, total: null, validator: '"x"', filename: 'f', mediaType: 'm' };
  test.each<JsonValue>([1, 'text', [], { ...foreign, file: '../../escape' }, { ...foreign, file: '0198c0de-0000-7000-8000-000000000009' }])(
    'with a checkpoint that is no download’s: %j',
    async (checkpoint) => {
      const source = await openRangeSource(tagged);
      await completed(source, checkpoint);
      expect(source.asked).toEqual([{ range: undefined, ifRange: undefined }]);
    },
  );
});

describe('nothing is kept', () => {
  test.each([
    ['without a validator', {}],
    ['with a weak one', { etag: 'W/"first"' }],
    ['where ranges are refused', { etag: '"first"', 'accept-ranges': 'none' }],
  ])('%s', async (_why, headers) => {
    const source = await openRangeSource({ content, headers });
    expect(await brokenOff(source, 30)).toBeNull();
    expect(await files()).toEqual([]);
  });

  test.each([[new JobOver('CANCELLED'), 0], [new Error('the process stops'), 1]])('after "%s": %i files', async (reason, count) => {
    const source = await openRangeSource({ ...tagged, stopsAfter: 90_000 });
    const stopping = new AbortController();
    const attempt = attemptAt(source, {
      signal: stopping.signal,
      onReport: ({ percentage }) => percentage != null && percentage > 0 && stopping.abort(reason),
    });
    await expect(download(attempt)).rejects.toBe(reason);
    expect(await files()).toHaveLength(count);
  });

  test('of a file that turns out too large', async () => {
    const source = await openRangeSource({ content: randomBytes(maxBytes + 1), headers: { etag: '"first"' }, quirk: 'says no length' });
    expect(await failureOf(download(attemptAt(source)))).toMatchObject({ code: 'SOURCE_TOO_LARGE' });
    expect(await files()).toEqual([]);
  });
});
