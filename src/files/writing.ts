import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';

import { abortable } from '../outbound/abortable.ts';

export interface WriteOptions {
  maxBytes: number;
  signal: AbortSignal;
  /** Told the bytes written so far, after each chunk. */
  onBytes?: (bytes: number) => void;
}

/** The source has more bytes than it may. */
export class ArtifactTooLargeError extends Error {
  readonly maxBytes: number;

  constructor(maxBytes: number) {
    super(`The file is larger than the limit of ${maxBytes} bytes. Use a smaller one.`);
    this.name = 'ArtifactTooLargeError';
    this.maxBytes = maxBytes;
  }
}

/**
 * Writes a new file from a stream of bytes and syncs it. Rejects with the signal's reason, with the source's error or with
 * ArtifactTooLargeError; the file is closed by then and is the caller's to remove.
 */
export async function writeSynced(
  path: string,
  source: AsyncIterable<Uint8Array>,
  options: WriteOptions,
): Promise<{ bytes: number; sha256: string }> {
  const file = await open(path, 'wx');
  const chunks = source[Symbol.asyncIterator]();
  try {
    const written = await copy(chunks, file, options);
    await file.sync();
    return written;
  } catch (error) {
    // Not awaited: a generator that hangs in its own await never answers.
    chunks.return?.().catch(() => {});
    throw error;
  } finally {
    await file.close();
  }
}

async function copy(
  chunks: AsyncIterator<Uint8Array>,
  file: FileHandle,
  { signal, maxBytes, onBytes }: WriteOptions,
): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for (;;) {
    const chunk = await abortable(chunks.next(), signal);
    if (chunk.done === true) return { bytes, sha256: hash.digest('hex') };
    bytes += chunk.value.byteLength;
    if (bytes > maxBytes) throw new ArtifactTooLargeError(maxBytes);
    hash.update(chunk.value);
    await file.appendFile(chunk.value);
    onBytes?.(bytes);
  }
}

/** Without it a power cut may undo the rename that was already reported. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
