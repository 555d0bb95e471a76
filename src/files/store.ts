import { mkdir, opendir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { validate as isUuid } from 'uuid';

import { newId } from '../database/ids.ts';
import { bindVolume } from './volume.ts';
import { syncDirectory, writeSynced, type WriteOptions } from './writing.ts';

/** A result file that is whole and on the disk. */
export interface StoredFile {
  /** UUIDv7. */
  id: string;
  workspaceId: string;
  filename: string;
  mediaType: string;
  bytes: number;
  /** In lower-case hex. */
  sha256: string;
}

export interface SaveOptions extends WriteOptions {
  workspaceId: string;
  filename: string;
  mediaType: string;
}

const partialSuffix = '.part';

/** Result files on a volume that every process shares: `<dir>/<workspace id>/<artifact id>`. */
export class ArtifactStore {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /**
   * Makes sure, once at start, that the directory is writable and is the volume of this installation; see bindVolume.
   * Throws an Error that says what to change.
   */
  async bindToInstallation(installationId: string, options: { mayClaim: boolean }): Promise<void> {
    await bindVolume(this.#dir, installationId, options);
  }

  /**
   * Writes a file from a stream of bytes. It appears under its path only when it is whole and synced. On an error of the
   * source, on abort (which rejects with the signal's reason) and past `maxBytes` (ArtifactTooLargeError) nothing of it
   * is left by the time the promise rejects. Whoever does not keep the file in the end removes it.
   */
  async save(source: AsyncIterable<Uint8Array>, options: SaveOptions): Promise<StoredFile> {
    const { workspaceId, filename, mediaType, signal } = options;
    const id = newId();
    const path = this.path(workspaceId, id);
    signal.throwIfAborted();
    await mkdir(join(this.#dir, workspaceId), { recursive: true });
    try {
      const written = await writeSynced(path + partialSuffix, source, options);
      signal.throwIfAborted();
      await rename(path + partialSuffix, path);
      await syncDirectory(join(this.#dir, workspaceId));
      return { id, workspaceId, filename, mediaType, ...written };
    } catch (error) {
      await Promise.all([path + partialSuffix, path].map((file) => rm(file, { force: true })));
      throw error;
    }
  }

  /** Where a file is or would be. Throws a TypeError on what is no UUID, so that no id can lead out of the directory. */
  path(workspaceId: string, id: string): string {
    if (!isUuid(workspaceId) || !isUuid(id)) {
      throw new TypeError('An artifact is found by the UUIDs of its workspace and itself. Pass those.');
    }
    return join(this.#dir, workspaceId, id);
  }

  /** Removes a file; one that is gone already is no error. */
  async remove(workspaceId: string, id: string): Promise<void> {
    await rm(this.path(workspaceId, id), { force: true });
  }

  /**
   * Removes what a killed process left half-written: partial files that nobody wrote to for `olderThanMs`. Choose it far
   * above the longest silence of a source (60 s) and the difference between the machines' clocks. Returns how many went.
   */
  async removeStalePartials(olderThanMs: number): Promise<number> {
    const before = Date.now() - olderThanMs;
    let removed = 0;
    for await (const workspace of await opendir(this.#dir)) {
      if (!workspace.isDirectory()) continue;
      for await (const { parentPath, name } of await opendir(join(this.#dir, workspace.name))) {
        const path = join(parentPath, name);
        if (!name.endsWith(partialSuffix) || (await modifiedAt(path)) > before) continue;
        await rm(path, { force: true });
        removed++;
      }
    }
    return removed;
  }
}

/** In epoch milliseconds; Infinity for a file that was finished or swept by another process meanwhile. */
async function modifiedAt(path: string): Promise<number> {
  try {
    return (await stat(path)).mtimeMs;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return Infinity;
    throw error;
  }
}
