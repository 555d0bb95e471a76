import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../../log.ts';
import type { Queryable } from '../queryable.ts';
import { sqlState } from '../unavailable.ts';
import { findPlace, makeTable, type Place, record } from './record.ts';
import { type BackfillStep, batchStatement, type IndexStep, type Migration, type Step, statementsOf } from './step.ts';

/** Others wait behind a statement that waits for an exclusive lock, so it must not wait longer than they may. */
const lockMilliseconds = 200;
const pauseMilliseconds = 1_000;
const reportMilliseconds = 10_000;

/** A batch may take about so long: its rows are locked meanwhile. */
const batchMilliseconds = 100;
const largestBatch = 10_000;

/** SQLSTATEs that another transaction causes: lock_not_available, deadlock_detected. */
const passing = new Set(['55P03', '40P01']);

interface MigrationOptions {
  /** One connection, used by nobody else meanwhile, and no statement timeout. */
  session: Queryable;
  /** Another connection, to see how far an index is; null on the embedded database. */
  observer: Queryable | null;
  log: Log;
  /** How often progress is logged. */
  reportMilliseconds?: number;
}

/**
 * Runs the migrations, step by step. The process may be killed at any time: the next start goes on where this one was.
 *
 * @throws Error that names the step that failed
 */
export async function runMigrations(pending: readonly Migration[], options: MigrationOptions): Promise<void> {
  await makeTable(options.session);
  for (const migration of pending) {
    const started = performance.now();
    const start = (await findPlace(options.session, migration)) ?? { migration: migration.name, step: 0, after: null, rows: 0 };
    for (const [index, step] of migration.steps.entries()) {
      if (index < start.step) continue;
      const place = index === start.step ? start : { ...start, step: index, after: null, rows: 0 };
      const label = labelOf(migration, index);
      try {
        await new StepRun(options, migration, place, label).run(step);
      } catch (error) {
        throw new Error(`${label}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
      }
    }
    const seconds = (performance.now() - started) / 1_000;
    options.log.info({ migration: migration.name, seconds }, `migration ${migration.name}: done after ${seconds.toFixed(1)} s`);
  }
}

/** Names a step as the log does. */
export function labelOf({ name, steps }: Migration, index: number): string {
  return `migration ${name}, step ${index + 1} of ${steps.length} '${steps[index]?.name}'`;
}

class StepRun {
  readonly #session: Queryable;
  readonly #options: MigrationOptions;
  readonly #migration: Migration;
  readonly #label: string;
  #place: Place;

  constructor(options: MigrationOptions, migration: Migration, place: Place, label: string) {
    this.#session = options.session;
    this.#options = options;
    this.#migration = migration;
    this.#place = place;
    this.#label = label;
  }

  async run(step: Step): Promise<void> {
    if (step.kind === 'backfill') await this.#backfill(step);
    else if (step.kind === 'index' && this.#options.observer !== null) await this.#indexConcurrently(step);
    else {
      await this.#withProgress(() => null, () =>
        this.#transaction(async () => {
          for (const statement of statementsOf(step, { embedded: true })) await this.#session.query(statement);
          await this.#recordEnd();
        }),
      );
    }
  }

  /** Waits as long as it has to, because nobody waits behind it: it locks out only other changes of the table's structure. */
  async #indexConcurrently(step: IndexStep): Promise<void> {
    const [state] = await this.#session.query<{ valid: boolean }>(
      'SELECT indisvalid AS valid FROM pg_index WHERE indexrelid = to_regclass(quote_ident($1))',
      [step.index],
    );
    const [self] = await this.#session.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    await this.#withProgress(
      () => this.#indexProgress(self?.pid ?? 0),
      async () => {
        if (state?.valid === false) {
          this.#options.log.warn({}, `${this.#label}: it was left unfinished, and is made again`);
          await this.#session.query(`DROP INDEX CONCURRENTLY "${step.index}"`);
        }
        if (state?.valid !== true) {
          for (const statement of statementsOf(step, { embedded: false })) await this.#session.query(statement);
        }
      },
    );
    await this.#transaction(() => this.#recordEnd());
  }

  async #backfill(step: BackfillStep): Promise<void> {
    const [plan] = await this.#session.query<{ 'QUERY PLAN': [{ Plan: { 'Plan Rows': number } }] }>(
      `EXPLAIN (FORMAT JSON) SELECT FROM "${step.table}" WHERE (${step.where})`,
    );
    const total = this.#place.rows + (plan?.['QUERY PLAN'][0].Plan['Plan Rows'] ?? 0);
    const progress = () => {
      const { rows } = this.#place;
      return `${rows.toLocaleString('en')} rows, ${Math.min(99, Math.floor((100 * rows) / Math.max(total, 1)))} %`;
    };
    await this.#withProgress(progress, async () => {
      for (let size = 500, more = true; more; ) {
        const started = performance.now();
        more = await this.#batch(step, size);
        const ratio = batchMilliseconds / Math.max(performance.now() - started, 1);
        size = Math.min(largestBatch, Math.max(100, Math.floor(size * Math.min(2, ratio))));
      }
    });
    this.#options.log.info({}, `${this.#label}: ${this.#place.rows.toLocaleString('en')} rows, 100 %`);
  }

  /** Returns false if no row was left. */
  async #batch(step: BackfillStep, size: number): Promise<boolean> {
    const { after, rows } = this.#place;
    return this.#transaction(async () => {
      const statement = batchStatement(step, { isFirst: after === null });
      const [batch] = await this.#session.query<{ rows: number; last: string[] | null }>(statement, [after, size]);
      if (batch === undefined || batch.last === null) {
        await this.#recordEnd();
        return false;
      }
      this.#place = { ...this.#place, after: batch.last, rows: rows + batch.rows };
      await record(this.#session, this.#migration, this.#place);
      return true;
    });
  }

  #recordEnd(): Promise<void> {
    return record(this.#session, this.#migration, { ...this.#place, step: this.#place.step + 1, after: null, rows: 0 });
  }

  /** Tries again for as long as another transaction holds a lock that is needed. */
  async #transaction<T>(work: () => Promise<T>): Promise<T> {
    const place = this.#place;
    for (let tries = 0; ; tries += 1) {
      try {
        await this.#session.query('BEGIN');
        await this.#session.query(`SET LOCAL lock_timeout = ${lockMilliseconds}`);
        const result = await work();
        await this.#session.query('COMMIT');
        return result;
      } catch (error) {
        this.#place = place;
        await this.#session.query('ROLLBACK').catch(() => undefined);
        if (!passing.has(sqlState(error) ?? '')) throw error;
        if (tries % 10 === 0) {
          this.#options.log.warn({ err: error }, `${this.#label}: another transaction holds a lock${await this.#oldest()}; trying again`);
        }
        await delay(pauseMilliseconds);
      }
    }
  }

  async #oldest(): Promise<string> {
    const [found] = await this.#session.query<{ pid: number; name: string; seconds: number }>(
      `SELECT pid, application_name AS name, extract(epoch FROM now() - xact_start)::int AS seconds FROM pg_stat_activity
       WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL ORDER BY xact_start LIMIT 1`,
    );
    return found === undefined ? '' : ` (the oldest one is open for ${found.seconds} s: pid ${found.pid}, ${found.name})`;
  }

  async #indexProgress(pid: number): Promise<string | null> {
    const [found] = (await this.#options.observer?.query<{ phase: string; percent: number | null }>(
      `SELECT phase, (100 * blocks_done / nullif(blocks_total, 0))::int AS percent FROM pg_stat_progress_create_index WHERE pid = $1`,
      [pid],
    )) ?? [undefined];
    if (found === undefined) return null;
    return found.percent === null ? found.phase : `${found.phase}, ${found.percent} %`;
  }

  /** Logs the begin of the step, and how far it is from time to time. */
  async #withProgress(progress: () => string | null | Promise<string | null>, work: () => Promise<void>): Promise<void> {
    const { log } = this.#options;
    const started = performance.now();
    log.info({}, this.#place.rows === 0 ? this.#label : `${this.#label}: goes on after ${this.#place.rows.toLocaleString('en')} rows`);
    const report = async () => {
      // Progress is only for the log: failing to read it must not end the migration.
      const far = await Promise.resolve(progress()).catch(() => null);
      const seconds = Math.round((performance.now() - started) / 1_000);
      log.info({}, `${this.#label}: ${far ?? 'running'}, ${seconds} s so far`);
    };
    const timer = setInterval(() => void report(), this.#options.reportMilliseconds ?? reportMilliseconds);
    try {
      await work();
    } finally {
      clearInterval(timer);
    }
  }
}
