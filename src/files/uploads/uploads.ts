import { Readable } from 'node:stream';
import type { Bus } from '../../bus/bus.ts';
import type { Log } from '../../log.ts';
import { LonghaulError, StorageFullError } from '../../errors.ts';
import { createUpload, type UploadOrigin } from './create-upload.ts';
import type { Piece } from './piece.ts';
import { complete, receive, receiveAgain, type ReceivingParts, refuse } from './receive.ts';
import { removeLeft, sweepUploads, terminate } from './removal.ts';
import { TransferError } from './transfer-errors.ts';
import { findUpload, type Upload } from './upload.ts';
import type { UploadLinks } from './upload-links.ts';
import type { UploadRequest } from './upload-request.ts';
import type { Writer } from './writer.ts';
import { keptOf, noteNothingKept } from './writer-rows.ts';
import { Writers } from './writers.ts';

interface UploadsParts extends ReceivingParts {
  links: UploadLinks;
  bus: Bus;
  log: Log;
}

/** Files on their way in: the facade that surfaces use. The function that each method calls documents what it throws. */
export class Uploads {
  readonly links: UploadLinks;
  readonly #parts: UploadsParts;
  readonly #writers: Writers;

  constructor(parts: UploadsParts) {
    this.links = parts.links;
    this.#parts = parts;
    this.#writers = new Writers(parts);
  }

  /** Resolves once it hears of requests at other processes that go on with an upload. */
  start(): Promise<void> {
    return this.#writers.start();
  }

  /** Ends what is being received: what there is of it is kept. May be called twice. */
  stop(): Promise<void> {
    return this.#writers.stop();
  }

  /** Of one file, in bytes. */
  get maxBytes(): number {
    return this.#parts.maxBytes;
  }

  /** How many requests send files to this process now. */
  get underWay(): number {
    return this.#writers.size;
  }

  async create(origin: UploadOrigin, asked: UploadRequest): Promise<Upload> {
    const upload = await createUpload(this.#parts, origin, asked);
    if (upload.announcedBytes !== 0) return upload;
    // Nothing will come.
    return this.receive(upload.id, { body: Readable.from([]), offset: null, length: 0, size: 0, checksum: null }).catch((error: unknown) => {
      if (error instanceof TransferError) throw refusalOf(error);
      throw error;
    });
  }

  /** Where the file is sent to: whoever has this URL can send it. */
  urlOf({ id }: Pick<Upload, 'id'>): string {
    return this.links.sign(id);
  }

  /** Null if there is none, or it belongs to another workspace. */
  find(workspaceId: string, id: string): Promise<Upload | null> {
    return findUpload(this.#parts.database.hot, workspaceId, id);
  }

  /** Takes a piece of a file. @throws TransferError */
  receive(id: string, piece: Piece): Promise<Upload> {
    return this.#run(id, (upload, writer) => (writer === null ? receiveAgain(upload, piece) : receive(this.#parts, upload, writer, piece)));
  }

  /** How much of a file there is, so that the rest can be sent. Whoever sends it now is stopped. @throws TransferError */
  look(id: string): Promise<Upload> {
    return this.#run(id, async (upload, writer) => {
      const kept = writer === null ? null : keptOf(upload);
      if (writer === null || kept === null) return upload;
      // A process that was killed had all of it.
      if (kept.bytes === upload.announcedBytes) return complete(this.#parts, upload, writer, kept);
      if (await this.#parts.store.has(upload, kept).catch((error: unknown) => refuse(this.#parts, writer, error))) return upload;
      await noteNothingKept(this.#parts.database, writer.ref);
      return { ...upload, receivedBytes: 0 };
    });
  }

  /** Removes a file that its sender does not want any more. */
  async terminate(id: string): Promise<void> {
    const writer = await terminate(this.#parts, id);
    if (writer !== null) this.#writers.ask(writer);
  }

  /** Removes uploads that nobody has taken in time. */
  sweep(): Promise<void> {
    return sweepUploads(this.#parts);
  }

  async #run(id: string, work: (upload: Upload, writer: Writer | null) => Promise<Upload>): Promise<Upload> {
    try {
      return await this.#writers.run(id, work);
    } catch (error) {
      if (error instanceof TransferError && error.code === 'LEASE_LOST') await removeLeft(this.#parts, id);
      throw error;
    }
  }
}

/** Why an empty file could not be stored, as whoever creates it is told. */
function refusalOf(cause: TransferError): Error {
  if (cause.code === 'INSUFFICIENT_STORAGE') return new StorageFullError({ cause });
  return cause.code === 'UNAVAILABLE' ? new LonghaulError('UNAVAILABLE', 'The store of the files does not answer now. Try again later.', { cause }) : cause;
}
