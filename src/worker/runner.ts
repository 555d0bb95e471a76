import type { ArtifactStore } from '../files/store.ts';
import { LonghaulError } from '../errors.ts';
import { LeaseLostError } from '../jobs/model/job-errors.ts';
import type { StartedAttempt } from '../jobs/claim/claim.ts';
import type { Jobs } from '../jobs/jobs.ts';
import type { Log } from '../log.ts';
import type { OutboundFetch } from '../outbound/fetch.ts';
import { type Handler, HandlerError, type Result } from './handler.ts';
import { HeldLease } from './held-lease.ts';

export interface RunnerOptions {
  jobs: Jobs;
  artifacts: ArtifactStore;
  fetch: OutboundFetch;
  handlers: ReadonlyMap<string, Handler>;
  /** The most jobs at once. */
  concurrency: number;
  /** Recorded in the attempts. */
  workerId: string;
  log: Log;
}

/** How long one claim waits. The next claim follows at once. */
const waitSeconds = 30;

/** The pause after a failed claim or completion. */
const retryMilliseconds = 1_000;

/** The built-in worker: claims jobs, in every workspace, of the types that it has handlers for, and executes them. */
export class Runner {
  readonly #options: RunnerOptions;
  readonly #stopping = new AbortController();
  readonly #attempts = new Set<Promise<void>>();
  #loop: Promise<void> | null = null;
  #roomFreed: (() => void) | null = null;

  constructor(options: RunnerOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#options.handlers.size > 0) this.#loop ??= this.#claimForEver();
  }

  /** Stops claiming, aborts the running attempts and releases them. May be called twice. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#roomFreed?.();
    await this.#loop;
    await Promise.all(this.#attempts);
  }

  async #claimForEver(): Promise<void> {
    const { jobs, handlers, concurrency, workerId, log } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const limit = Math.min(concurrency - this.#attempts.size, 100);
      if (limit === 0) {
        await new Promise<void>((resolve) => {
          this.#roomFreed = resolve;
        });
        continue;
      }
      try {
        const started = await jobs.claim(null, { types: [...handlers.keys()], limit, workerId, waitSeconds }, signal);
        for (const attempt of started) this.#begin(attempt);
      } catch (error) {
        log.warn({ err: error }, 'claiming failed; trying again');
        await pause(retryMilliseconds, signal);
      }
    }
  }

  #begin(started: StartedAttempt): void {
    const attempt = this.#carryOut(started)
      .catch((error: unknown) => {
        // The lease expires by itself, and the attempt with it.
        this.#options.log.error({ err: error, jobId: started.job.id }, 'could not end an attempt');
      })
      .finally(() => {
        this.#attempts.delete(attempt);
        this.#roomFreed?.();
      });
    this.#attempts.add(attempt);
  }

  async #carryOut(started: StartedAttempt): Promise<void> {
    const { jobs, artifacts, fetch, handlers, log } = this.#options;
    const { job } = started;
    const handler = handlers.get(job.type);
    if (handler === undefined) throw new Error(`claimed a job of type ${job.type} without a handler for it`);
    const lease = new HeldLease(this.#options, started, this.#stopping.signal);
    try {
      const result = await handler({
        job,
        signal: lease.signal,
        report: (progress) => lease.report(progress),
        artifacts,
        fetch,
      });
      await lease.settled();
      await this.#complete(lease.token, result);
    } catch (error) {
      if (error instanceof LeaseLostError || lease.lost) {
        log.info({ jobId: job.id }, 'stopped an attempt: the job was cancelled or the lease was lost');
      } else if (this.#stopping.signal.aborted) {
        await ignoreLeaseLost(jobs.release(null, { token: lease.token }));
      } else {
        await ignoreLeaseLost(jobs.fail(null, { token: lease.token, ...this.#describe(error, job.id) }));
      }
    } finally {
      await lease.close();
    }
  }

  /**
   * Retries until the database answers. If the reply was lost, the completion may have committed: then the file
   * belongs to the job, and repeating the completion returns the same result. Nothing here removes the file; see
   * OrphanedFiles.
   */
  async #complete(token: string, { output, artifact }: Result): Promise<void> {
    const { jobs, log } = this.#options;
    for (;;) {
      try {
        await jobs.complete(null, { token, output }, artifact);
        return;
      } catch (error) {
        const isInDoubt = error instanceof LonghaulError && error.code === 'UNAVAILABLE';
        if (!isInDoubt || this.#stopping.signal.aborted) throw error;
        log.warn({ err: error }, 'a completion got no reply; trying again');
        await pause(retryMilliseconds, this.#stopping.signal);
      }
    }
  }

  /** The failure that the submitter sees. The message of a bug goes only to the log. */
  #describe(error: unknown, jobId: string): { code: string; message: string; retryable: boolean } {
    if (error instanceof HandlerError) return { code: error.code, message: error.message, retryable: error.retryable };
    this.#options.log.error({ err: error, jobId }, 'a handler failed unexpectedly');
    return { code: 'PROCESSING_ERROR', message: 'The job failed unexpectedly.', retryable: true };
  }
}

async function ignoreLeaseLost(ending: Promise<unknown>): Promise<void> {
  try {
    await ending;
  } catch (error) {
    if (!(error instanceof LeaseLostError)) throw error;
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener('abort', done, { once: true });
    function done() {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
  });
}
