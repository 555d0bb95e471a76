import { Readable } from 'node:stream';
import { arrayBuffer } from 'node:stream/consumers';
import { mostFiles, type NamedFile } from '../../files/named-file.ts';
import { FileTooLargeError, NoRoomError, StoreUnavailableError } from '../../files/stores/errors.ts';
import { isFitName } from '../../files/fit-name.ts';
import { normalType, unknownMediaType } from '../../files/media-type.ts';
import { type Attempt, HandlerError } from '../handler.ts';
import { cleanFilename } from '../handlers/filename.ts';
import type { FileContent, OpenedFile, OwnRun } from './own-handler.ts';

/** The files that an attempt opens and saves. */
export class AttemptFiles {
  readonly #attempt: Attempt;
  readonly #maxBytes: number;
  readonly #open: Readable[] = [];
  readonly #saves: Promise<NamedFile>[] = [];
  readonly #names = new Set<string>();
  /** Why a file could not be stored, where that is no fault of the job's. */
  unstored: unknown = null;

  constructor(attempt: Attempt, maxBytes: number) {
    this.#attempt = attempt;
    this.#maxBytes = maxBytes;
  }

  get forHandler(): OwnRun['files'] {
    return {
      open: (reference) => this.#openUpload(reference),
      save: (name, content, about) => {
        const saving = this.#save(name, content, about);
        this.#saves.push(saving);
        return saving.then(() => undefined);
      },
    };
  }

  /** In the order of the calls, whichever was stored first; those that the handler did not wait for, too. The first is the main one. */
  async saved(): Promise<readonly NamedFile[]> {
    return (await Promise.allSettled(this.#saves)).flatMap((save) => (save.status === 'fulfilled' ? [save.value] : []));
  }

  /** Of what the handler has left unread, too. */
  close(): void {
    for (const file of this.#open) file.destroy();
  }

  async #openUpload(reference: string): Promise<OpenedFile> {
    const opened = await this.#attempt.openUpload(reference);
    if (opened === null) throw new Error(`The input names no file ${String(reference).slice(0, 200)}, or it is not there any more.`);
    const { upload, file } = opened;
    const { filename, mediaType } = upload;
    const source = file.read();
    this.#open.push(source);
    const stream = Readable.toWeb(source);
    return { filename, mediaType, bytes: file.bytes, stream, blob: async () => new Blob([await arrayBuffer(stream)], { type: mediaType }) };
  }

  async #save(name: string, content: FileContent, { filename = name, mediaType }: { filename?: string; mediaType?: string } = {}): Promise<NamedFile> {
    const { artifacts, job, signal } = this.#attempt;
    if (!isFitName(name, 100)) throw new Error('The name of a file has 1 to 100 characters, without a path, none of which is invisible.');
    if (this.#names.has(name)) throw new Error(`A file is named ${JSON.stringify(name)} already: give each a name of its own.`);
    if (this.#names.size === mostFiles) throw new Error(`A job has at most ${mostFiles} files.`);
    const type = normalType(mediaType ?? (content instanceof Blob && content.type !== '' ? content.type : unknownMediaType));
    if (type === null) throw new Error(`${JSON.stringify(mediaType)} is no type of a file; leave it out where it is not known.`);
    this.#names.add(name);
    try {
      const about = { workspaceId: job.workspaceId, filename: cleanFilename(filename) ?? 'file', mediaType: type, maxBytes: this.#maxBytes, signal };
      return { name, file: await artifacts.save(chunksOf(content), about) };
    } catch (error) {
      this.#names.delete(name);
      if (error instanceof NoRoomError || error instanceof StoreUnavailableError) this.unstored = error;
      if (!(error instanceof FileTooLargeError)) throw error;
      throw new HandlerError('OUTPUT_TOO_LARGE', `The file ${JSON.stringify(name)} is larger than the limit of ${this.#maxBytes} bytes.`, { retryable: false, cause: error });
    }
  }
}

async function* chunksOf(content: FileContent): AsyncGenerator<Uint8Array, void> {
  if (typeof content === 'string') yield Buffer.from(content);
  else if (content instanceof Uint8Array) yield content;
  else yield* content instanceof Blob ? content.stream() : content;
}
