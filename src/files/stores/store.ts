import type { Readable } from 'node:stream';
import type { JsonValue } from '../../json.ts';

/** A file of a workspace. Both are UUIDs: a TypeError is thrown for anything else, so that no id leads elsewhere. */
export interface FileId {
  workspaceId: string;
  id: string;
}

/** What a store has of a file that is not complete. It survives the process, and any process goes on with it. */
export interface Kept {
  bytes: number;
  /** The state of the SHA-256 of exactly these bytes, as base64. */
  sha256: string;
  /** The store's own. */
  state: JsonValue;
}

/** A complete file. */
export interface Finished {
  bytes: number;
  /** In lower-case hex. */
  sha256: string;
}

export interface AppendOptions {
  signal: AbortSignal;
  /** Of the whole file. */
  maxBytes: number;
  /** Called after each chunk with the bytes of the file that were taken so far. */
  onBytes?: (bytes: number) => void;
  /**
   * Told what has been kept: every few seconds or with each part, and when appending ends or fails. If it rejects, appending does, and what
   * was kept before stays valid. Without it, nothing is left of a new file that fails.
   */
  onKept?: (kept: Kept) => Promise<void> | void;
  /** Nothing is kept unless the source ends well: what was kept before stays valid. */
  allOrNothing?: boolean;
  /** The file ends with the source: nothing is appended after it. Saves what a store would do to let another append go on. */
  endsFile?: boolean;
}

/** Both ends included. */
export interface ByteRange {
  start: number;
  end: number;
}

/** A complete file that is open for reading. */
export interface OpenFile {
  bytes: number;
  modified: Date;
  /** All of it, or a part. The stream closes the file at its end. */
  read(range?: ByteRange): Readable;
  /** Needed where it is not read. May be called twice. */
  close(): Promise<void>;
}

/** How a browser is told to take a file. */
export interface Presentation {
  mediaType: string;
  /** The whole Content-Disposition header. */
  disposition: string;
}

/** Files of one workspace. */
export interface Listed {
  workspaceId: string;
  ids: string[];
}

/**
 * Where the bytes of files live. It knows no rows.
 *
 * A file has one writer at a time: that is the caller's duty. A late one writes at its own offsets, which the next has gone past.
 */
export interface Store {
  /** What messages and logs call it: a folder or an address, without secrets. */
  readonly place: string;

  /**
   * Verifies at startup that it can be used and is this installation's, which a marker in it names. Who may claim makes the
   * marker where there is none.
   *
   * @throws Error that says what to change.
   */
  bindToInstallation(installationId: string, options: { mayClaim: boolean }): Promise<void>;

  /**
   * Goes on with a file after what was kept, or begins it: whatever the store has beyond that is written over. Resolves to all that
   * is kept then. Rejects with the source's error or the signal's reason, FileTooLargeError, NoRoomError, KeptLostError, or
   * onKept's error.
   */
  append(file: FileId, kept: Kept | null, source: AsyncIterable<Uint8Array>, options: AppendOptions): Promise<Kept>;

  /** Whether a file can be gone on with from there. */
  has(file: FileId, kept: Kept): Promise<boolean>;

  /**
   * The file becomes readable, whole and durable, at once. May be repeated after a lost answer.
   *
   * @throws KeptLostError
   */
  finish(file: FileId, kept: Kept): Promise<Finished>;

  /** Null if there is no such complete file. */
  open(file: FileId): Promise<OpenFile | null>;

  /** A URL that gives the file to anybody for so many seconds at most, with these headers; null if it has to go through this process. */
  redirect(file: FileId, as: Presentation, seconds: number): Promise<string | null>;

  /**
   * Removes a file, complete or not; a missing one is not an error.
   *
   * @param kept what was kept of it last; null of a complete file. If the caller does not know, the store looks.
   */
  remove(file: FileId, kept?: Kept | null): Promise<void>;

  /** The ids of all files, complete and not, in batches by workspace. Names of another form are not ours. */
  list(): AsyncIterable<Listed>;

  /** Null if it has no end that can be known. */
  space(): Promise<{ freeBytes: number; bytes: number } | null>;

  /** Closes its connections. May be called twice. */
  close(): Promise<void>;
}
