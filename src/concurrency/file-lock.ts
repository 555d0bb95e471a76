import { DatabaseSync } from 'node:sqlite';

/**
 * Takes a lock that the kernel releases when the process dies, however it dies: an exclusive SQLite transaction on an empty file. A PID
 * file would outlive a kill -9, and mean nothing between containers.
 *
 * @param path of the file, made where there is none; its folder has to be there
 * @param patience milliseconds to wait for it, in which the process does nothing else
 * @returns null if another process holds it
 */
export function lockFile(path: string, patience = 0): { release(): void } | null {
  const lock = new DatabaseSync(path, { timeout: patience });
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if (isBusy(error)) return null;
    throw error;
  }
  return {
    release: () => {
      if (lock.isOpen) lock.close();
    },
  };
}

/** SQLITE_BUSY, and SQLITE_LOCKED for a lock of this very process. */
function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && (error.errcode === 5 || error.errcode === 6);
}
