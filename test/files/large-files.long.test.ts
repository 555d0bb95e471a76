import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { v7 as uuid } from 'uuid';
import { expect, onTestFinished, test } from 'vitest';
import { StoreUnavailableError } from '../../src/files/stores/errors.ts';
import { S3Store } from '../../src/files/stores/s3/s3-store.ts';
import type { S3Settings } from '../../src/files/stores/s3/s3-settings.ts';
import type { Kept } from '../../src/files/stores/store.ts';
import { blocks, type LargeFile, type LargeFileResult } from '../support/large-file.ts';
import { openS3Proxy } from '../support/s3-proxy.ts';
import { startFauxqsServer } from '../support/s3-servers.ts';
import { openS3Sink } from '../support/s3-sink.ts';
import { contentOf } from '../support/stores.ts';

const mebibytes = 5 * 1024;
const bytes = mebibytes * 1024 ** 2;
const script = fileURLToPath(new URL('../support/large-file.ts', import.meta.url));

async function writeLarge(place: LargeFile['place']): Promise<LargeFileResult> {
  const task: LargeFile = { place, file: { workspaceId: uuid(), id: uuid() }, mebibytes };
  // A young generation of a megabyte: what is measured is what the store holds, not what the collector lets lie for 64 MiB or more.
  const { stdout } = await promisify(execFile)(process.execPath, ['--max-semi-space-size=1', script, JSON.stringify(task)]);
  const result: LargeFileResult = JSON.parse(stdout);
  process.stdout.write(`  ${JSON.stringify(result)}\n`);
  return result;
}

/** The most that a process takes which writes and reads, and what it takes more at the end than at the beginning. */
function expectConstantMemory({ early, most }: LargeFileResult): void {
  expect(most).toBeLessThan(200);
  expect(most - early).toBeLessThan(64);
}

test('5 GiB into a bucket and out of it, with parts refused and cut, in the memory of two parts', async () => {
  const sink = await openS3Sink();
  const bucket: S3Settings = {
    bucket: 'files', prefix: '', endpoint: sink.url, region: 'auto', pathStyle: true, accessKeyId: 'any', secretAccessKey: 'any', sessionToken: null,
    partBytes: 8 * 1024 ** 2, redirects: false,
  };
  const result = await writeLarge({ bucket });
  // 640 parts: each fiftieth was in trouble.
  expect(sink.troubles).toBe(12);
  expect(result).toMatchObject({ bytes, read: bytes, sha256: sink.sha256() });
  expectConstantMemory(result);
}, 1_200_000);

test('5 GiB onto a disk and off it, in constant memory', async ({ skip }) => {
  const dir = await mkdtemp(join(tmpdir(), 'longhaul-large-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  const { bavail, bsize } = await statfs(dir);
  skip(bavail * bsize < 2 * bytes, 'There is no room for 5 GiB here.');
  const result = await writeLarge({ dir });
  const hash = createHash('sha256');
  for (const block of blocks(mebibytes)) hash.update(block);
  expect(result).toMatchObject({ bytes, read: bytes, sha256: hash.digest('hex') });
  expectConstantMemory(result);
}, 1_200_000);

test('a bucket that does not answer for long is given up, what came before stays, and another process goes on with it', async () => {
  const server = await startFauxqsServer();
  onTestFinished(() => server.close());
  const { partBytes, endpoint } = server.settings;
  const proxy = await openS3Proxy(endpoint ?? '', (what) => (what === 'part 3' ? { status: 503, code: 'ServiceUnavailable' } : 'passes'));
  const [store, another] = [new S3Store({ ...server.settings, endpoint: proxy.url }), new S3Store(server.settings)];
  onTestFinished(async () => void (await Promise.all([store.close(), another.close()])));
  const file = { workspaceId: uuid(), id: uuid() };
  const content = Buffer.concat([...blocks((4 * partBytes) / 1024 ** 2)]);
  const options = { signal: new AbortController().signal, maxBytes: content.length };
  async function* from(at: number) {
    yield content.subarray(at);
  }
  const told: Kept[] = [];
  await expect(store.append(file, null, from(0), { ...options, onKept: (kept) => void told.push(kept) })).rejects.toThrow(StoreUnavailableError);
  const kept = told.at(-1);
  expect(kept).toMatchObject({ bytes: 2 * partBytes });
  if (kept === undefined) return;
  await another.finish(file, await another.append(file, kept, from(kept.bytes), { ...options, onKept: () => {} }));
  expect((await contentOf(another, file))?.equals(content)).toBe(true);
}, 120_000);
