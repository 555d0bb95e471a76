import * as documents from './documents.ts';
import { errorOf, JobCancelled, JobFailed, NotFoundError } from './errors.ts';
import { isFinal, type Job, type JobLogLine, type JobProgress, type JobSummary, type LogLevel } from './job.ts';
import { begin, type Limits, link, type RunningLimits, within } from './limits.ts';
import type { Live } from './live/live.ts';
import { type Listening, type Updates, updatesOf } from './live/updates.ts';
import { cancel, idempotencyKey, mutate } from './mutate.ts';

/** An access token for a browser. */
export interface BrowserToken {
  token: string;
  expiresAt: string;
}

export interface UpdatesOptions extends Listening {
  /** Only versions above this one. */
  afterVersion?: number | undefined;
}

export interface ResultOptions extends Limits {
  /** Told of progress as it comes. */
  onProgress?: ((progress: JobProgress, job: Job) => void) | undefined;
}

export interface LogsOptions extends Listening {
  /** That one and all above it. */
  level?: LogLevel | undefined;
  /** Only lines above this one. */
  afterSequence?: number | undefined;
}

/** A job to watch and to act on. */
export class JobHandle<Output = unknown> {
  /** Any of its ids; after `submit` the global one. */
  readonly id: string;
  readonly #live: Live;
  /** Those of the call that made the handle hold for all that is done with it. */
  readonly #limits: RunningLimits;
  #guard: { release(): void } | null = null;

  constructor(live: Live, id: string, limits: RunningLimits) {
    this.#live = live;
    this.id = id;
    this.#limits = limits;
    this.#cancelWith(limits);
  }

  /**
   * The job now and after changes, in versions that only grow; ends after the one in which it is COMPLETED, FAILED or CANCELLED. Goes
   * on by itself across breaks, restarts and expired tokens. A slow reader may be spared versions in between, never the last.
   */
  updates({ afterVersion, onTransport, ...limits }: UpdatesOptions = {}): Updates<Job<Output>> {
    const { id } = this;
    const start = () => {
      let version = afterVersion;
      return {
        query: documents.jobProgress,
        newestOnly: true,
        variables: () => ({ id, afterVersion: version }),
        take: (data: Record<string, unknown>) => {
          const job = jobIn<Output>(data['jobProgress']);
          if (version !== undefined && job.version <= version) return [];
          ({ version } = job);
          if (isFinal(job.status)) this.#ended();
          return [job];
        },
      };
    };
    return updatesOf(this.#live, [this.#limits, begin(limits)], start, { onLimit: (limit) => this.#onLimit(limit), onTransport });
  }

  /** The output. @throws JobFailed, JobCancelled, AbortError, TimeoutError */
  async result({ onProgress, ...limits }: ResultOptions = {}): Promise<Output> {
    let last: Job<Output> | null = null;
    for await (const job of this.updates(limits)) {
      last = job;
      if (job.progress !== null) onProgress?.(job.progress, job);
    }
    if (last === null) throw errorOf({ code: 'INTERNAL', message: 'The server showed no version of the job.' });
    if (last.status === 'FAILED') throw new JobFailed(last);
    if (last.status === 'CANCELLED') throw new JobCancelled(last);
    // A COMPLETED job's output is what the type declares.
    return last.output as Output;
  }

  /** What its workers write down, each line once, in order; ends when the job has ended and the last line was sent. */
  logs({ level, afterSequence, onTransport, ...limits }: LogsOptions = {}): Updates<JobLogLine> {
    const { id } = this;
    const start = () => {
      let sequence = afterSequence;
      return {
        query: documents.jobLogs,
        newestOnly: false,
        variables: () => ({ id, level, afterSequence: sequence }),
        take: (data: Record<string, unknown>) => {
          const lines = (data['jobLogs'] as JobLogLine[]).filter((line) => sequence === undefined || line.sequence > sequence);
          sequence = lines.at(-1)?.sequence ?? sequence;
          return lines;
        },
      };
    };
    return updatesOf(this.#live, [this.#limits, begin(limits)], start, { onLimit: (limit) => this.#onLimit(limit), onTransport });
  }

  /** The job as it is now. @throws NotFoundError */
  async job(limits: Limits = {}): Promise<Job<Output>> {
    const { job } = await this.#within(limits, (signal) =>
      this.#live.http.ask<{ job: Job<Output> | null }>(documents.job, { id: this.id }, signal),
    );
    if (job === null) throw new NotFoundError({ code: 'NOT_FOUND', message: `There is no job ${this.id} for this key. Check the id.` });
    return job;
  }

  /** Cancels it: at once, and for good. @throws AlreadyFinishedError, NotFoundError */
  cancel(reason?: string, limits: Limits = {}): Promise<JobSummary> {
    return within([begin(limits)], (signal) => cancel(this.#live.http, this.id, reason, signal));
  }

  /** A new job with the same type and input. @throws NotRetryableError, InsufficientCreditsError, QueueFullError, NotFoundError */
  async retry({ idempotencyKey: key = idempotencyKey(), ...limits }: Limits & { idempotencyKey?: string } = {}): Promise<JobHandle<Output>> {
    const running = begin(limits);
    const { job } = await within([running], (signal) =>
      mutate<{ job: JobSummary }>(this.#live.http, documents.retryJob, { id: this.id, idempotencyKey: key }, signal),
    );
    return new JobHandle(this.#live, job.id, running);
  }

  /** A token with which a browser watches this job and nothing else. @param ttlSeconds 60 to 86,400; 900 where not given */
  browserToken({ ttlSeconds, ...limits }: Limits & { ttlSeconds?: number } = {}): Promise<BrowserToken> {
    return within([begin(limits)], (signal) => mutate(this.#live.http, documents.createAccessToken, { jobId: this.id, ttlSeconds }, signal));
  }

  #within<T>(limits: Limits, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return within([this.#limits, begin(limits)], run);
  }

  /** Cancels the job when the limit of its making ends, also while nobody watches it. */
  #cancelWith(limits: RunningLimits): void {
    if (limits.onAbort !== 'cancel' || (limits.signal === null && limits.timeout === Infinity)) return;
    const guard = link([limits]);
    this.#guard = guard;
    const onAbort = () => this.#cancelNow();
    if (guard.signal.aborted) onAbort();
    else guard.signal.addEventListener('abort', onAbort, { once: true });
  }

  #ended(): void {
    this.#guard?.release();
  }

  #onLimit({ onAbort }: RunningLimits): void {
    if (onAbort === 'cancel') this.#cancelNow();
  }

  /** In the background: the caller has gone on, and a job that has ended by then needs nothing. */
  #cancelNow(): void {
    this.#ended();
    this.cancel('Aborted by its client.').catch(() => {});
  }
}

function jobIn<Output>(value: unknown): Job<Output> {
  return value as Job<Output>;
}
