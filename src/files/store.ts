import { mkdir, opendir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { validate as isUuid } from 'uuid';

import { newId } from '../database/ids.ts';
import { isNoRoom, NoRoomError } from './room.ts';
import { bindVolume } from './volume.ts';
import { syncDirectory, writeSynced, type WriteOptions } from './writing.ts';

/** A result file that is complete and synced to disk. */
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

/** How many files of a workspace `list` yields at a time. */
const listed = 1_000;

/** Result files on a volume shared by all processes: `<dir>/<workspace id>/<artifact id>`. */
export class ArtifactStore {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /**
   * Verifies at startup that the directory is writable and is the volume of this installation; see bindVolume.
   *
   * @throws Error that says what to change.
   */
  async bindToInstallation(installationId: string, options: { mayClaim: boolean }): Promise<void> {
    await bindVolume(this.#dir, installationId, options);
  }

  /**
   * Writes a file from a byte stream. It appears under its path only when it is complete and synced. If the source
   * fails, the signal aborts (rejects with its reason), the stream exceeds `maxBytes` (ArtifactTooLargeError) or the volume
   * is full or read-only (NoRoomError), the file is removed before the promise rejects. OrphanedFiles removes files that no job references in the end.
   */
  async save(source: AsyncIterable<Uint8Array>, options: SaveOptions): Promise<StoredFile> {
    const { workspaceId, filename, mediaType, signal } = options;
    const id = newId();
    const path = this.path(workspaceId, id);
    signal.throwIfAborted();
    try {
      await ensureFolder(join(this.#dir, workspaceId));
      const written = await writeSynced(path + partialSuffix, source, options);
      signal.throwIfAborted();
      await rename(path + partialSuffix, path);
      await syncDirectory(join(this.#dir, workspaceId));
      return { id, workspaceId, filename, mediaType, ...written };
    } catch (error) {
      await Promise.all([path + partialSuffix, path].map((file) => rm(file, { force: true })));
      throw isNoRoom(error) ? new NoRoomError(error) : error;
    }
  }

  /** The path of a file. Throws a TypeError if an id is not a UUID, so that no id can escape the directory. */
  path(workspaceId: string, id: string): string {
    if (!isUuid(workspaceId) || !isUuid(id)) {
      throw new TypeError('The path of an artifact needs the UUIDs of its workspace and of the artifact. Pass both.');
    }
    return join(this.#dir, workspaceId, id);
  }

  /** Removes a file, complete or partial. A missing file is not an error. */
  async remove(workspaceId: string, id: string): Promise<void> {
    const path = this.path(workspaceId, id);
    await Promise.all([path, path + partialSuffix].map((file) => rm(file, { force: true })));
  }

  /**
   * Lists the ids of all files, complete and partial, in batches per workspace. Names that are not UUIDs are not ours.
   */
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

/** Not `recursive`, which says ENOENT where the volume is read-only. */
async function ensureFolder(path: string): Promise<void> {
  await mkdir(path).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  });
}
