import { join } from 'node:path';
import { lockFile } from '../concurrency/file-lock.ts';

/**
 * Locks DATA_DIR for this process. PGlite does not lock it, and two processes on one folder silently lose rows.
 *
 * @throws Error with a readable reason if another process holds the lock
 */
export function lockDataDir(dataDir: string): { release(): void } {
  const lock = lockFile(join(dataDir, 'lock'));
  if (lock !== null) return lock;
  throw new Error(
    `DATA_DIR ${dataDir} is in use by another Longhaul process. The embedded database serves one process: ` +
      'stop the other one, use another DATA_DIR, or set DATABASE_URL and REDIS_URL to run several.',
  );
}
