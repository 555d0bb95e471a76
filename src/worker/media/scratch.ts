import { mkdir, mkdtemp, readdir, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { validate as isUuid } from 'uuid';
import { lockFile } from '../../concurrency/file-lock.ts';
import { newId } from '../../database/ids.ts';
import type { Place } from '../../files/room.ts';
import { isNoRoom } from '../../files/stores/errors.ts';
import { ScratchFullError } from './scratch-full.ts';

/** How long a process waits for another one that starts at the same moment, in milliseconds. */
const patience = 5_000;

/**
 * Folders for work in progress: one for each attempt, removed after it, in a folder for each process, removed when it stops. What a
 * killed process has left is removed by the next one that starts: the kernel has let go of the lock that says that it is alive.
 */
export class Scratch implements Place {
  readonly #dir: string;
  readonly #own: string;
  #lock: { release(): void } | null = null;

  constructor(dir: string) {
    this.#dir = dir;
    this.#own = join(dir, newId());
  }

  /** @throws Error that says what to change */
  async start(): Promise<void> {
    try {
      await mkdir(this.#dir, { recursive: true, mode: 0o700 });
      // Between a folder and its lock nobody may look.
      const turn = lockFile(join(this.#dir, 'lock'), patience);
      if (turn === null) throw new Error('other processes are starting on it, and do not end');
      try {
        await mkdir(this.#own, { mode: 0o700 });
        this.#lock = lockFile(join(this.#own, 'lock'));
        await this.#sweep();
      } finally {
        turn.release();
      }
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`SCRATCH_DIR ${this.#dir} cannot be used (${reason}). Name a folder that this process may write to.`, { cause: error });
    }
  }

  /** May be called twice. */
  async stop(): Promise<void> {
    await rm(this.#own, { recursive: true, force: true });
    this.#lock?.release();
    this.#lock = null;
  }

  /** Works in a folder of its own, which is gone when this resolves or rejects. @throws ScratchFullError */
  async within<Made>(work: (folder: string) => Promise<Made>): Promise<Made> {
    try {
      const folder = await mkdtemp(join(this.#own, 'work-'));
      try {
        return await work(folder);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    } catch (error) {
      throw isNoRoom(error) ? new ScratchFullError(error) : error;
    }
  }

  get place(): string {
    return this.#dir;
  }

  async space(): Promise<{ freeBytes: number; bytes: number }> {
    const { bavail, blocks, bsize } = await statfs(this.#dir);
    return { freeBytes: bavail * bsize, bytes: blocks * bsize };
  }

  async #sweep(): Promise<void> {
    for (const name of await readdir(this.#dir)) {
      const folder = join(this.#dir, name);
      if (!isUuid(name) || folder === this.#own) continue;
      const lock = lockFile(join(folder, 'lock'));
      if (lock === null) continue;
      lock.release();
      await rm(folder, { recursive: true, force: true });
    }
  }
}
