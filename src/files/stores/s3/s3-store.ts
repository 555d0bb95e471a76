import { KeptLostError } from '../errors.ts';
import { finished } from '../sha256.ts';
import { taken } from '../taken.ts';
import type { AppendOptions, FileId, Finished, Kept, Listed, OpenFile, Presentation, Store } from '../store.ts';
import { bindBucket } from './bind-bucket.ts';
import { fileOf, keyOf, markerKeyOf, tailKeyOf } from './keys.ts';
import { abortUpload, completeUpload, sendPart } from './multipart.ts';
import { objectStream } from './object-stream.ts';
import { PartBuffers } from './part-buffers.ts';
import { S3Client } from './s3-client.ts';
import { isMissing } from './s3-error.ts';
import type { S3Settings } from './s3-settings.ts';
import { bytesOf, newState, readState, type S3State } from './s3-state.ts';
import { S3Writer } from './s3-writer.ts';
import { readTail } from './tail.ts';
import { elementsOf, textOf } from './xml.ts';

/** How long one question may take, with all its tries, and the end of a large file, in milliseconds. */
const askMilliseconds = 60_000;
const finishMilliseconds = 10 * 60_000;

/** Somebody waits for the answer, and can come again. */
const triesOfReader = 3;

/** Long enough for a player that goes on asking the bucket itself; whoever comes back to the link gets a new one. */
const longestRedirectSeconds = 3_600;

/** Files in an S3-compatible bucket: `<prefix><workspace id>/<file id>`. */
export class S3Store implements Store {
  readonly #client: S3Client;
  readonly #settings: S3Settings;
  readonly #buffers = new PartBuffers();

  constructor(settings: S3Settings) {
    this.#settings = settings;
    this.#client = new S3Client(settings);
  }

  get place(): string {
    return this.#client.place;
  }

  async bindToInstallation(installationId: string, options: { mayClaim: boolean }): Promise<void> {
    await bindBucket(this.#client, this.#settings.prefix, installationId, options);
  }

  async append(file: FileId, kept: Kept | null, source: AsyncIterable<Uint8Array>, options: AppendOptions): Promise<Kept> {
    const state = kept === null ? newState(options.maxBytes, this.#settings.partBytes) : readState(kept);
    if (kept !== null && (state.complete || state.last > 0)) return addNothing(kept, source, options);
    const parts = { client: this.#client, buffers: this.#buffers };
    return S3Writer.append(parts, file, { state, sha256: kept?.sha256 ?? null }, source, options);
  }

  async has(file: FileId, kept: Kept): Promise<boolean> {
    const state = stateOf(kept);
    if (state === null) return false;
    const keys = [
      ...(state.complete ? [keyOf(file)] : []),
      ...(state.upload === null ? [] : [markerKeyOf(file)]),
      ...(state.tail === 0 ? [] : [tailKeyOf(file, kept.bytes)]),
    ];
    const found = await Promise.all(keys.map((key) => this.#about(key)));
    return found.every((about) => about !== null);
  }

  async finish(file: FileId, kept: Kept): Promise<Finished> {
    const state = readState(kept);
    const signal = AbortSignal.timeout(finishMilliseconds);
    const isThere = async () => (await this.#about(keyOf(file)))?.bytes === kept.bytes;
    try {
      if (!state.complete) await this.#complete(file, state, isThere, signal);
    } catch (error) {
      if (!(error instanceof KeptLostError) || !(await isThere())) throw error;
    }
    return finished(kept);
  }

  async #complete(file: FileId, state: S3State, isThere: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
    const { upload, parts, tail } = state;
    const buffer = await this.#buffers.take(tail, signal);
    try {
      if (tail > 0) await readTail(this.#client, file, state, buffer, signal);
      if (upload === null) {
        await this.#client.call({ method: 'PUT', key: keyOf(file), body: buffer }, signal);
      } else {
        const last = tail === 0 ? [] : [await sendPart(this.#client, file, { upload, number: parts.length + 1, body: buffer }, signal)];
        await completeUpload(this.#client, file, { upload, parts: [...parts, ...last] }, isThere, signal);
      }
    } finally {
      this.#buffers.giveBack(buffer);
    }
    // The sweep finds what stays.
    await this.#removeRest(file, state).catch(() => {});
  }

  async open(file: FileId): Promise<OpenFile | null> {
    const key = keyOf(file);
    const about = await this.#about(key, triesOfReader);
    if (about === null) return null;
    const { bytes, modified, etag } = about;
    const whole = { start: 0, end: bytes - 1 };
    return { bytes, modified, read: (range) => objectStream(this.#client, { key, bytes, etag }, range ?? whole), close: async () => {} };
  }

  async redirect(file: FileId, { mediaType, disposition }: Presentation, seconds: number): Promise<string | null> {
    if (!this.#settings.redirects) return null;
    const query = { 'response-content-type': mediaType, 'response-content-disposition': disposition };
    return this.#client.presign(keyOf(file), query, Math.min(seconds, longestRedirectSeconds));
  }

  async remove(file: FileId, kept?: Kept | null): Promise<void> {
    const state = kept == null ? null : stateOf(kept);
    if (kept !== null && state === null) return this.#removeAll(file);
    if (state !== null) await this.#removeRest(file, state);
    await this.#delete(keyOf(file));
  }

  /** What is beside the object, as far as the state names it. */
  async #removeRest(file: FileId, state: S3State): Promise<void> {
    if (state.upload !== null) {
      await abortUpload(this.#client, file, state.upload, within());
      await this.#delete(markerKeyOf(file));
    }
    if (state.tail > 0) await this.#delete(tailKeyOf(file, bytesOf(state)));
  }

  async #removeAll(file: FileId): Promise<void> {
    const marker = markerKeyOf(file);
    for await (const keys of this.#keys(keyOf(file))) {
      if (keys.includes(marker)) {
        const { body } = await this.#client.call({ method: 'GET', key: marker }, within());
        await abortUpload(this.#client, file, body.trim(), within());
      }
      // The marker last of all: until then, another try finds the upload.
      const rest = keys.filter((key) => key !== marker && fileOf(key)?.id === file.id);
      await Promise.all(rest.map((key) => this.#delete(key)));
      if (keys.includes(marker)) await this.#delete(marker);
    }
  }

  async *list(): AsyncGenerator<Listed, void> {
    for await (const keys of this.#keys('')) {
      const files = new Map<string, Set<string>>();
      for (const key of keys) {
        const file = fileOf(key);
        if (file === null) continue;
        const ids = files.get(file.workspaceId) ?? new Set();
        files.set(file.workspaceId, ids.add(file.id));
      }
      for (const [workspaceId, ids] of files) yield { workspaceId, ids: [...ids] };
    }
  }

  async space(): Promise<null> {
    return null;
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  /** Keys without the prefix that begin so, up to a thousand at a time. */
  async *#keys(beginning: string): AsyncGenerator<string[], void> {
    const { prefix } = this.#settings;
    for (let token: string | null = ''; token !== null; ) {
      const query = { 'list-type': '2', prefix: prefix + beginning, ...(token !== '' && { 'continuation-token': token }) };
      const { body }: { body: string } = await this.#client.call({ method: 'GET', key: '', query }, within());
      yield elementsOf(body, 'Contents').map((content) => (textOf(content, 'Key') ?? '').slice(prefix.length));
      token = textOf(body, 'IsTruncated') === 'true' ? textOf(body, 'NextContinuationToken') : null;
    }
  }

  async #about(key: string, tries?: number): Promise<{ bytes: number; modified: Date; etag: string } | null> {
    try {
      const { headers } = await this.#client.call({ method: 'HEAD', key }, within(), tries);
      const { 'content-length': bytes, 'last-modified': modified, etag } = headers;
      return { bytes: Number(bytes), modified: new Date(String(modified)), etag: String(etag) };
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  }

  async #delete(key: string): Promise<void> {
    try {
      await this.#client.call({ method: 'DELETE', key }, within());
    } catch (error) {
      // Amazon answers well; not every service does.
      if (!isMissing(error)) throw error;
    }
  }
}

/** To a file that has had its last part: a source that ends at once adds nothing. */
async function addNothing(kept: Kept, source: AsyncIterable<Uint8Array>, options: AppendOptions): Promise<Kept> {
  for await (const chunk of taken(source, kept.bytes, options)) if (chunk.byteLength > 0) throw new KeptLostError();
  await options.onKept?.(kept);
  return kept;
}

function within(): AbortSignal {
  return AbortSignal.timeout(askMilliseconds);
}

/** Null if it is not this store's, or there is none. */
function stateOf(kept: Kept): S3State | null {
  try {
    return readState(kept);
  } catch (error) {
    if (error instanceof KeptLostError) return null;
    throw error;
  }
}
