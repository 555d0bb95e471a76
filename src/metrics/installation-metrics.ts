import { setTimeout as delay } from 'node:timers/promises';
import { Gauge, type Metric } from 'prom-client';
import type { Database } from '../database/database.ts';
import { countExpiredFiles } from '../files/expiry.ts';
import { countExpiredUploads } from '../files/uploads/removal.ts';
import { readBacklog } from '../jobs/read/backlog.ts';
import type { Jobs } from '../jobs/jobs.ts';
import type { Log } from '../log.ts';
import { countBacklog } from '../webhooks/backlog.ts';
import { countOldKeys } from '../workspaces/idempotency-key.ts';
import { BoundedLabel, mostTypes } from './labels.ts';

/** However often it is scraped, the database is asked once in this time. */
const freshMilliseconds = 2_000;

/** A scrape does not wait longer for the database: Prometheus gives it ten seconds. */
const patienceMilliseconds = 3_000;

const registers: [] = [];

/**
 * What the database says of the whole installation, the same on every process: read when it is scraped, by queries that look
 * at nothing that has ended. While the database is away these figures are left out, and `longhaul_database_up` is 0.
 */
export class InstallationMetrics {
  readonly #database: Database;
  readonly #jobs: Pick<Jobs, 'retentionBacklog'>;
  readonly #log: Log;
  readonly #types = new BoundedLabel(mostTypes);
  readonly #up = new Gauge({ name: 'longhaul_database_up', help: '1 if the database answered the last scrape.', registers });
  readonly #pending = byType('longhaul_pending_jobs', 'Jobs that wait, in all workspaces, as of some seconds ago.');
  readonly #running = byType('longhaul_running_jobs', 'Jobs that run, in all workspaces, as of some seconds ago.');
  readonly #oldest = byType('longhaul_oldest_pending_seconds', 'How long the job next in turn has been due, the longest of all workspaces.');
  readonly #workers = byType('longhaul_live_workers', 'Workers alive that claim jobs of the type, on all processes.');
  readonly #deliveries = new Gauge({
    name: 'longhaul_webhook_backlog',
    help: 'Webhook deliveries that are due (ready) or wait for their next try (waiting), at most 100,000 of each.',
    labelNames: ['state'],
    registers,
  });
  readonly #retention = new Gauge({
    name: 'longhaul_retention_backlog',
    help: 'What is due to be removed and was not yet, at most 100,000 of each, and 20,000 jobs.',
    labelNames: ['what'],
    registers,
  });
  #readAt = -Infinity;
  #reading: Promise<void> | null = null;

  constructor({ database, jobs, log }: { database: Database; jobs: Pick<Jobs, 'retentionBacklog'>; log: Log }) {
    this.#database = database;
    this.#jobs = jobs;
    this.#log = log;
  }

  get all(): Metric[] {
    return [this.#up, this.#pending, this.#running, this.#oldest, this.#workers, this.#deliveries, this.#retention];
  }

  /** Reads them, unless that was done just now. Never rejects. */
  async refresh(): Promise<void> {
    if (performance.now() - this.#readAt < freshMilliseconds) return;
    this.#reading ??= this.#read().finally(() => {
      this.#reading = null;
    });
    const tooLate = new AbortController();
    try {
      await Promise.race([this.#reading, delay(patienceMilliseconds, undefined, tooLate).then(() => this.#away())]);
    } finally {
      tooLate.abort();
    }
  }

  async #read(): Promise<void> {
    const { reads } = this.#database;
    try {
      const [types, deliveries, files, uploads, keys, old] = await Promise.all([
        readBacklog(reads),
        countBacklog(reads),
        countExpiredFiles(reads),
        countExpiredUploads(reads),
        countOldKeys(reads),
        this.#jobs.retentionBacklog(),
      ]);
      this.#clear();
      this.#up.set(1);
      const longest = new Map<string, number>();
      for (const { type, pending, running, oldestSeconds, workers } of types) {
        const labels = { type: this.#types.of(type) };
        this.#pending.inc(labels, pending);
        this.#running.inc(labels, running);
        this.#workers.inc(labels, workers);
        longest.set(labels.type, Math.max(longest.get(labels.type) ?? 0, oldestSeconds));
      }
      for (const [type, seconds] of longest) this.#oldest.set({ type }, seconds);
      this.#deliveries.set({ state: 'ready' }, deliveries.ready);
      this.#deliveries.set({ state: 'waiting' }, deliveries.waiting);
      this.#retention.set({ what: 'files' }, files);
      this.#retention.set({ what: 'uploads' }, uploads);
      this.#retention.set({ what: 'idempotency_keys' }, keys);
      this.#retention.set({ what: 'jobs' }, old.jobs);
      this.#retention.set({ what: 'changes' }, old.changes);
      this.#readAt = performance.now();
    } catch (error) {
      this.#log.warn({ err: error }, 'the figures of the installation could not be read');
      this.#away();
    }
  }

  #away(): void {
    this.#clear();
    this.#up.set(0);
  }

  #clear(): void {
    for (const metric of [this.#pending, this.#running, this.#oldest, this.#workers, this.#deliveries, this.#retention]) metric.reset();
  }
}

function byType(name: string, help: string): Gauge<'type'> {
  return new Gauge({ name, help, labelNames: ['type'], registers });
}
