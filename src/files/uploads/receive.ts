import { createHash } from 'node:crypto';
import type { Database } from '../../database/database.ts';
import { QuotaExceededError } from '../../errors.ts';
import type { Room } from '../room.ts';
import { FileTooLargeError, KeptLostError, NoRoomError, StoreUnavailableError } from '../stores/errors.ts';
import type { Kept, Store } from '../stores/store.ts';
import { checked, type Piece } from './piece.ts';
import { removeOwn, removeReceived } from './removal.ts';
import { storeAway, type TransferCode, TransferError } from './transfer-errors.ts';
import type { Upload } from './upload.ts';
import type { Writer } from './writer.ts';
import { keptOf, noteComplete, noteNothingKept, noteSize, reserve } from './writer-rows.ts';

/** How much room an upload of unknown size takes ahead of need at most. */
const aheadBytes = 8 * 1024 ** 2;

/** After these no other request can send the rest of a file of which one PUT was to bring all. */
const isHopeless: ReadonlySet<string> = new Set<TransferCode>(['QUOTA_EXCEEDED', 'PAYLOAD_TOO_LARGE']);

export interface ReceivingParts {
  database: Database;
  store: Store;
  room: Room;
  maxBytes: number;
  quotaBytes: number;
}

/**
 * Writes a piece of an upload, as its only writer. What came before the piece broke off is kept, unless it has a checksum.
 *
 * @returns the upload with what there is of it then
 * @throws TransferError; the body's error
 */
export async function receive(parts: ReceivingParts, upload: Upload, writer: Writer, piece: Piece): Promise<Upload> {
  const { store, room, database } = parts;
  if (room.isFull) throw full();
  const begun = piece.offset === null ? null : keptOf(upload);
  if (piece.offset !== null && piece.offset !== upload.receivedBytes) throw wrongOffset(upload);
  const size = await sizeOf(parts, upload, piece);
  const most = size ?? parts.maxBytes;
  if ((piece.offset ?? 0) + (piece.length ?? 0) > most) throw tooLarge(most);
  // Before the store writes over it.
  if (begun === null && !(await noteNothingKept(database, writer.ref))) throw await writer.whyNot();
  const kept = await store
    .append(upload, begun, writer.allowed(withinQuota(parts, upload, size, piece)), {
      signal: writer.signal,
      maxBytes: most,
      onKept: (now) => writer.keep(now),
      allOrNothing: piece.checksum !== null,
      endsFile: size !== null && piece.length !== null && (piece.offset ?? 0) + piece.length === size,
    })
    .catch((error: unknown) => refuse(parts, writer, error))
    .catch(async (error: unknown) => {
      // Else it would count in the quota until it expires.
      const isWaste = piece.offset === null && upload.announcedBytes === null && error instanceof TransferError && isHopeless.has(error.code);
      if (isWaste) await removeReceived(parts, writer.ref, upload);
      throw error;
    });
  if (piece.offset === null && size !== null && kept.bytes < size) {
    const message = `The body has ${kept.bytes} bytes, and ${size} were announced. Send the rest with PATCH, or all of it again.`;
    throw new TransferError('BAD_USER_INPUT', message, { offset: kept.bytes });
  }
  if (piece.offset !== null && kept.bytes !== size) return { ...upload, announcedBytes: size, receivedBytes: kept.bytes };
  // So that whoever comes after a crash knows that it is whole.
  const isNoted = upload.announcedBytes !== null || piece.size !== null;
  if (!isNoted && !(await noteSize(database, upload, kept.bytes, parts.quotaBytes))) throw overQuota(parts);
  return complete(parts, upload, writer, kept);
}

/**
 * Makes an upload of which all was kept a whole file. May be repeated after a crash.
 *
 * @throws TransferError, CHECKSUM_MISMATCH among them: then it is removed
 */
export async function complete({ database, store, room }: ReceivingParts, upload: Upload, writer: Writer, kept: Kept): Promise<Upload> {
  const finished = await store.finish(upload, kept).catch((error: unknown) => refuse({ room, database }, writer, error));
  if (upload.announcedSha256 !== null && upload.announcedSha256 !== finished.sha256) {
    await removeOwn({ database, store }, writer.ref, upload);
    const message = 'The file has another SHA-256 than was announced, and was removed. Ask for a new upload with createUpload, and send it again.';
    throw new TransferError('CHECKSUM_MISMATCH', message);
  }
  const whole = await noteComplete(database, writer.ref, finished);
  if (whole !== null) return whole;
  const reason = await writer.whyNot();
  // Whoever has removed the row may have looked for the file too early.
  if (reason.code === 'NOT_FOUND') await store.remove(upload, null);
  throw reason;
}

/** The file again, after it is complete, as after a lost answer. @throws ALREADY_COMPLETE if it is another */
export async function receiveAgain(upload: Upload, { offset, length, body }: Piece): Promise<Upload> {
  if (offset !== null) {
    if (offset === upload.receivedBytes && length === 0) return upload;
    throw wrongOffset(upload);
  }
  if ((length ?? upload.receivedBytes) === upload.receivedBytes && (await hashOf(body, upload.receivedBytes)) === upload.sha256) return upload;
  throw new TransferError('ALREADY_COMPLETE', 'The upload is complete, with another content. Ask for a new one with createUpload.');
}

/** The SHA-256 of a body, in hex; null, read no further, if it is longer. */
async function hashOf(body: Piece['body'], mostBytes: number): Promise<string | null> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > mostBytes) return null;
    hash.update(chunk);
  }
  return hash.digest('hex');
}

/**
 * The size of the whole file, which may be announced with a piece; null if it is not known yet. The room for it is taken. What a PUT says
 * counts for itself alone: after a cut, another one may bring another file.
 */
async function sizeOf({ database, maxBytes, quotaBytes }: ReceivingParts, upload: Upload, piece: Piece): Promise<number | null> {
  const { announcedBytes: known } = upload;
  const size = piece.size ?? (piece.offset === null ? piece.length : null);
  if (size === null || size === known) return known;
  if (known !== null) {
    throw new TransferError('BAD_USER_INPUT', `The file was announced with ${known} bytes, and is not ${size} now. Send what was announced.`);
  }
  if (size > maxBytes) throw tooLarge(maxBytes);
  if (size < (piece.offset ?? 0)) throw new TransferError('BAD_USER_INPUT', 'Upload-Length is less than what was sent already.');
  const has =
    piece.size === null ? (await reserve(database, upload, { bytes: size, ahead: 0 }, quotaBytes)) >= size : await noteSize(database, upload, size, quotaBytes);
  if (!has) throw overQuota({ quotaBytes });
  return size;
}

/** Where the size is not known, room is taken as the file grows. */
async function* withinQuota(parts: ReceivingParts, upload: Upload, size: number | null, piece: Piece): AsyncGenerator<Uint8Array, void> {
  if (size !== null) return yield* checked(piece);
  let bytes = piece.offset ?? 0;
  let reserved = 0;
  for await (const chunk of checked(piece)) {
    bytes += chunk.byteLength;
    if (bytes > reserved) reserved = await reserve(parts.database, upload, { bytes, ahead: aheadBytes }, parts.quotaBytes);
    if (bytes > reserved) throw overQuota(parts);
    yield chunk;
  }
}

/** Why nothing more was written, in the sender's words. */
export async function refuse({ room, database }: Pick<ReceivingParts, 'room' | 'database'>, writer: Writer, error: unknown): Promise<never> {
  if (error instanceof FileTooLargeError) throw tooLarge(error.maxBytes);
  if (error instanceof NoRoomError) {
    room.refused(error);
    throw full(error);
  }
  if (error instanceof StoreUnavailableError) throw storeAway(error);
  if (!(error instanceof KeptLostError)) throw error;
  await noteNothingKept(database, writer.ref);
  const message = 'What was received is not in the store any more. Send the file from its beginning.';
  throw new TransferError('OFFSET_CONFLICT', message, { offset: 0, cause: error });
}

function wrongOffset({ receivedBytes }: Upload): TransferError {
  const message = `There are ${receivedBytes} bytes of the upload. Send what comes after them, or ask with HEAD.`;
  return new TransferError('OFFSET_CONFLICT', message, { offset: receivedBytes });
}

function tooLarge(maxBytes: number): TransferError {
  return new TransferError('PAYLOAD_TOO_LARGE', `The file may have ${maxBytes} bytes, and this is more.`);
}

function full(cause?: unknown): TransferError {
  return new TransferError('INSUFFICIENT_STORAGE', 'There is no room for files on the server now. What was received is kept: send the rest later.', { cause });
}

function overQuota({ quotaBytes }: Pick<ReceivingParts, 'quotaBytes'>): TransferError {
  return new TransferError('QUOTA_EXCEEDED', new QuotaExceededError(quotaBytes).message);
}
