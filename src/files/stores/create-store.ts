import { DiskStore } from './disk/disk-store.ts';
import type { S3Settings } from './s3/s3-settings.ts';
import { S3Store } from './s3/s3-store.ts';
import type { Store } from './store.ts';

/** Where an installation keeps its files: in the bucket, where one is configured. */
export function createStore({ bucket, artifactsDir }: { bucket: S3Settings | null; artifactsDir: string }): Store {
  return bucket === null ? new DiskStore(artifactsDir) : new S3Store(bucket);
}
