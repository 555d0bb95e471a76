import { newId } from '../database/ids.ts';
import { NoRoomError } from './stores/errors.ts';
import type { AppendOptions, FileId, Kept, Store } from './stores/store.ts';

/** A file that is complete and durable. */
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

interface SaveOptions extends Pick<AppendOptions, 'signal' | 'maxBytes' | 'onBytes'> {
  workspaceId: string;
  filename: string;
  mediaType: string;
  /** Lets another attempt go on with what this one has written. Without it nothing remains of a file that is not complete. */
  keeping?: Keeping;
}

/** What remains of a file that is not complete. */
export interface Keeping {
  /** The file's id. */
  id: string;
  /** What an earlier attempt has kept of it, which the source goes on after; null for nothing. */
  left: Kept | null;
  /** Told of what is in the store for certain. */
  onKept: (kept: Kept) => Promise<void>;
  /** Whether it remains after the file failed with this error. It does when the process is killed. */
  outlives: (error: unknown) => boolean;
}

/** What built-in handlers save. */
export class ResultFiles {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /**
   * Writes a file from a byte stream, which can be read only when it is complete. If the source fails, the signal aborts (rejects
   * with its reason), the stream exceeds `maxBytes` (FileTooLargeError) or the store is full or read-only (NoRoomError), the file
   * is removed before the promise rejects, unless it is kept. OrphanedFiles removes files that no row names in the end.
   */
  async save(source: AsyncIterable<Uint8Array>, options: SaveOptions): Promise<StoredFile> {
    const { workspaceId, filename, mediaType, keeping, signal, maxBytes, onBytes } = options;
    const id = keeping?.id ?? newId();
    const file = { workspaceId, id };
    let kept = keeping?.left ?? null;
    signal.throwIfAborted();
    try {
      const onKept = keeping && ((now: Kept) => keeping.onKept((kept = now)));
      kept = await this.#store.append(file, kept, source, { signal, maxBytes, endsFile: true, ...(onBytes && { onBytes }), ...(onKept && { onKept }) });
      signal.throwIfAborted();
      return { id, workspaceId, filename, mediaType, ...(await this.#store.finish(file, kept)) };
    } catch (error) {
      const remains = !(error instanceof NoRoomError) && keeping?.outlives(error) === true;
      // What the store says now does not hide why it failed, and the sweep removes it.
      if (!remains) await this.#store.remove(file, kept ?? undefined).catch(() => {});
      throw error;
    }
  }

  /** Whether another attempt can go on with that. */
  has(file: FileId, kept: Kept): Promise<boolean> {
    return this.#store.has(file, kept);
  }

  remove(file: FileId): Promise<void> {
    return this.#store.remove(file);
  }
}
