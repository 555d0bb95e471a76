import { type FileHandle, open, rm } from 'node:fs/promises';
import { KeptLostError, systemCode } from '../errors.ts';
import { Sha256 } from '../sha256.ts';
import type { Kept } from '../store.ts';

/** How often it is synced, where somebody wants to know what is kept. */
const syncMilliseconds = 2_000;

/** The file of what is not complete yet, open for writing. */
export class PartFile {
  readonly #file: FileHandle;
  readonly #hash: Sha256;
  #written: number;
  #kept: Kept;
  #keptAt = performance.now();

  private constructor(file: FileHandle, hash: Sha256, kept: Kept) {
    this.#file = file;
    this.#hash = hash;
    this.#kept = kept;
    this.#written = kept.bytes;
  }

  /** Begins a file, or goes on after what was kept. */
  static async open(path: string, kept: Kept | null): Promise<PartFile> {
    const hash = await Sha256.from(kept?.sha256 ?? null);
    if (kept === null) {
      // Another file than the one that a late writer may still have open.
      await rm(path, { force: true });
      return new PartFile(await open(path, 'wx'), hash, { bytes: 0, sha256: hash.state, state: null });
    }
    const file = await open(path, 'r+').catch(lostWhereMissing);
    try {
      if ((await file.stat()).size < kept.bytes) throw new KeptLostError();
      return new PartFile(file, hash, kept);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  get written(): number {
    return this.#written;
  }

  /** At this file's own offset: a late writer changes nothing of what comes after it. */
  async write(chunk: Uint8Array): Promise<void> {
    for (let done = 0; done < chunk.byteLength; ) {
      done += (await this.#file.write(chunk, done, chunk.byteLength - done, this.#written + done)).bytesWritten;
    }
    this.#hash.update(chunk);
    this.#written += chunk.byteLength;
  }

  get isDue(): boolean {
    return this.#written > this.#kept.bytes && performance.now() - this.#keptAt >= syncMilliseconds;
  }

  /** Makes all that was written durable. */
  async keep(): Promise<Kept> {
    await this.#file.sync();
    this.#keptAt = performance.now();
    this.#kept = { bytes: this.#written, sha256: this.#hash.state, state: null };
    return this.#kept;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

/** Cuts off what is beyond what was kept, so that the file is that and nothing else. */
export async function cutOff(path: string, { bytes }: Kept): Promise<void> {
  const file = await open(path, 'r+').catch(lostWhereMissing);
  try {
    const { size } = await file.stat();
    if (size < bytes) throw new KeptLostError();
    if (size === bytes) return;
    await file.truncate(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Syncs a directory. Without it, a power cut could undo a rename that was already reported. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

function lostWhereMissing(error: unknown): never {
  throw systemCode(error) === 'ENOENT' ? new KeptLostError(error) : error;
}
