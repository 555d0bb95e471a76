import { LeaseLostError } from '../jobs/model/job-errors.ts';
import type { StartedAttempt } from '../jobs/claim/claim.ts';
import type { Jobs } from '../jobs/jobs.ts';
import { encodeLeaseToken } from '../jobs/claim/lease-token.ts';
import type { Report } from '../jobs/progress/report.ts';
import { isRunning } from '../jobs/model/state-machine.ts';
import type { Log } from '../log.ts';

interface LeaseServices {
  jobs: Jobs;
  log: Log;
}

/** Holds the lease of a running attempt: renews it, and aborts the handler when the lease is lost. */
export class HeldLease {
  readonly token: string;
  lost = false;
  readonly #services: LeaseServices;
  readonly #own = new AbortController();
  #lastReport: Promise<void> = Promise.resolve();
  readonly #watching: Promise<void>;
  readonly #heartbeat: NodeJS.Timeout;
  readonly signal: AbortSignal;

  constructor(services: LeaseServices, { job, token, leaseSeconds }: StartedAttempt, stopping: AbortSignal) {
    this.#services = services;
    this.token = encodeLeaseToken({ jobId: job.id, token });
    this.signal = AbortSignal.any([this.#own.signal, stopping]);
    // From its length alone: this machine's clock may differ from the database's, which judges the lease.
    this.#heartbeat = setInterval(() => this.report({}), (leaseSeconds * 1_000) / 3);
    this.#watching = this.#watch(job.id, job.attempt);
  }

  /** Resolves when the last report is written, so that no report arrives after the attempt has ended. */
  settled(): Promise<void> {
    return this.#lastReport;
  }

  report(progress: Omit<Report, 'token'>): void {
    if (this.#own.signal.aborted) return;
    const report = { token: this.token, ...progress };
    this.#lastReport = this.#services.jobs.report(null, report).then(noop, (error: unknown) => {
      if (error instanceof LeaseLostError) this.#lose();
      else this.#services.log.warn({ err: error }, 'could not write progress; the next report tries again');
    });
  }

  async close(): Promise<void> {
    clearInterval(this.#heartbeat);
    this.#own.abort();
    await this.#watching;
  }

  // The job's row shows every way of losing the job: cancelled, expired or superseded.
  async #watch(jobId: string, attempt: number): Promise<void> {
    for await (const job of this.#services.jobs.watch(jobId, 0, this.#own.signal)) {
      if (!isRunning(job.status) || job.attempt !== attempt) this.#lose();
    }
  }

  #lose(): void {
    if (this.#own.signal.aborted) return;
    this.lost = true;
    this.#own.abort();
  }
}

function noop(): void {}
