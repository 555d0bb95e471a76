import { createWriteStream, openAsBlob } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { NotFoundError } from '@longhaul/client';
import { Fatal, type Run } from '@longhaul/client/worker';
import { safeFileName } from '../file-name.ts';
import { mediaTypeOf } from '../media-type.ts';

/** As many as a job may have. */
const mostFiles = 100;

/** Where a program finds the files of its input, and leaves those of its result. */
export class AttemptFolder {
  readonly #path: string;
  /** With the files of the input, each in a folder of its own. */
  readonly files: string;
  /** What stands here when the program is done becomes the job's. */
  readonly output: string;
  /** For what it needs meanwhile. */
  readonly temporary: string;

  private constructor(path: string) {
    this.#path = path;
    this.files = join(path, 'files');
    this.output = join(path, 'output');
    this.temporary = join(path, 'tmp');
  }

  static async make(): Promise<AttemptFolder> {
    const folder = new AttemptFolder(await mkdtemp(join(tmpdir(), 'longhaul-worker-')));
    await Promise.all([folder.files, folder.output, folder.temporary].map((path) => mkdir(path)));
    return folder;
  }

  /** Downloads the files that the input names. @returns the input with their paths in place of `upload:…` */
  async fetchInput({ input, files, signal }: Run<unknown>): Promise<unknown> {
    const paths = new Map<string, string>();
    for (const reference of referencesIn(input)) {
      try {
        const { filename, stream } = await files.open(reference);
        const folder = join(this.files, String(paths.size + 1));
        await mkdir(folder);
        const path = join(folder, safeFileName(filename));
        await pipeline(stream, createWriteStream(path, { flags: 'wx' }), { signal });
        paths.set(reference, path);
      } catch (error) {
        // A text that only looks like a file.
        if (!(error instanceof NotFoundError)) throw error;
      }
    }
    return withPaths(input, paths);
  }

  /** Sends what stands in the folder of results, in the order of the names. @throws Fatal TOO_MANY_FILES */
  async saveResults({ files, log }: Run<unknown>): Promise<void> {
    const found = await readdir(this.output, { withFileTypes: true });
    const names = found.filter((entry) => entry.isFile()).map(({ name }) => name).toSorted();
    const others = found.filter((entry) => !entry.isFile()).map(({ name }) => name);
    if (others.length > 0) log.warn(`These are no files, and are left out of the result: ${others.join(', ')}`);
    if (names.length > mostFiles) throw new Fatal('TOO_MANY_FILES', `The command left ${names.length} files in $LONGHAUL_OUTPUT. A job may have ${mostFiles}.`);
    for (const name of names) await files.save(name, await openAsBlob(join(this.output, name), { type: mediaTypeOf(name) ?? '' }));
  }

  async remove(): Promise<void> {
    await rm(this.#path, { recursive: true, force: true });
  }
}

function referencesIn(value: unknown, found = new Set<string>()): Set<string> {
  if (typeof value === 'string' && value.startsWith('upload:')) found.add(value);
  else if (typeof value === 'object' && value !== null) for (const one of Object.values(value)) referencesIn(one, found);
  return found;
}

function withPaths(value: unknown, paths: ReadonlyMap<string, string>): unknown {
  if (typeof value === 'string') return paths.get(value) ?? value;
  if (Array.isArray(value)) return value.map((one) => withPaths(one, paths));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, withPaths(one, paths)]));
}
