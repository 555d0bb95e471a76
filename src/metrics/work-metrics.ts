import { Counter, Histogram, type Metric } from 'prom-client';
import type { EndedAttempt, JobObserver } from '../jobs/model/observer.ts';
import { isFinal } from '../jobs/model/state-machine.ts';
import type { DeliveryObserver, TryOutcome } from '../webhooks/observer.ts';
import { BoundedLabel, mostTypes } from './labels.ts';

const registers: [] = [];

/** Codes are the workers' own. */
const mostCodes = 50;

/** What this process has done with jobs and webhooks, counted as it happens. */
export class WorkMetrics implements JobObserver, DeliveryObserver {
  readonly #types = new BoundedLabel(mostTypes);
  readonly #codes = new BoundedLabel(mostCodes);
  readonly #attempts = new Counter({
    name: 'longhaul_attempts_ended_total',
    help: 'Attempts that this process has ended, by type, outcome and error code (empty where there is none).',
    labelNames: ['type', 'outcome', 'code'],
    registers,
  });
  readonly #jobs = new Counter({
    name: 'longhaul_jobs_ended_total',
    help: 'Jobs that this process has ended, by type, status and error code (empty where there is none).',
    labelNames: ['type', 'status', 'code'],
    registers,
  });
  readonly #expired = new Counter({
    name: 'longhaul_leases_expired_total',
    help: 'Attempts that ended because their worker went silent.',
    registers,
  });
  readonly #waits = new Histogram({
    name: 'longhaul_job_wait_seconds',
    help: 'From due to claimed, of the attempts that this process handed out.',
    labelNames: ['type'],
    buckets: [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3_600, 21_600],
    registers,
  });
  readonly #runs = new Histogram({
    name: 'longhaul_job_run_seconds',
    help: 'From claimed to ended, of the attempts that this process ended.',
    labelNames: ['type'],
    buckets: [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3_600, 14_400],
    registers,
  });
  readonly #tries = new Counter({
    name: 'longhaul_webhook_tries_total',
    help: 'Tries to deliver a webhook that this process made, by outcome: delivered, retried (another follows) or given_up.',
    labelNames: ['outcome'],
    registers,
  });

  constructor() {
    // Counters begin at 0, so that the first of them is an increase.
    this.#expired.inc(0);
    for (const outcome of ['delivered', 'retried', 'given_up'] satisfies TryOutcome[]) this.#tries.inc({ outcome }, 0);
  }

  get all(): Metric[] {
    return [this.#attempts, this.#jobs, this.#expired, this.#waits, this.#runs, this.#tries];
  }

  started(type: string, waitedSeconds: number): void {
    this.#waits.observe({ type: this.#types.of(type) }, Math.max(0, waitedSeconds));
  }

  ended({ job, outcome, code, ranSeconds }: EndedAttempt): void {
    const labels = { type: this.#types.of(job.type), code: code === null ? '' : this.#codes.of(code) };
    if (isFinal(job.status)) this.#jobs.inc({ ...labels, status: job.status });
    // A job that waited had no attempt to end.
    if (ranSeconds === null) return;
    this.#attempts.inc({ ...labels, outcome });
    if (outcome === 'EXPIRED') this.#expired.inc();
    this.#runs.observe({ type: labels.type }, ranSeconds);
  }

  tried(outcome: TryOutcome): void {
    this.#tries.inc({ outcome });
  }
}
