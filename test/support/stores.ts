import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DiskStore } from '../../src/files/stores/disk/disk-store.ts';
import { S3Client } from '../../src/files/stores/s3/s3-client.ts';
import { elementsOf, textOf } from '../../src/files/stores/s3/xml.ts';
import type { FileId, Store } from '../../src/files/stores/store.ts';
import { type S3Server, startFauxqsServer, startS3rver, storeOf } from './s3-servers.ts';

/** Some place for files, as several processes see it. */
export interface StoreUnderTest {
  store: Store;
  /** Another process's. */
  another: Store;
  /** Sizes about which it may treat files differently. */
  partBytes: number;
  /** The names of all that is in it, below the place of the store. */
  names(): Promise<string[]>;
  close(): Promise<void>;
}

export const storeKinds: [name: string, open: () => Promise<StoreUnderTest>][] = [
  ['a disk', openDisk],
  ['s3rver', async () => openBucket(await startS3rver())],
  ['fauxqs', async () => openBucket(await startFauxqsServer())],
];

async function openDisk(): Promise<StoreUnderTest> {
  const dir = await mkdtemp(join(tmpdir(), 'longhaul-store-'));
  return {
    store: new DiskStore(dir),
    another: new DiskStore(dir),
    partBytes: 1024 ** 2,
    async names() {
      const entries = await readdir(dir, { recursive: true, withFileTypes: true });
      return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => `${parentPath}/${name}`.slice(dir.length + 1));
    },
    close: () => rm(dir, { recursive: true }),
  };
}

async function openBucket(server: S3Server): Promise<StoreUnderTest> {
  const [store, another, client] = [storeOf(server), storeOf(server), new S3Client(server.settings)];
  const { prefix, partBytes } = server.settings;
  return {
    store,
    another,
    partBytes,
    async names() {
      const { body } = await client.call({ method: 'GET', key: '', query: { 'list-type': '2', prefix } }, AbortSignal.timeout(5_000));
      return elementsOf(body, 'Contents').map((content) => (textOf(content, 'Key') ?? '').slice(prefix.length));
    },
    async close() {
      await Promise.all([store.close(), another.close(), client.close()]);
      await server.close();
    },
  };
}

/** All of a file; null if there is none. */
export async function contentOf(store: Store, file: FileId, range?: { start: number; end: number }): Promise<Buffer | null> {
  const opened = await store.open(file);
  if (opened === null) return null;
  const chunks: Buffer[] = [];
  for await (const chunk of opened.read(range)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

