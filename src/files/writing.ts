import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';

import { abortable } from '../outbound/abortable.ts';

export interface WriteOptions {
  maxBytes: number;
  signal: AbortSignal;
  /** Called after each chunk with the bytes written so far. */
  onBytes?: (bytes: number) => void;
}

/** The source exceeds the size limit. */
export class ArtifactTooLargeError extends Error {
  readonly maxBytes: number;

  constructor(maxBytes: number) {
    super(`The file is larger than the limit of ${maxBytes} bytes. Use a smaller one.`);
    this.name = 'ArtifactTooLargeError';
    this.maxBytes = maxBytes;
  }
}

/**
 * Writes a new file from a byte stream and syncs it. Rejects with the signal's reason, the source's error or
 * ArtifactTooLargeError. By then the file is closed, and the caller must remove it.
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
    // Not awaited: a generator that hangs in its own await would never return.
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

/** Syncs a directory. Without it, a power cut could undo a rename that was already reported. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
