import type { AppendOptions, FileId, Kept } from '../store.ts';
import { FileTooLargeError, KeptLostError, StoreUnavailableError } from '../errors.ts';
import { Sha256 } from '../sha256.ts';
import { taken } from '../taken.ts';
import { keyOf, markerKeyOf, tailKeyOf } from './keys.ts';
import { abortUpload, beginUpload, sendPart } from './multipart.ts';
import type { PartBuffers } from './part-buffers.ts';
import type { S3Client } from './s3-client.ts';
import { Outlasting } from './outlasting.ts';
import { bytesOf, mostParts, type S3State } from './s3-state.ts';
import { readTail } from './tail.ts';

/** How long what came last may take to be kept, once the appending was aborted. In milliseconds. */
const lastMilliseconds = 15_000;

/** Appends to one file: fills a part while the part before it is on its way. */
export class S3Writer {
  readonly #client: S3Client;
  readonly #buffers: PartBuffers;
  readonly #file: FileId;
  readonly #options: AppendOptions;
  /** Of what is kept whatever comes: it goes on for a moment after the source was aborted. */
  readonly #lasting: Outlasting;
  readonly #hash: Sha256;
  /** What the bucket has: whole parts, and the tail that was there at the beginning. */
  readonly #before: S3State;
  readonly #parts: string[];
  #upload: string | null;
  /** What comes after the whole parts that were sent, or are on their way. */
  #buffer: Buffer;
  #filled = 0;
  #sending: Promise<void> = Promise.resolve();
  /** Bytes of the part that is on its way. */
  #inFlight = 0;
  #stateOfParts: string;
  /** Aborts when a part could not be sent, or what is kept could not be told: the source may be silent then. */
  readonly #failing = new AbortController();
  /** Whether somebody wants to know what is kept before the end. */
  readonly #tells: boolean;
  #isTelling = false;
  /** Whether somebody has been told of the upload, who will see to it. */
  #isKnown: boolean;

  private constructor(
    { client, buffers }: { client: S3Client; buffers: PartBuffers },
    file: FileId,
    options: AppendOptions,
    { state, hash, buffer }: { state: S3State; hash: Sha256; buffer: Buffer },
  ) {
    this.#client = client;
    this.#buffers = buffers;
    this.#file = file;
    this.#options = options;
    this.#tells = options.onKept !== undefined && options.allOrNothing !== true;
    this.#lasting = new Outlasting(options.signal, this.#tells ? lastMilliseconds : 0);
    this.#hash = hash;
    this.#before = state;
    this.#parts = [...state.parts];
    this.#upload = state.upload;
    this.#isKnown = state.upload !== null;
    this.#buffer = buffer;
    this.#stateOfParts = hash.state;
  }

  static async append(
    parts: { client: S3Client; buffers: PartBuffers },
    file: FileId,
    kept: { state: S3State; sha256: string | null },
    source: AsyncIterable<Uint8Array>,
    options: AppendOptions,
  ): Promise<Kept> {
    const hash = await Sha256.from(kept.sha256);
    const buffer = await parts.buffers.take(kept.state.partBytes, options.signal);
    const writer = new S3Writer(parts, file, options, { state: kept.state, hash, buffer });
    try {
      return await writer.#append(source);
    } finally {
      writer.#lasting.end();
      parts.buffers.giveBack(writer.#buffer);
    }
  }

  async #append(source: AsyncIterable<Uint8Array>): Promise<Kept> {
    const { maxBytes, onBytes, endsFile = false } = this.#options;
    const signal = AbortSignal.any([this.#options.signal, this.#failing.signal]);
    try {
      await this.#readTail();
      for await (const chunk of taken(source, this.#bytes, { signal, maxBytes })) {
        await this.#take(chunk);
        onBytes?.(this.#bytes);
      }
      await this.#sending;
      const kept = await this.#tell(endsFile ? await this.#end(signal) : await this.#keepTail(signal));
      await this.#removeTail(kept);
      return kept;
    } catch (error) {
      await this.#sending.catch(() => {});
      // What the bucket says now does not hide why the appending failed, nor what nobody wants to know.
      const canKeep = !(error instanceof KeptLostError) && !(error instanceof StoreUnavailableError);
      if (this.#tells && !this.#isTelling && canKeep) await this.#keepAfter().catch(() => {});
      if (error instanceof KeptLostError || !this.#isKnown) await this.#forget().catch(() => {});
      throw error;
    }
  }

  get #bytes(): number {
    return this.#parts.length * this.#before.partBytes + this.#inFlight + this.#filled;
  }

  async #tell(kept: Kept): Promise<Kept> {
    const { onKept } = this.#options;
    this.#isTelling = true;
    await onKept?.(kept);
    this.#isTelling = false;
    this.#isKnown ||= onKept !== undefined;
    return kept;
  }

  async #readTail(): Promise<void> {
    const { tail } = this.#before;
    if (tail === 0) return;
    this.#filled = await readTail(this.#client, this.#file, this.#before, this.#buffer, this.#options.signal);
  }

  async #take(chunk: Uint8Array): Promise<void> {
    for (let rest = chunk; rest.byteLength > 0; ) {
      const fitting = rest.subarray(0, this.#buffer.byteLength - this.#filled);
      this.#buffer.set(fitting, this.#filled);
      this.#filled += fitting.byteLength;
      this.#hash.update(fitting);
      rest = rest.subarray(fitting.byteLength);
      if (this.#filled === this.#buffer.byteLength) await this.#sendBuffer();
    }
  }

  /** Hands the full buffer over to be sent, and goes on with another one, or with the same where there is no room for two. */
  async #sendBuffer(): Promise<void> {
    await this.#sending;
    if (this.#parts.length === mostParts) throw new FileTooLargeError(mostParts * this.#before.partBytes);
    const { signal } = this.#lasting;
    const upload = (this.#upload ??= await beginUpload(this.#client, this.#file, signal));
    const full = this.#buffer;
    const hashState = this.#hash.state;
    const number = this.#parts.length + 1;
    this.#inFlight = full.byteLength;
    this.#filled = 0;
    const send = async () => {
      const tag = await sendPart(this.#client, this.#file, { upload, number, body: full }, signal);
      this.#parts.push(tag);
      this.#inFlight = 0;
      this.#stateOfParts = hashState;
      if (this.#tells) await this.#tell(this.#keptParts);
    };
    const next = this.#buffers.tryTake(full.byteLength);
    if (next === null) return send();
    this.#buffer = next;
    this.#sending = send().finally(() => this.#buffers.giveBack(full));
    this.#sending.catch((error: unknown) => this.#failing.abort(error));
  }

  get #keptParts(): Kept {
    return this.#kept(this.#stateOfParts, { tail: 0 });
  }

  #kept(sha256: string, more: Partial<Pick<S3State, 'tail' | 'last' | 'complete'>>): Kept {
    const { partBytes } = this.#before;
    const state: S3State = { upload: this.#upload, partBytes, parts: [...this.#parts], last: 0, tail: 0, complete: false, ...more };
    return { bytes: bytesOf(state), sha256, state };
  }

  /** Keeps what no part holds, in an object beside. */
  async #keepTail(signal: AbortSignal): Promise<Kept> {
    const kept = this.#kept(this.#hash.state, { tail: this.#filled });
    if (this.#filled > 0) {
      const body = this.#buffer.subarray(0, this.#filled);
      await this.#client.call({ method: 'PUT', key: tailKeyOf(this.#file, kept.bytes), body }, signal);
    }
    return kept;
  }

  /** Nothing follows: what no part holds is the last one, or all of the file. */
  async #end(signal: AbortSignal): Promise<Kept> {
    const body = this.#buffer.subarray(0, this.#filled);
    if (this.#upload === null) {
      await this.#client.call({ method: 'PUT', key: keyOf(this.#file), body }, signal);
      return { ...this.#kept(this.#hash.state, { complete: true }), bytes: body.byteLength };
    }
    if (body.byteLength > 0) this.#parts.push(await sendPart(this.#client, this.#file, { upload: this.#upload, number: this.#parts.length + 1, body }, signal));
    return this.#kept(this.#hash.state, { last: body.byteLength });
  }

  /** After a failure: a part that did not arrive takes what comes after it along, and what is left is kept. */
  async #keepAfter(): Promise<void> {
    const last = AbortSignal.timeout(lastMilliseconds);
    const kept = this.#inFlight > 0 ? this.#keptParts : await this.#keepTail(last);
    // It had a tail, which is more.
    if (kept.bytes < bytesOf(this.#before)) return;
    await this.#tell(kept);
    await this.#removeTail(kept);
  }

  /** The tail that this one began with, once another state is kept. The sweep finds what stays. */
  async #removeTail(kept: Kept): Promise<void> {
    const before = bytesOf(this.#before);
    if (this.#before.tail === 0 || before === kept.bytes) return;
    await this.#client.call({ method: 'DELETE', key: tailKeyOf(this.#file, before) }, AbortSignal.timeout(lastMilliseconds)).catch(() => {});
  }

  /** Drops an upload that nobody has heard of, or the name of one that the service has dropped. */
  async #forget(): Promise<void> {
    const last = AbortSignal.timeout(lastMilliseconds);
    if (this.#upload === null) return;
    await abortUpload(this.#client, this.#file, this.#upload, last);
    await this.#client.call({ method: 'DELETE', key: markerKeyOf(this.#file) }, last);
  }
}
