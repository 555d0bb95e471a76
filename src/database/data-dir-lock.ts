import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/**
 * Locks DATA_DIR for this process. PGlite does not lock it, and two processes on one folder silently lose rows.
 *
 * The lock is an exclusive SQLite transaction on an empty file. The kernel releases it when the process dies, however it
 * dies. A PID file would outlive a kill -9, and mean nothing between containers.
 *
 * @throws Error with a readable reason if another process holds the lock
 */
export function lockDataDir(dataDir: string): { release(): void } {
  const lock = new DatabaseSync(join(dataDir, 'lock'), { timeout: 0 });
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    throw new Error(
      `DATA_DIR ${dataDir} is in use by another Longhaul process. The embedded database serves one process: ` +
        'stop the other one, use another DATA_DIR, or set DATABASE_URL and REDIS_URL to run several.',
      { cause: error },
    );
  }
  return {
    release: () => {
      if (lock.isOpen) lock.close();
    },
  };
}
