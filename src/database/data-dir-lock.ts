import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/**
 * Takes DATA_DIR for this process. PGlite takes no lock of its own, and two processes on one folder lose rows silently.
 *
 * The lock is SQLite's: an exclusive transaction on an empty file, which the kernel drops with the process however it
 * dies. A file with a process id in it would outlive a kill -9 and mean nothing between containers.
 *
 * @throws Error with a readable reason while another process holds the folder.
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
