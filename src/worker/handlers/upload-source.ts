import { type Attempt, HandlerError } from '../handler.ts';
import { cleanFilename } from './filename.ts';
import { type Leftover, restFrom } from './leftover.ts';
import { createMeter } from './meter.ts';
import type { Source } from './opened-source.ts';

/**
 * Opens an upload that the job's input names, straight from the store.
 *
 * @throws HandlerError: SOURCE_REFUSED, SOURCE_TOO_LARGE
 */
export async function openUploadSource(
  attempt: Attempt,
  reference: string,
  { maxBytes, left }: { maxBytes: number; left: Leftover | null },
): Promise<Source> {
  const opened = await attempt.openUpload(reference);
  if (opened === null) {
    throw new HandlerError('SOURCE_REFUSED', 'The job names no such upload, or it is not there any more. Upload the file again.', { retryable: false });
  }
  const { upload, file } = opened;
  const { filename, mediaType } = upload;
  if (file.bytes > maxBytes) {
    await file.close();
    throw new HandlerError('SOURCE_TOO_LARGE', `The file is larger than the limit of ${maxBytes} bytes. Use a smaller one.`, { retryable: false });
  }
  attempt.log.info('the source is an upload', { mediaType, bytes: file.bytes });
  // Uploads never change, so the id names their bytes.
  const validator = `"${upload.id}"`;
  const from = left?.validator === validator && left.total === file.bytes ? restFrom(left) : 0;
  return {
    sourceUrl: reference,
    filename: cleanFilename(filename) ?? 'download',
    mediaType,
    total: file.bytes,
    validator,
    from,
    bytes: read(attempt, file.bytes === 0 ? [] : file.read({ start: from, end: file.bytes - 1 }), { from, total: file.bytes }),
    close: () => void file.close().catch(() => {}),
  };
}

/** Reports progress after the consumer has taken each chunk. */
async function* read(
  attempt: Attempt,
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { from, total }: { from: number; total: number },
): AsyncGenerator<Uint8Array, void> {
  const reportRead = createMeter(attempt, total, from);
  let done = from;
  for await (const chunk of chunks) {
    attempt.signal.throwIfAborted();
    yield chunk;
    reportRead((done += chunk.byteLength));
  }
}
