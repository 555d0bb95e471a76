import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { ResultFiles } from '../files/result-files.ts';
import type { Store } from '../files/stores/store.ts';
import type { Room } from '../files/room.ts';
import { NoRoomError, StoreUnavailableError } from '../files/stores/errors.ts';
import { LonghaulError, ValidationError } from '../errors.ts';
import { LeaseLostError } from '../jobs/model/job-errors.ts';
import type { StartedAttempt } from '../jobs/claim/claim.ts';
import type { Claim } from '../jobs/claim/claim-request.ts';
import type { Jobs } from '../jobs/jobs.ts';
import type { Job } from '../jobs/model/job.ts';
import type { JsonValue } from '../json.ts';
import type { Log } from '../log.ts';
import type { OutboundFetch } from '../outbound/fetch.ts';
import { type Attempt, type BuiltIn, HandlerError } from './handler.ts';
import { HeldLease } from './held-lease.ts';
import { ScratchFullError } from './media/scratch-full.ts';
import { type Held, Shares } from './shares.ts';

interface RunnerOptions {
  jobs: Jobs;
  artifacts: ResultFiles;
  store: Store;
  fetch: OutboundFetch;
  handlers: ReadonlyMap<string, BuiltIn>;
  /** Where handlers write. `scratch` is null where none of them works there. */
  rooms: { files: Room; scratch: Room | null };
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
  readonly #shares: Shares;
  /** Aborts when the next attempt ends. */
  #ended = new AbortController();

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#shares = new Shares(options.concurrency);
  }

  start(): void {
    if (this.#options.handlers.size > 0) this.#loop ??= this.#claimForEver();
  }

  /** Stops claiming, and goes on with the running attempts. May be called twice. */
  drain(): void {
    this.#draining.abort();
  }

  /** Stops claiming, aborts the running attempts and releases them. May be called twice. */
  async stop(): Promise<void> {
    this.drain();
    this.#stopping.abort();
    await this.#loop;
    await Promise.all(this.#attempts);
  }

  async #claimForEver(): Promise<void> {
    const { log, rooms } = this.#options;
    const { signal } = this.#draining;
    while (!signal.aborted) {
      // Before the types are read: a change after that ends the wait.
      const changed = AbortSignal.any([signal, rooms.files.changed, ...(rooms.scratch === null ? [] : [rooms.scratch.changed])]);
      const types = this.#claimable();
      try {
        if (types.length === 0) await pause(Infinity, changed);
        else await this.#claim(types, changed);
      } catch (error) {
        log.warn({ err: error }, 'claiming failed; trying again');
        await pause(retryMilliseconds, signal);
      }
    }
  }

  /** Claims what there is room for; see Shares. Who has its share gets more only where nobody else waits. */
  async #claim(types: string[], changed: AbortSignal): Promise<void> {
    const shares = this.#shares;
    const free = Math.min(this.#options.concurrency - this.#attempts.size, 100);
    const without = shares.satisfied;
    const ended = AbortSignal.any([changed, this.#ended.signal]);
    if (free <= 0) {
      if (!shares.isUneven) await pause(Infinity, ended);
      else if ((await this.#begin({ types, without, limit: 1, waitSeconds }, ended)) > 0) shares.giveWay();
      return;
    }
    if (without.length > 0) {
      const waits = Math.min(waitSeconds, shares.contended / 1_000);
      if ((await this.#begin({ types, without, limit: Math.min(free, shares.room), waitSeconds: waits }, waits > 0 ? ended : changed)) > 0 || waits > 0) return;
    }
    await this.#begin({ types, limit: without.length > 0 ? free : Math.min(free, shares.room), waitSeconds }, changed);
  }

  /** Resolves to how many attempts it has begun. */
  async #begin(asked: Omit<Claim, 'workerId'>, signal: AbortSignal): Promise<number> {
    const { jobs, workerId } = this.#options;
    const started = await jobs.claim(null, { ...asked, workerId }, signal);
    for (const attempt of started) this.#carryOut(attempt);
    return started.length;
  }

  /** No type that writes, while there is no room. */
  #claimable(): string[] {
    const { handlers, rooms } = this.#options;
    return [...handlers].filter(([, { writesTo }]) => !writesTo.some((each) => rooms[each]?.isFull)).map(([type]) => type);
  }

  #carryOut(started: StartedAttempt): void {
    const givingWay = new AbortController();
    const held: Held = { workspaceId: started.job.workspaceId, giveWay: () => givingWay.abort() };
    this.#shares.began(held);
    const attempt = this.#attempt(started, givingWay.signal)
      .catch((error: unknown) => {
        // The lease expires by itself, and the attempt with it.
        this.#options.log.error({ err: error, jobId: started.job.id }, 'could not end an attempt');
      })
      .finally(() => {
        this.#attempts.delete(attempt);
        this.#shares.ended(held);
        const ended = this.#ended;
        this.#ended = new AbortController();
        ended.abort();
      });
    this.#attempts.add(attempt);
  }

  /** @param givingWay aborts when the job is to be handed back for another workspace */
  async #attempt(started: StartedAttempt, givingWay: AbortSignal): Promise<void> {
    const { jobs, artifacts, fetch, handlers, log } = this.#options;
    const { job } = started;
    const handler = handlers.get(job.type);
    if (handler === undefined) throw new Error(`claimed a job of type ${job.type} without a handler for it`);
    const lease = new HeldLease(this.#options, started, AbortSignal.any([this.#stopping.signal, givingWay]));
    try {
      const { output, artifacts: files } = await handler.handle({
        job,
        signal: lease.signal,
        report: (progress) => void lease.report(progress),
        checkpoint: () => this.#checkpointFor(job),
        keep: (checkpoint) => lease.report({ checkpoint }),
        loggable: (error) => lease.error(error),
        log: lease.log,
        artifacts,
        openUpload: (reference) => this.#openUpload(job, reference),
        fetch,
      });
      await lease.settled();
      await this.#insist(() => jobs.complete(null, { token: lease.token, output: lease.withoutSecrets(output) }, files));
    } catch (error) {
      // What it kept last is for the next attempt.
      await lease.settled();
      const full = this.#fullRoom(error);
      if (error instanceof LeaseLostError || lease.lost) {
        log.info({ jobId: job.id }, 'stopped an attempt: the job was cancelled or the lease was lost');
      } else if (this.#stopping.signal.aborted || givingWay.aborted || full !== null) {
        // First, or it would be claimed here again.
        full?.refused(error);
        lease.log.warn('handed back', { reason: full !== null ? 'its files cannot be stored now' : givingWay.aborted ? 'another workspace waits' : 'the worker stops' });
        await lease.settled();
        await ignoreLeaseLost(this.#insist(() => jobs.release(null, { token: lease.token })));
      } else {
        const described = this.#describe(error, lease, job.id);
        const failure = { ...described, message: lease.sentence(described.message) };
        lease.log.error(failure.message, { code: failure.code });
        await lease.settled();
        await ignoreLeaseLost(this.#insist(() => jobs.fail(null, { token: lease.token, ...failure })));
      }
    } finally {
      await lease.close();
    }
  }

  async #openUpload(job: Job, reference: string): ReturnType<Attempt['openUpload']> {
    const { jobs, store } = this.#options;
    const named = (await jobs.uploads([job])).find((each) => each.reference === reference);
    const file = named === undefined ? null : await store.open({ workspaceId: job.workspaceId, id: named.upload.id });
    return named === undefined || file === null ? null : { upload: named.upload, file };
  }

  /** Where the database does not answer, the attempt begins anew: that is no failure. */
  async #checkpointFor(job: Job): Promise<JsonValue> {
    if (job.attempt === 1) return null;
    try {
      return (await this.#options.jobs.checkpoints([job])).get(job.id) ?? null;
    } catch (error) {
      this.#options.log.warn({ err: error, jobId: job.id }, 'could not read what an earlier attempt has kept; beginning anew');
      return null;
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

  /** The place that is full, or does not answer, if that is why an attempt failed: no fault of the job's. */
  #fullRoom(error: unknown): Room | null {
    const { files, scratch } = this.#options.rooms;
    if (error instanceof ScratchFullError) return scratch;
    return error instanceof NoRoomError || error instanceof StoreUnavailableError ? files : null;
  }

  /** The failure that the submitter sees. The message of a bug goes only to the log. */
  #describe(error: unknown, lease: HeldLease, jobId: string): { code: string; message: string; retryable: boolean; retryAfterSeconds?: number | null } {
    if (error instanceof HandlerError) {
      const { code, message, retryable, retryAfterSeconds } = error;
      return { code, message, retryable, retryAfterSeconds };
    }
    // Of the completion.
    if (error instanceof ValidationError) return { code: 'OUTPUT_REFUSED', message: error.message, retryable: false };
    this.#options.log.error({ err: lease.error(error), jobId }, 'a handler failed unexpectedly');
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
