import { setTimeout as delay } from 'node:timers/promises';
import type { Bus, Unsubscribe } from '../../bus/bus.ts';
import type { Database } from '../../database/database.ts';
import type { Log } from '../../log.ts';
import { goneErrors, stopping, takenOver } from './transfer-errors.ts';
import type { Upload } from './upload.ts';
import { Writer } from './writer.ts';
import { findForWriting, type FoundUpload } from './writer-rows.ts';

/** Bus topic for uploads whose writer is to stop. A message is `uploadId writer`. */
const topic = 'uploads';

/** How long a request waits until the writer before it has let go; more than that may be silent. */
const patienceMilliseconds = 12_000;

/** How often it looks whether a writer of another process has let go. */
const lookMilliseconds = 50;

/** The writers of this process, and how one takes over from another, here or elsewhere. */
export class Writers {
  readonly #database: Database;
  readonly #bus: Bus;
  readonly #log: Log;
  readonly #here = new Map<string, Writer>();
  readonly #claims = new Set<Promise<unknown>>();
  #unsubscribe: Unsubscribe | null = null;
  #stopped = false;

  constructor({ database, bus, log }: { database: Database; bus: Bus; log: Log }) {
    this.#database = database;
    this.#bus = bus;
    this.#log = log;
  }

  async start(): Promise<void> {
    this.#unsubscribe = await this.#bus.subscribe(topic, (message) => {
      const [id = '', writer = ''] = message.split(' ');
      if (this.#here.get(id)?.ref.writer === writer) this.#here.get(id)?.stop(takenOver());
    });
  }

  /** Stops all writers, and resolves when they have let go: clients go on at another process. May be called twice. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#unsubscribe?.();
    for (const writer of this.#here.values()) writer.stop(stopping());
    await Promise.allSettled(this.#claims);
  }

  /** How many requests of this process write uploads. */
  get size(): number {
    return this.#here.size;
  }

  /**
   * Runs work as the only writer of an upload, when the one before it has let go. The writer is null if the upload is complete already.
   *
   * @throws TransferError
   */
  async run<Result>(id: string, work: (upload: Upload, writer: Writer | null) => Promise<Result>): Promise<Result> {
    const run = this.#run(id, work);
    this.#claims.add(run);
    try {
      return await run;
    } finally {
      this.#claims.delete(run);
    }
  }

  async #run<Result>(id: string, work: (upload: Upload, writer: Writer | null) => Promise<Result>): Promise<Result> {
    for (;;) {
      const { upload: found } = await this.#quiet(id);
      if (found.sha256 !== null) return work(found, null);
      const claimed = await Writer.claim(this.#database, this.#log, found);
      // Somebody else was first.
      if (claimed === null) continue;
      const { writer, upload } = claimed;
      this.#here.set(id, writer);
      try {
        if (this.#stopped) throw stopping();
        return await work(upload, writer);
      } finally {
        await writer.letGo();
        if (this.#here.get(id) === writer) this.#here.delete(id);
      }
    }
  }

  /** The upload when nobody writes it: whoever does is asked to stop. */
  async #quiet(id: string): Promise<FoundUpload> {
    const until = performance.now() + patienceMilliseconds;
    let asked: string | null = null;
    for (;;) {
      const found = await findForWriting(this.#database, id);
      if (found === null) throw goneErrors.NOT_FOUND();
      if (found.expired) throw goneErrors.EXPIRED();
      if (!found.wanted) throw goneErrors.LEASE_LOST();
      const { writer } = found.upload;
      if (writer === null || found.silent) return found;
      if (performance.now() > until) throw takenOver();
      if (asked !== writer) this.ask({ id, writer });
      asked = writer;
      const here = this.#here.get(id);
      if (here?.ref.writer === writer) await Promise.race([here.settled, delay(1_000)]);
      else await delay(lookMilliseconds);
    }
  }

  /** Asks a writer to stop, wherever it is. */
  ask({ id, writer }: { id: string; writer: string }): void {
    const here = this.#here.get(id);
    if (here?.ref.writer === writer) here.stop(takenOver());
    else this.#bus.publish(topic, `${id} ${writer}`);
  }
}
