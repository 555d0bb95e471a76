import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import S3rver from '@20minutes/s3rver';
import { startFauxqs } from 'fauxqs';
import { S3Store } from '../../src/files/stores/s3/s3-store.ts';
import type { S3Settings } from '../../src/files/stores/s3/s3-settings.ts';

/** An S3-compatible server with an empty bucket. */
export interface S3Server {
  /** How a store reaches it, below a prefix. */
  settings: S3Settings;
  close(): Promise<void>;
}

const mebibyte = 1024 ** 2;
const bucket = 'files';
const common = { bucket, prefix: 'some where/', region: 'us-east-1', pathStyle: true, sessionToken: null, redirects: false };

/** Checks signatures. Of multipart uploads it knows no abort and no minimum. */
export async function startS3rver(): Promise<S3Server> {
  const directory = await mkdtemp(join(tmpdir(), 'longhaul-s3rver-'));
  const server = new S3rver({ port: 0, address: '127.0.0.1', silent: true, directory, vhostBuckets: false, configureBuckets: [{ name: bucket }] });
  const { port } = await server.run();
  return {
    settings: { ...common, endpoint: `http://127.0.0.1:${port}`, accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER', partBytes: mebibyte },
    async close() {
      server.httpServer.closeAllConnections();
      server.httpServer.close();
      await once(server.httpServer, 'close');
      await rm(directory, { recursive: true });
    },
  };
}

/** Checks no signature. Its parts have at least 5 MiB, as Amazon's. */
export async function startFauxqsServer(): Promise<S3Server> {
  const server = await startFauxqs({ port: 0, host: '127.0.0.1', logger: false });
  server.createBucket(bucket);
  return {
    settings: { ...common, endpoint: `http://127.0.0.1:${server.port}`, accessKeyId: 'any', secretAccessKey: 'any', partBytes: 5 * mebibyte },
    close: () => server.stop(),
  };
}

export function storeOf({ settings }: S3Server, changes: Partial<S3Settings> = {}): S3Store {
  return new S3Store({ ...settings, ...changes });
}
