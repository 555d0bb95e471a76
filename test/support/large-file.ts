import { S3Store } from '../../src/files/stores/s3/s3-store.ts';
import type { S3Settings } from '../../src/files/stores/s3/s3-settings.ts';
import { DiskStore } from '../../src/files/stores/disk/disk-store.ts';
import type { FileId, Store } from '../../src/files/stores/store.ts';
import { v7 as uuid } from 'uuid';

/*
 * A process of its own, whose memory is measured: writes a large file and reads it. Each block of a mebibyte has its number in front, and
 * is nothing else. Run with what to do, as JSON; prints what came of it, as JSON.
 */

export interface LargeFile {
  place: { dir: string } | { bucket: S3Settings };
  file: FileId;
  mebibytes: number;
}

export interface LargeFileResult {
  bytes: number;
  sha256: string;
  read: number;
  /** The most memory of the process, in MiB: with a file of a tenth, written and read, and with the whole one after it. */
  early: number;
  most: number;
  seconds: number;
}

const mebibyte = 1024 ** 2;

export function* blocks(count: number): Generator<Buffer> {
  for (let n = 0; n < count; n += 1) {
    const block = Buffer.alloc(mebibyte);
    block.writeUInt32BE(n);
    yield block;
  }
}

async function run({ place, file, mebibytes }: LargeFile): Promise<LargeFileResult> {
  const store = 'dir' in place ? new DiskStore(place.dir) : new S3Store(place.bucket);
  const small = { ...file, id: uuid() };
  await writeAndRead(store, small, Math.ceil(mebibytes / 10));
  await store.remove(small, null);
  const early = mostMebibytes();
  const began = performance.now();
  const done = await writeAndRead(store, file, mebibytes);
  const seconds = (performance.now() - began) / 1_000;
  await store.close();
  return { ...done, early, most: mostMebibytes(), seconds };
}

async function writeAndRead(store: Store, file: FileId, mebibytes: number): Promise<Pick<LargeFileResult, 'bytes' | 'sha256' | 'read'>> {
  async function* source() {
    // One buffer for all blocks: what is measured is the store's memory, not what waits to be collected.
    const block = Buffer.alloc(mebibyte);
    for (let n = 0; n < mebibytes; n += 1) {
      block.writeUInt32BE(n);
      yield block;
    }
  }
  const options = { signal: new AbortController().signal, maxBytes: mebibytes * mebibyte, onKept: () => {} };
  const done = await store.finish(file, await store.append(file, null, source(), options));
  let read = 0;
  for await (const chunk of (await store.open(file))?.read() ?? []) read += chunk.length;
  return { ...done, read };
}

function mostMebibytes(): number {
  return process.resourceUsage().maxRSS / 1024;
}

const [, , task] = process.argv;
if (import.meta.main && task !== undefined) process.stdout.write(JSON.stringify(await run(JSON.parse(task))));
