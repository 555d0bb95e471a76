import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { NoRoomError, type Room } from '../files/room.ts';
import type { ArtifactStore } from '../files/store.ts';
import { LonghaulError } from '../errors.ts';
import { LeaseLostError } from '../jobs/model/job-errors.ts';
import type { StartedAttempt } from '../jobs/claim/claim.ts';
import type { Jobs } from '../jobs/jobs.ts';
import type { Log } from '../log.ts';
import type { OutboundFetch } from '../outbound/fetch.ts';
import { type BuiltIn, HandlerError } from './handler.ts';
import { HeldLease } from './held-lease.ts';

export interface RunnerOptions {
  jobs: Jobs;
  artifacts: ArtifactStore;
  fetch: OutboundFetch;
  handlers: ReadonlyMap<string, BuiltIn>;
  room: Room;
  /** The most jobs at once. */
  concurrency: number;
  /** Recorded in the attempts. */
  workerId: string;
  log: Log;
}

/** How long one claim waits. The next claim follows at once. */
const waitSeconds = 30;

/** The pause after a claim that failed, or an end that nobody could be told of. */
const retryMilliseconds = 1_000;

/** How often the database is told of an end, at most, once the process is to stop. */
const lastTries = 2;

/** The built-in worker: claims jobs, in every workspace, of the types that it has handlers for, and executes them. */
export class Runner {
  readonly #options: RunnerOptions;
  readonly #draining = new AbortController();
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

  /** Stops claiming, and goes on with the running attempts. May be called twice. */
  drain(): void {
    this.#draining.abort();
    this.#roomFreed?.();
  }

  /** Stops claiming, aborts the running attempts and releases them. May be called twice. */
  async stop(): Promise<void> {
    this.drain();
    this.#stopping.abort();
    await this.#loop;
    await Promise.all(this.#attempts);
  }

  async #claimForEver(): Promise<void> {
    const { jobs, concurrency, workerId, log, room } = this.#options;
    const { signal } = this.#draining;
    while (!signal.aborted) {
      // Before the types are read: a change after that ends the wait.
      const changed = AbortSignal.any([signal, room.changed]);
      const limit = Math.min(concurrency - this.#attempts.size, 100);
      if (limit === 0) {
        await new Promise<void>((resolve) => {
          this.#roomFreed = resolve;
        });
        continue;
      }
      const types = this.#claimable();
      if (types.length === 0) {
        await pause(Infinity, changed);
        continue;
      }
      try {
        const started = await jobs.claim(null, { types, limit, workerId, waitSeconds }, changed);
        for (const attempt of started) this.#begin(attempt);
      } catch (error) {
        log.warn({ err: error }, 'claiming failed; trying again');
        await pause(retryMilliseconds, signal);
      }
    }
  }

  /** No type that writes, while there is no room. */
  #claimable(): string[] {
    const { handlers, room } = this.#options;
    return [...handlers].filter(([, { writes }]) => !writes || !room.isFull).map(([type]) => type);
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
    const { jobs, artifacts, fetch, handlers, log, room } = this.#options;
    const { job } = started;
    const handler = handlers.get(job.type);
    if (handler === undefined) throw new Error(`claimed a job of type ${job.type} without a handler for it`);
    const lease = new HeldLease(this.#options, started, this.#stopping.signal);
    try {
      const { output, artifact } = await handler.handle({
        job,
        signal: lease.signal,
        report: (progress) => lease.report(progress),
        artifacts,
        fetch,
      });
      await lease.settled();
      await this.#insist(() => jobs.complete(null, { token: lease.token, output }, artifact));
    } catch (error) {
      if (error instanceof LeaseLostError || lease.lost) {
        log.info({ jobId: job.id }, 'stopped an attempt: the job was cancelled or the lease was lost');
      } else if (this.#stopping.signal.aborted || error instanceof NoRoomError) {
        // First, or it would be claimed here again.
        if (error instanceof NoRoomError) room.refused();
        await ignoreLeaseLost(this.#insist(() => jobs.release(null, { token: lease.token })));
      } else {
        const failure = this.#describe(error, job.id);
        await ignoreLeaseLost(this.#insist(() => jobs.fail(null, { token: lease.token, ...failure })));
      }
    } finally {
      await lease.close();
    }
  }

  /**
   * Tells of the end of an attempt until the database answers, which it does with LEASE_LOST once the lease is over. If only
   * the reply was lost, a completion has committed: then the file belongs to the job, and repeating it returns the same
   * result. Nothing here removes the file; see OrphanedFiles.
   */
  async #insist(tell: () => Promise<unknown>): Promise<void> {
    for (let left = lastTries; ; ) {
      try {
        await tell();
        return;
      } catch (error) {
        if (!(error instanceof LonghaulError) || error.code !== 'UNAVAILABLE') throw error;
        if (this.#stopping.signal.aborted) left -= 1;
        if (left === 0) throw error;
        this.#options.log.warn({ err: error }, 'the end of an attempt got no reply; trying again');
        await delay(retryMilliseconds);
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

/** Ends early with the signal; Infinity ends with it alone. */
async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (milliseconds === Infinity) {
    if (!signal.aborted) await once(signal, 'abort');
  } else await delay(milliseconds, undefined, { signal }).catch(() => undefined);
}
