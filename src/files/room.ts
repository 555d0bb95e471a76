import { statfs } from 'node:fs/promises';
import { Loop } from '../concurrency/loop.ts';
import type { Log } from '../log.ts';

const lookMilliseconds = 2_000;

/** A refusal counts for this long at least: a quota may be full where the volume is not. */
const calmMilliseconds = 10_000;

const mebibyte = 1024 ** 2;

/** Below this a volume is full, and from `enough` on it is not any more: parts of it on a small one. Bytes. */
const scarce = { bytes: 16 * mebibyte, part: 0.02 };
const enough = { bytes: 64 * mebibyte, part: 0.05 };

/** A file could not be written, because its volume or its quota is full, or the volume only reads. */
export class NoRoomError extends Error {
  constructor(cause: unknown) {
    super('The volume of the result files is full or read-only.', { cause });
    this.name = 'NoRoomError';
  }
}

/** A file system that has found an error, or was mounted again, may be read-only from one moment to the next. */
const refusals = new Set(['ENOSPC', 'EDQUOT', 'EROFS']);

/** Whether an error of the file system says so. */
export function isNoRoom(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && refusals.has(error.code);
}

/** Knows whether there is room for more result files. It looks by itself, and is told when a write was refused. */
export class Room {
  readonly #dir: string;
  readonly #log: Log;
  readonly loop: Loop;
  #isFull = false;
  #freeBytes = Number.NaN;
  #refusedAt = -Infinity;
  #changing = new AbortController();

  constructor(dir: string, log: Log) {
    this.#dir = dir;
    this.#log = log;
    this.loop = new Loop({ name: 'looking for room for files', work: () => this.#look(), pollMilliseconds: lookMilliseconds, log });
  }

  start(): void {
    this.loop.start();
    this.loop.wake();
  }

  get isFull(): boolean {
    return this.#isFull;
  }

  /** NaN before the first look. */
  get freeBytes(): number {
    return this.#freeBytes;
  }

  /** Aborts when it becomes full, or has room again. */
  get changed(): AbortSignal {
    return this.#changing.signal;
  }

  /** A write was refused. */
  refused(): void {
    this.#refusedAt = performance.now();
    this.#become(true);
  }

  async #look(): Promise<void> {
    const { bavail, blocks, bsize } = await statfs(this.#dir);
    this.#freeBytes = bavail * bsize;
    const isBelow = ({ bytes, part }: typeof scarce) => this.#freeBytes < Math.min(bytes, part * blocks * bsize);
    if (isBelow(scarce)) this.#become(true);
    else if (!isBelow(enough) && performance.now() - this.#refusedAt > calmMilliseconds) this.#become(false);
  }

  #become(isFull: boolean): void {
    if (this.#isFull === isFull) return;
    this.#isFull = isFull;
    const fields = { dir: this.#dir, freeBytes: this.#freeBytes };
    if (isFull) this.#log.error(fields, 'the volume of the result files is full or read-only: no job that writes a file is begun here. Make room');
    else this.#log.info(fields, 'the volume of the result files takes files again');
    const changing = this.#changing;
    this.#changing = new AbortController();
    changing.abort();
  }
}
