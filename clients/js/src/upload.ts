import * as documents from './documents.ts';
import { ConnectionError, errorOf, LonghaulError } from './errors.ts';
import type { Http } from './http.ts';
import { begin, link } from './limits.ts';
import { mutate } from './mutate.ts';
import { insist, type Patience, pauseAfter } from './tries.ts';
import { type FileOptions, UploadedFile } from './uploaded-file.ts';

const tus = { 'tus-resumable': '1.0.0' };

/** A chunk is as large as takes about a second, within these bytes: the first is the least. */
const chunk = { least: 1024 * 1024, most: 32 * 1024 * 1024 };

/** How long a chunk may take, in milliseconds. */
const chunkWithin = 60_000;

/** Sends a file in chunks (tus 1.0), and goes on where the server has stopped after whatever breaks. @throws ValidationError, QuotaExceededError */
export async function upload(http: Http, file: Blob, { filename, mediaType, onProgress }: FileOptions, signal: AbortSignal): Promise<UploadedFile> {
  const type = mediaType ?? file.type;
  const input = { filename: filename ?? nameOf(file), bytes: file.size, ...(type === '' ? {} : { mediaType: type }) };
  const { sender, uploaded } = await makeRoom(http, input, signal, 'usual');
  onProgress?.({ done: 0, total: file.size });
  await sender.sendPiece(file, 0, signal, (done) => onProgress?.({ done, total: file.size }));
  return uploaded;
}

/** Sends a result file of a worker for as long as the signal lets it. @param input has the token of the lease */
export async function sendResult(http: Http, input: object, file: Blob, signal: AbortSignal): Promise<UploadedFile> {
  const { sender, uploaded } = await makeRoom(http, { ...input, bytes: file.size }, signal, 'endless');
  await sender.sendPiece(file, 0, signal);
  return uploaded;
}

/** A piece of a stream is held until the server has it. */
const pieceBytes = 8 * 1024 * 1024;

/** The same with a file of which nobody knows how large it will be. */
export async function sendResultStream(http: Http, input: object, source: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<UploadedFile> {
  const { sender, uploaded } = await makeRoom(http, input, signal, 'endless');
  let parts: Uint8Array<ArrayBuffer>[] = [];
  let held = 0;
  let sent = 0;
  const flush = async () => {
    await sender.sendPiece(new Blob(parts), sent, signal);
    sent += held;
    parts = [];
    held = 0;
  };
  for await (const part of source) {
    signal.throwIfAborted();
    parts.push(new Uint8Array(part));
    held += part.length;
    if (held >= pieceBytes) await flush();
  }
  sender.endsHere(sent + held);
  await flush();
  return uploaded;
}

async function makeRoom(http: Http, input: object, signal: AbortSignal, patience: Patience): Promise<{ sender: Sender; uploaded: UploadedFile }> {
  const ask = patience === 'endless' ? insist : mutate;
  const { uploadUrl, upload: made } = await ask<{ uploadUrl: string; upload: { id: string } }>(http, documents.createUpload, input, signal);
  return { sender: new Sender(http.fetch, uploadUrl, patience), uploaded: new UploadedFile(made.id) };
}

/** One upload's requests. Its URL is signed, so no key goes along. */
class Sender {
  readonly #fetch: typeof fetch;
  readonly #url: string;
  readonly #patience: Patience;
  #bytes = chunk.least;
  #length: number | null = null;

  constructor(fetcher: typeof fetch, url: string, patience: Patience) {
    this.#fetch = fetcher;
    this.#url = url;
    this.#patience = patience;
  }

  /** The size of the whole, where it was not announced: said along with the next piece, the last. */
  endsHere(length: number): void {
    this.#length = length;
  }

  /** Sends all of it, from `base` of the whole on; at least one request. */
  async sendPiece(piece: Blob, base: number, signal: AbortSignal, onOffset?: (offset: number) => void): Promise<void> {
    const end = base + piece.size;
    let offset = base;
    let failures = 0;
    do {
      try {
        // What the server has, after a break.
        if (failures > 0) offset = offsetIn(await this.#request('HEAD', {}, null, signal));
        if (failures === 0 || offset < end || this.#length !== null) offset = await this.#send(piece, base, offset, signal);
        failures = 0;
        onOffset?.(offset);
      } catch (error) {
        signal.throwIfAborted();
        // The answer to the last chunk was lost.
        if (error instanceof LonghaulError && error.code === 'ALREADY_COMPLETE') return;
        failures += 1;
        await pauseAfter(error, failures, signal, this.#patience);
      }
    } while (offset < end || failures > 0);
  }

  /** Sends the chunk at the offset. @returns the next offset */
  async #send(piece: Blob, base: number, offset: number, signal: AbortSignal): Promise<number> {
    const began = performance.now();
    const headers = {
      'upload-offset': String(offset),
      'content-type': 'application/offset+octet-stream',
      ...(this.#length === null ? {} : { 'upload-length': String(this.#length) }),
    };
    const next = offsetIn(await this.#request('PATCH', headers, piece.slice(offset - base, offset - base + this.#bytes), signal));
    const took = performance.now() - began;
    if (took < 500) this.#bytes = Math.min(chunk.most, this.#bytes * 2);
    if (took > 2_000) this.#bytes = Math.max(chunk.least, this.#bytes / 2);
    return next;
  }

  async #request(method: string, headers: Record<string, string>, body: Blob | null, outer: AbortSignal): Promise<Response> {
    const { signal, release } = link([begin({ signal: outer, timeout: chunkWithin })]);
    const send = this.#fetch;
    try {
      const response = await send(this.#url, { method, headers: { ...tus, ...headers }, body, signal });
      if (!response.ok) throw await refusalOf(response);
      await response.body?.cancel();
      return response;
    } catch (cause) {
      outer.throwIfAborted();
      throw signal.aborted || cause instanceof TypeError ? new ConnectionError('The upload was interrupted.', { cause }) : cause;
    } finally {
      release();
    }
  }
}

function offsetIn(response: Response): number {
  const text = response.headers.get('upload-offset');
  if (text === null) throw errorOf({ code: 'NOT_LONGHAUL', message: 'The answer to an upload has no Upload-Offset. Check what stands between.' });
  return Number(text);
}

/** Of these answers the same request may have another later: a slow line, another request that is not over, a server that stops. */
const passing = new Set([408, 409, 423, 429, 502, 503, 504]);

async function refusalOf(response: Response): Promise<LonghaulError> {
  const { status, headers } = response;
  const told = messageIn(await response.text());
  const message = told?.message ?? `The server refused the file (${status}).`;
  const after = Number(headers.get('retry-after'));
  const isPassingStatus = told?.code !== 'ALREADY_COMPLETE' && (passing.has(status) || (told === null && status >= 500));
  const code = isPassingStatus ? 'UNAVAILABLE' : (told?.code ?? 'UPLOAD_REFUSED');
  return errorOf({ code, message, ...(after > 0 ? { retryAfter: after * 1_000 } : {}) });
}

/** Of an answer of ours: `{"error": {"code", "message"}}`. */
function messageIn(text: string): { code: string; message: string } | null {
  try {
    const { error }: { error?: { code?: unknown; message?: unknown } } = JSON.parse(text);
    return typeof error?.code === 'string' && typeof error.message === 'string' ? { code: error.code, message: error.message } : null;
  } catch {
    return null;
  }
}

function nameOf(file: Blob): string {
  return 'name' in file && typeof file.name === 'string' && file.name !== '' ? file.name : 'file';
}
