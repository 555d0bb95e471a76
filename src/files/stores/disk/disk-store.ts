import { mkdir, open, opendir, rename, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { validate as isUuid } from 'uuid';
import { KeptLostError, isNoRoom, NoRoomError, systemCode } from '../errors.ts';
import { finished } from '../sha256.ts';
import { taken } from '../taken.ts';
import type { AppendOptions, FileId, Finished, Kept, Listed, OpenFile, Store } from '../store.ts';
import { cutOff, PartFile, syncDirectory } from './part-file.ts';
import { bindVolume } from './volume.ts';

/** A file that is not complete is `<id>.kept.part`. Processes of 0.2.0, which wrote `<id>.part`, sweep that name and not this one. */
const suffixes = { kept: '.kept.part', before: '.part' } as const;

/** How many files of a workspace `list` yields at a time. */
const listed = 1_000;

/** Files on a volume that all processes share: `<dir>/<workspace id>/<file id>`. */
export class DiskStore implements Store {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  get place(): string {
    return this.#dir;
  }

  async bindToInstallation(installationId: string, options: { mayClaim: boolean }): Promise<void> {
    await bindVolume(this.#dir, installationId, options);
  }

  async append(file: FileId, kept: Kept | null, source: AsyncIterable<Uint8Array>, options: AppendOptions): Promise<Kept> {
    const path = this.#partPath(file);
    try {
      await ensureFolder(this.#folder(file));
      const part = await PartFile.open(path, kept);
      try {
        return await write(part, source, options);
      } finally {
        await part.close();
      }
    } catch (error) {
      if (kept === null && (options.onKept === undefined || options.allOrNothing === true)) await rm(path, { force: true });
      throw isNoRoom(error) ? new NoRoomError(error) : error;
    }
  }

  async has(file: FileId, kept: Kept): Promise<boolean> {
    const found = await stat(this.#partPath(file)).catch(() => null);
    return found !== null && found.size >= kept.bytes;
  }

  async finish(file: FileId, kept: Kept): Promise<Finished> {
    const [path, part] = [this.path(file), this.#partPath(file)];
    try {
      await cutOff(part, kept);
      await rename(part, path);
      await syncDirectory(this.#folder(file));
    } catch (error) {
      const isThere = error instanceof KeptLostError && (await stat(path).catch(() => null))?.size === kept.bytes;
      if (!isThere) throw isNoRoom(error) ? new NoRoomError(error) : error;
    }
    return finished(kept);
  }

  /** Once it is open, it may be removed: that does no harm. */
  async open(file: FileId): Promise<OpenFile | null> {
    const handle = await open(this.path(file)).catch((error: unknown) => {
      if (systemCode(error) === 'ENOENT') return null;
      throw new Error(`The file ${file.id} cannot be read. Check ARTIFACTS_DIR.`, { cause: error });
    });
    if (handle === null) return null;
    const { size, mtime } = await handle.stat();
    return { bytes: size, modified: mtime, read: (range) => handle.createReadStream(range ?? {}), close: () => handle.close() };
  }

  async redirect(): Promise<null> {
    return null;
  }

  async remove(file: FileId): Promise<void> {
    const path = this.path(file);
    await Promise.all([path, path + suffixes.kept, path + suffixes.before].map((each) => rm(each, { force: true })));
  }

  async *list(): AsyncGenerator<Listed, void> {
    for await (const { name: workspaceId } of await opendir(this.#dir)) {
      if (!isUuid(workspaceId)) continue;
      let ids: string[] = [];
      for await (const { name } of await opendir(join(this.#dir, workspaceId))) {
        const suffix = Object.values(suffixes).find((each) => name.endsWith(each)) ?? '';
        const id = name.slice(0, name.length - suffix.length);
        if (isUuid(id)) ids.push(id);
        if (ids.length < listed) continue;
        yield { workspaceId, ids };
        ids = [];
      }
      if (ids.length > 0) yield { workspaceId, ids };
    }
  }

  async space(): Promise<{ freeBytes: number; bytes: number }> {
    const { bavail, blocks, bsize } = await statfs(this.#dir);
    return { freeBytes: bavail * bsize, bytes: blocks * bsize };
  }

  async close(): Promise<void> {}

  /** The path of a complete file. */
  path(file: FileId): string {
    return join(this.#folder(file), file.id);
  }

  #partPath(file: FileId): string {
    return this.path(file) + suffixes.kept;
  }

  #folder({ workspaceId, id }: FileId): string {
    if (!isUuid(workspaceId) || !isUuid(id)) {
      throw new TypeError('The path of a file needs the UUIDs of its workspace and of the file. Pass both.');
    }
    return join(this.#dir, workspaceId);
  }
}

async function write(part: PartFile, source: AsyncIterable<Uint8Array>, options: AppendOptions): Promise<Kept> {
  const { onBytes, onKept, allOrNothing = false } = options;
  const tells = onKept !== undefined && !allOrNothing;
  let isTelling = false;
  const tell = async () => {
    const kept = await part.keep();
    isTelling = true;
    await onKept?.(kept);
    isTelling = false;
    return kept;
  };
  try {
    for await (const chunk of taken(source, part.written, options)) {
      await part.write(chunk);
      onBytes?.(part.written);
      if (tells && part.isDue) await tell();
    }
    return await tell();
  } catch (error) {
    // What the disk says now does not hide why the writing failed, nor what nobody wants to know.
    if (tells && !isTelling) await tell().catch(() => {});
    throw error;
  }
}

/** Not `recursive`, which says ENOENT where the volume is read-only. */
async function ensureFolder(path: string): Promise<void> {
  await mkdir(path).catch((error: unknown) => {
    if (systemCode(error) !== 'EEXIST') throw error;
  });
}
