import type { FileId } from '../store.ts';
import { KeptLostError, StoreUnavailableError } from '../errors.ts';
import { keyOf, markerKeyOf } from './keys.ts';
import type { S3Client } from './s3-client.ts';
import { isTransient, S3Error, storeErrorOf } from './s3-error.ts';
import { elementsOf, escape, textOf } from './xml.ts';

/** How often a completion is tried. */
const tries = 6;

/** Begins an upload, and then names it in an object: an upload that nothing names has no part, and takes no room. */
export async function beginUpload(client: S3Client, file: FileId, signal: AbortSignal): Promise<string> {
  const { body } = await client.call({ method: 'POST', key: keyOf(file), query: { uploads: '' } }, signal);
  const upload = textOf(body, 'UploadId');
  if (upload === null) throw new Error(`${client.place} answered the begin of an upload without its id.`);
  await client.call({ method: 'PUT', key: markerKeyOf(file), body: Buffer.from(upload) }, signal);
  return upload;
}

/** Resolves to the part's entity tag. */
export async function sendPart(client: S3Client, file: FileId, part: { upload: string; number: number; body: Buffer }, signal: AbortSignal): Promise<string> {
  const query = { partNumber: String(part.number), uploadId: part.upload };
  try {
    const { headers } = await client.call({ method: 'PUT', key: keyOf(file), query, body: part.body }, signal);
    const tag = headers['etag']?.toString().replaceAll('"', '');
    if (tag === undefined || tag === '') throw new Error(`${client.place} answered a part without its entity tag.`);
    return tag;
  } catch (error) {
    throw isNoUpload(error) ? new KeptLostError(error) : error;
  }
}

/**
 * Makes the object of the parts. A service may answer 200 and then say in the body that it failed, and a lost answer may have been a
 * good one: `isThere` tells.
 */
export async function completeUpload(
  client: S3Client,
  file: FileId,
  { upload, parts }: { upload: string; parts: readonly string[] },
  isThere: () => Promise<boolean>,
  signal: AbortSignal,
): Promise<void> {
  const list = parts.map((tag, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>${escape(`"${tag}"`)}</ETag></Part>`).join('');
  const body = Buffer.from(`<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${list}</CompleteMultipartUpload>`);
  const headers = { 'content-type': 'application/xml' };
  for (let tried = 1; ; tried += 1) {
    try {
      const answer = await client.callOnce({ method: 'POST', key: keyOf(file), query: { uploadId: upload }, headers, body }, signal);
      const [error] = elementsOf(answer.body, 'Error');
      if (error === undefined) return;
      throw new S3Error('completing an upload', { status: 200, body: error, retryAfter: null, region: null });
    } catch (error) {
      signal.throwIfAborted();
      if (await isThere()) return;
      if (isNoUpload(error) || isOtherPart(error)) throw new KeptLostError(error);
      if (tried === tries || !isTransient(error)) throw storeErrorOf(error);
      await client.pause(tried, error, signal);
    }
  }
}

/** Drops an upload and its parts. One that is over is not an error, nor a service that knows no such request (README). */
export async function abortUpload(client: S3Client, file: FileId, upload: string, signal: AbortSignal): Promise<void> {
  try {
    await client.call({ method: 'DELETE', key: keyOf(file), query: { uploadId: upload } }, signal);
  } catch (error) {
    if (error instanceof StoreUnavailableError || !(error instanceof S3Error) || ![404, 405, 501].includes(error.status)) throw error;
  }
}

function isNoUpload(error: unknown): boolean {
  return error instanceof S3Error && error.code === 'NoSuchUpload';
}

/** Another writer has sent one of them anew, with other bytes. */
function isOtherPart(error: unknown): boolean {
  return error instanceof S3Error && error.code === 'InvalidPart';
}
