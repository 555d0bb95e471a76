import { createHash } from 'node:crypto';
import type { Client } from '../client.ts';
import { errorOf, LeaseLostError, NotFoundError } from '../errors.ts';
import { downloadFrom } from '../download.ts';
import { begin } from '../limits.ts';
import { sendResult, sendResultStream } from '../upload.ts';
import type { Calls, Lease } from './calls.ts';
import { checked, type Handler, type LogLine, type OpenedFile, type Run, type StopReason } from './handler.ts';
import { failureOf } from './outcome.ts';
import { Reports } from './reports.ts';
import { asJson, checkpointOf, lineOf, reportOf } from './told.ts';

/** A result file, as completeJob takes it. */
type Saved = { uploadId: string; name: string };

/** One attempt at a job, from its claim to its last word. */
export class Attempt {
  readonly lease: Lease;
  readonly #client: Client;
  readonly #calls: Calls;
  readonly #handler: Handler;
  /** Of the handler's work. */
  readonly #stop = new AbortController();
  /** Of what is told to the server: aborted when there is nobody to tell. */
  readonly #over = new AbortController();

  constructor(client: Client, calls: Calls, handler: Handler, lease: Lease) {
    this.#client = client;
    this.#calls = calls;
    this.#handler = handler;
    this.lease = lease;
  }

  /** The handler is told to stop, and what it still gives is not sent, but where the attempt is handed back. */
  stop(reason: StopReason): void {
    if (this.#stop.signal.aborted) return;
    if (reason !== 'DRAIN') this.#over.abort(reason);
    this.#stop.abort(reason);
  }

  /** Runs the handler, and tells the server what came of it. Rejects where the server refuses to hear it. */
  async run(): Promise<void> {
    const { token } = this.lease;
    const reports = new Reports(this.#calls, token, this.#over.signal, () => this.stop('LEASE_LOST'));
    const saves: Promise<Saved>[] = [];
    const { signal } = this.#stop;
    try {
      let outcome: ['complete' | 'fail' | 'release', object];
      try {
        const input = await checked(this.#handler.input, this.lease.job.input, 'INVALID_INPUT');
        const given = await this.#handler.run(this.#given(input, reports, saves));
        const output = await checked(this.#handler.output, given, 'INVALID_OUTPUT');
        asJson(output, 'INVALID_OUTPUT');
        // In the order of the calls, whichever was sent first; those that the handler did not wait for, too.
        const artifacts = (await Promise.allSettled(saves)).flatMap((save) => (save.status === 'fulfilled' ? [save.value] : []));
        outcome = ['complete', { ...(output === undefined ? {} : { output }), ...(artifacts.length === 0 ? {} : { artifacts }) }];
      } catch (error) {
        outcome = signal.aborted && signal.reason === 'DRAIN' ? ['release', {}] : ['fail', failureOf(error)];
      }
      if (this.#over.signal.aborted) return;
      await reports.flush();
      await this.#tell(...outcome);
    } catch (error) {
      // The lease is over, and its job somebody else's.
      if (!(error instanceof LeaseLostError) && !this.#over.signal.aborted) throw error;
    }
  }

  /** Hands it back while its handler, which was told to stop, still runs. */
  async release(): Promise<void> {
    const { token } = this.lease;
    if (!this.#over.signal.aborted) await this.#calls.send('release', { token }, this.#over.signal);
    this.#over.abort('DRAIN');
  }

  async #tell(call: 'complete' | 'fail' | 'release', values: object): Promise<void> {
    const { token } = this.lease;
    try {
      await this.#calls.send(call, { token, ...values }, this.#over.signal);
    } catch (error) {
      if (call !== 'complete' || error instanceof LeaseLostError || this.#over.signal.aborted) throw error;
      // An output that the server does not take.
      await this.#calls.send('fail', { token, ...failureOf(error), code: 'OUTPUT_REFUSED', retryable: false }, this.#over.signal);
    }
  }

  #given(input: unknown, reports: Reports, saves: Promise<Saved>[]): Run<unknown> {
    const { attempt, checkpoint, job } = this.lease;
    const line = (level: LogLine['level']) => (message: string, fields?: Record<string, unknown>) => reports.log(lineOf(level, message, fields));
    return {
      input,
      attempt,
      jobId: job.id,
      signal: this.#stop.signal,
      progress: (percentage, message, step) => reports.report(reportOf(percentage, message, step)),
      log: { debug: line('DEBUG'), info: line('INFO'), warn: line('WARN'), error: line('ERROR') },
      checkpoint: { last: checkpoint ?? null, save: (value) => reports.report({ checkpoint: checkpointOf(value) }) },
      files: {
        open: (reference) => this.#open(reference),
        save: (name, content, about = {}) => {
          const saving = this.#save(name, content, about).then(({ id: uploadId }) => ({ uploadId, name }));
          saves.push(saving);
          return saving.then(() => undefined);
        },
      },
    };
  }

  async #open(reference: string): Promise<OpenedFile> {
    const file = this.lease.files.find((one) => one.reference === reference);
    if (file === undefined) throw new NotFoundError({ code: 'NOT_FOUND', message: `The input names no file ${reference}.` });
    const opened = await downloadFrom(async () => file, { fetch: this.#client.http.fetch, limits: begin({ signal: this.#stop.signal }), patience: 'endless' });
    const stream = opened.stream.pipeThrough(wholeBy(file.sha256));
    const blob = () => new Response(stream, { headers: { 'content-type': file.mediaType } }).blob();
    return { ...opened, bytes: file.bytes, stream, blob };
  }

  async #save(name: string, content: Blob | AsyncIterable<Uint8Array> | Uint8Array | string, about: { filename?: string; mediaType?: string }) {
    const { token } = this.lease;
    const whole = typeof content === 'string' ? new Blob([content]) : content instanceof Uint8Array ? new Blob([new Uint8Array(content)]) : content;
    const mediaType = about.mediaType ?? (whole instanceof Blob && whole.type !== '' ? whole.type : undefined);
    const input = { token, filename: about.filename ?? name, ...(mediaType === undefined ? {} : { mediaType }) };
    const { signal } = this.#stop;
    const sending = whole instanceof Blob ? sendResult(this.#client.http, input, whole, signal) : sendResultStream(this.#client.http, input, whole, signal);
    return sending.catch((error: unknown) => {
      if (error instanceof LeaseLostError) this.stop('LEASE_LOST');
      throw error;
    });
  }
}

/** Lets a file through, and fails at its end where it is another one. */
function wholeBy(sha256: string): TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
  const digest = createHash('sha256');
  return new TransformStream({
    transform(part, controller) {
      digest.update(part);
      controller.enqueue(part);
    },
    flush() {
      if (digest.digest('hex') !== sha256) throw errorOf({ code: 'CHECKSUM_MISMATCH', message: 'What was read is not the file that was stored. Read it again.' });
    },
  });
}
