import type { Database } from '../../database/database.ts';
import { newId } from '../../database/ids.ts';
import type { Log } from '../../log.ts';
import type { Kept } from '../stores/store.ts';
import { goneErrors, takenOver, tooSlow, type TransferError } from './transfer-errors.ts';
import type { Upload } from './upload.ts';
import { claimWriting, findForWriting, letGo, noteAlive, noteKept, type WriterRef } from './writer-rows.ts';

/** How often a writer says that it is alive, and how long it writes without having been able to: less than `silentSeconds`. */
const beatMilliseconds = 1_000;
const mostSilentMilliseconds = 3_500;

/** How long a writer waits for the next byte. */
const patienceMilliseconds = 60_000;

/**
 * One request that writes an upload, the only one at a time. It says every second that it is alive. If it could not say so for some
 * seconds it stops by itself, before another one goes on in its place.
 */
export class Writer {
  readonly ref: WriterRef;
  readonly #database: Database;
  readonly #log: Log;
  readonly #stopping = new AbortController();
  readonly #settled = Promise.withResolvers<void>();
  #beat: NodeJS.Timeout | null = null;
  #heardAt = performance.now();
  #readAt = performance.now();
  #beating = false;

  private constructor(database: Database, log: Log, ref: WriterRef) {
    this.#database = database;
    this.#log = log;
    this.ref = ref;
  }

  /** Null if the upload has another writer by now, or is not to be written any more: look at it again. */
  static async claim(database: Database, log: Log, found: Upload): Promise<{ writer: Writer; upload: Upload } | null> {
    const writer = new Writer(database, log, { id: found.id, writer: newId() });
    const upload = await claimWriting(database, found, writer.ref.writer);
    if (upload === null) return null;
    writer.#beat = setInterval(() => void writer.#sayAlive(), beatMilliseconds);
    return { writer, upload };
  }

  /** Aborts when it has to stop, with a TransferError if the upload is not its own any more. */
  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Resolves when it has let go. */
  get settled(): Promise<void> {
    return this.#settled.promise;
  }

  /** May be called twice. */
  stop(reason: Error): void {
    this.#stopping.abort(reason);
  }

  /** Passes chunks on, as long as it may write. */
  async *allowed(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
    this.#readAt = performance.now();
    for await (const chunk of source) {
      this.#readAt = Infinity;
      if (performance.now() - this.#heardAt > mostSilentMilliseconds) throw takenOver();
      yield chunk;
      this.#readAt = performance.now();
    }
    this.#readAt = Infinity;
  }

  /** @throws TransferError if the upload is not its own any more */
  async keep(kept: Kept): Promise<void> {
    const sent = performance.now();
    if (!(await noteKept(this.#database, this.ref, kept))) throw await this.whyNot();
    this.#heardAt = sent;
  }

  /** Lets the next one write. Called once, when nothing is written any more. Never throws. */
  async letGo(): Promise<void> {
    if (this.#beat !== null) clearInterval(this.#beat);
    try {
      await letGo(this.#database, this.ref);
    } catch (error) {
      this.#log.warn({ err: error, uploadId: this.ref.id }, 'could not let go of an upload; who goes on with it waits some seconds');
    } finally {
      this.#settled.resolve();
    }
  }

  /** Why it may not write any more. */
  async whyNot(): Promise<TransferError> {
    const found = await findForWriting(this.#database, this.ref.id);
    if (found === null) return goneErrors.NOT_FOUND();
    if (!found.wanted) return goneErrors.LEASE_LOST();
    return takenOver();
  }

  async #sayAlive(): Promise<void> {
    if (performance.now() - this.#readAt > patienceMilliseconds) this.stop(tooSlow());
    if (this.#beating) return;
    this.#beating = true;
    const sent = performance.now();
    try {
      if (await noteAlive(this.#database, this.ref)) this.#heardAt = sent;
      else this.stop(await this.whyNot());
    } catch (error) {
      this.#log.warn({ err: error, uploadId: this.ref.id }, 'could not say that an upload is being written');
    } finally {
      this.#beating = false;
    }
  }
}
