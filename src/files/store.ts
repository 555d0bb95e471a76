import { mkdir, opendir, rename, rm } from 'node:fs/promises';
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

/** How many files of a workspace are listed at a time. */
const listed = 1_000;

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
   * is left by the time the promise rejects. A file that no job names in the end is removed by OrphanedFiles.
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

  /** Removes a file, whole or half-written; one that is gone already is no error. */
  async remove(workspaceId: string, id: string): Promise<void> {
    const path = this.path(workspaceId, id);
    await Promise.all([path, path + partialSuffix].map((file) => rm(file, { force: true })));
  }

  /** The ids of all files, whole and half-written, some of one workspace at a time. What is no UUID is not ours. */
  async *list(): AsyncGenerator<{ workspaceId: string; ids: string[] }, void> {
    for await (const { name: workspaceId } of await opendir(this.#dir)) {
      if (!isUuid(workspaceId)) continue;
      let ids: string[] = [];
      for await (const { name } of await opendir(join(this.#dir, workspaceId))) {
        const id = name.endsWith(partialSuffix) ? name.slice(0, -partialSuffix.length) : name;
        if (isUuid(id)) ids.push(id);
        if (ids.length < listed) continue;
        yield { workspaceId, ids };
        ids = [];
      }
      if (ids.length > 0) yield { workspaceId, ids };
    }
  }
}
