import { ValidationError } from '../errors.ts';
import type { LogLine } from '../jobs/logs/append.ts';
import { JobDeletedError, LeaseLostError } from '../jobs/model/job-errors.ts';
import type { StartedAttempt } from '../jobs/claim/claim.ts';
import type { Jobs } from '../jobs/jobs.ts';
import type { Job } from '../jobs/model/job.ts';
import { encodeLeaseToken } from '../jobs/claim/lease-token.ts';
import type { Report } from '../jobs/progress/report.ts';
import { isFinal, isRunning } from '../jobs/model/state-machine.ts';
import { type Mask, masked, maskedError, maskedObject, maskFor } from '../jobs/types/masking.ts';
import type { JsonValue } from '../json.ts';
import type { Log } from '../log.ts';
import { AttemptLog } from './attempt-log.ts';
import { AttemptOver, JobOver, type LostBy } from './handler.ts';

interface LeaseServices {
  jobs: Jobs;
  log: Log;
}

/** Holds the lease of a running attempt: renews it, and aborts the handler when the lease is lost. */
export class HeldLease {
  readonly token: string;
  lost = false;
  readonly #services: LeaseServices;
  readonly #attempt: { jobId: string; attempt: number };
  readonly #begunAt = performance.now();
  readonly #timeoutSeconds: number;
  readonly #own = new AbortController();
  #lastReport: Promise<unknown> = Promise.resolve();
  readonly #watching: Promise<void>;
  readonly #heartbeat: NodeJS.Timeout;
  /** Null where the job's input has no secrets. */
  readonly #mask: Mask | null;
  readonly signal: AbortSignal;
  readonly log = new AttemptLog((lines) => this.#append(lines));

  constructor(services: LeaseServices, { job, token, leaseSeconds }: StartedAttempt, stopping: AbortSignal) {
    this.#services = services;
    this.#attempt = { jobId: job.id, attempt: job.attempt };
    const type = services.jobs.types.get(job.type);
    this.#mask = maskFor(type, job.input);
    this.#timeoutSeconds = type?.timeoutSeconds ?? Infinity;
    this.token = encodeLeaseToken({ jobId: job.id, token });
    this.signal = AbortSignal.any([this.#own.signal, stopping]);
    // From its length alone: this machine's clock may differ from the database's, which judges the lease.
    this.#heartbeat = setInterval(() => void this.report({}), (leaseSeconds * 1_000) / 3);
    this.#watching = this.#watch();
  }

  /** Resolves when the last report and line are written, so that none arrives after the attempt has ended. */
  async settled(): Promise<void> {
    await Promise.all([this.#lastReport, this.log.settled()]);
  }

  /** What the job's readers are told, with ••• where it has a secret of the job's input. */
  withoutSecrets(value: JsonValue): JsonValue {
    return masked(this.#mask, value);
  }

  /** The same, of a sentence. */
  sentence(text: string): string {
    return this.#mask?.(text) ?? text;
  }

  /** The same, of an error that goes to the server's log. */
  error(error: unknown): unknown {
    return maskedError(this.#mask, error);
  }

  /** Resolves to whether it was written. Never rejects. */
  report(report: Omit<Report, 'token'>): Promise<boolean> {
    if (this.lost || this.#own.signal.aborted) return Promise.resolve(false);
    const { step, message } = report;
    const told = { ...(step == null ? {} : { step: this.sentence(step) }), ...(message == null ? {} : { message: this.sentence(message) }) };
    const written = this.#services.jobs.report(null, { token: this.token, ...report, ...told }).then(
      () => true,
      async (error: unknown) => {
        if (error instanceof LeaseLostError) await this.#lose(error.job);
        else this.#services.log.warn({ err: error }, 'could not write progress; the next report tries again');
        return false;
      },
    );
    this.#lastReport = written;
    return written;
  }

  async close(): Promise<void> {
    clearInterval(this.#heartbeat);
    this.#own.abort();
    await Promise.all([this.#watching, this.settled()]);
  }

  /** Lines that cannot be written are gone: an attempt does not wait for its log. */
  async #append(lines: readonly LogLine[]): Promise<void> {
    if (this.lost || this.#own.signal.aborted) return;
    try {
      const shown = lines.map(({ message, fields, ...line }) => ({ ...line, message: this.sentence(message), fields: fields == null ? fields : maskedObject(this.#mask, fields) }));
      await this.#services.jobs.logs.append(null, { token: this.token, lines: shown });
    } catch (error) {
      const half = Math.ceil(lines.length / 2);
      if (error instanceof LeaseLostError) await this.#lose(error.job);
      // One that is refused keeps no other from the log.
      else if (error instanceof ValidationError && lines.length > 1) for (const lot of [lines.slice(0, half), lines.slice(half)]) await this.#append(lot);
      else this.#services.log.warn({ err: error, lines: lines.length }, "could not write lines to a job's log");
    }
  }

  // The job's row shows every way of losing the job: cancelled, expired or superseded.
  async #watch(): Promise<void> {
    const { jobId, attempt } = this.#attempt;
    try {
      for await (const job of this.#services.jobs.watch(jobId, 0, this.#own.signal)) {
        if (!isRunning(job.status) || job.attempt !== attempt) await this.#lose(job);
      }
    } catch (error) {
      if (!(error instanceof JobDeletedError)) throw error;
      // Only jobs that have ended are deleted.
      await this.#lose(null);
    }
  }

  /** @param job as it is now, where that is known */
  async #lose(job: Job | null): Promise<void> {
    if (this.lost || this.#own.signal.aborted) return;
    this.lost = true;
    const by = await this.#lostBy();
    this.#own.abort(job !== null && isFinal(job.status) ? new JobOver(by) : new AttemptOver(by));
  }

  async #lostBy(): Promise<LostBy> {
    try {
      const outcome = await this.#services.jobs.imposedOn(this.#attempt);
      if (outcome !== null && outcome !== 'EXPIRED') return outcome;
      // A report may learn that the lease is over before the sweep has said why. It was claimed a moment before it began here.
      const isOverdue = performance.now() - this.#begunAt > (this.#timeoutSeconds - 1) * 1_000;
      return outcome === null && isOverdue ? 'TIMEOUT' : 'LEASE_LOST';
    } catch (error) {
      this.#services.log.warn({ err: error }, 'could not read how an attempt was lost');
      return 'LEASE_LOST';
    }
  }
}
