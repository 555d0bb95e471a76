import type { Database } from '../../src/database/database.ts';
import { createContext } from '../../src/jobs/create-context.ts';
import type { Jobs } from '../../src/jobs/jobs.ts';
import type { JobsContext } from '../../src/jobs/model/context.ts';
import { webhookSurfaces } from '../../src/server/webhook-surfaces.ts';
import type { StartedAttempt } from '../../src/jobs/claim/claim.ts';
import type { Claim } from '../../src/jobs/claim/claim-request.ts';
import { Claimer } from '../../src/jobs/claim/claimer.ts';
import { createJob } from '../../src/jobs/create/create.ts';
import type { JobRequest } from '../../src/jobs/create/job-request.ts';
import type { CreationQueue } from '../../src/jobs/create/creation-queue.ts';
import type { NamedFile } from '../../src/files/named-file.ts';
import { findJob } from '../../src/jobs/read/find.ts';
import type { Appended } from '../../src/jobs/logs/append-queue.ts';
import type { LogLine } from '../../src/jobs/logs/append.ts';
import type { JobLogLine } from '../../src/jobs/logs/line.ts';
import type { Job } from '../../src/jobs/model/job.ts';
import { Pauses } from '../../src/jobs/pausing/pauses.ts';
import { Workforce } from '../../src/jobs/workers/workforce.ts';
import type { JsonValue } from '../../src/json.ts';
import { encodeLeaseToken } from '../../src/jobs/claim/lease-token.ts';
import { type Report } from '../../src/jobs/progress/report.ts';
import { type CreditTransaction, findWorkspace, listCreditTransactions } from '../../src/workspaces/find.ts';
import type { Longhaul } from './longhaul.ts';

/** A running attempt, as its worker sees it. */
export interface HeldJob {
  job: Job;
  /** The token that workers send. */
  token: string;
  expiresAt: Date;
  leaseSeconds: number;
}

/** The default job of tests: one credit, three attempts, a lease of 30 s, a time limit of an hour. */
export const usualRequest = {
  type: 'fingerprint',
  input: { sourceUrl: 'https://example.com/a.mp4' },
} satisfies JobRequest;

/** A tenant with its client and its worker, at the level of the domain. */
export class Tenant {
  readonly id: string;
  readonly #longhaul: Longhaul;

  private constructor(longhaul: Longhaul, id: string) {
    this.#longhaul = longhaul;
    this.id = id;
  }

  static async in(longhaul: Longhaul, options: { credits?: number; concurrencyLimit?: number } = {}): Promise<Tenant> {
    const { id } = await longhaul.workspace(options);
    return new Tenant(longhaul, id);
  }

  /** Wraps an existing tenant. */
  static of(longhaul: Longhaul, workspaceId: string): Tenant {
    return new Tenant(longhaul, workspaceId);
  }

  create(asked: Partial<JobRequest> = {}, queue?: CreationQueue): Promise<Job> {
    const request = { ...usualRequest, ...asked };
    return queue === undefined
      ? this.#jobs.create(this.id, request, { dialect: 'NATIVE' })
      : createJob(contextOf(this.#longhaul), queue, this.id, request, { dialect: 'NATIVE' });
  }

  createAll(asked: Partial<JobRequest>[]): Promise<Job[]> {
    const requests = asked.map((one) => ({ ...usualRequest, ...one }));
    return this.#jobs.createMany(this.id, requests, { dialect: 'NATIVE' });
  }

  /** Claims like a WORK key of this workspace. Does not wait unless asked to. */
  async claim(asked: Partial<Claim> = {}, signal?: AbortSignal): Promise<HeldJob[]> {
    const claim = { types: [usualRequest.type], workerId: 'worker', ...asked };
    return (await this.#jobs.claim(this.id, claim, signal)).map(held);
  }

  /** Claims this job. */
  async start(job: Job): Promise<HeldJob> {
    const [started] = await this.claim({ types: [job.type], jobIds: [job.id] });
    if (started === undefined) throw new Error('The job could not be claimed.');
    return started;
  }

  /** Creates a job and claims it. */
  async running(asked: Partial<JobRequest> = {}): Promise<HeldJob> {
    return this.start(await this.create(asked));
  }

  report(token: string, report: Omit<Report, 'token'> = {}): Promise<Date> {
    return this.#jobs.report(this.id, { token, ...report });
  }

  /** Appends lines; a text is a message. */
  log(token: string, ...lines: (string | LogLine)[]): Promise<Appended> {
    return this.#jobs.logs.append(this.id, { token, lines: lines.map((line) => (typeof line === 'string' ? { message: line } : line)) });
  }

  /** The newest 10,000 lines of a job at most. */
  lines(jobId: string): Promise<JobLogLine[]> {
    const all = { after: 0, upTo: null, level: 'DEBUG', attempt: null, direction: 'ASC', limit: 20_000 } as const;
    return this.#jobs.logs.list(this.id, [jobId], all);
  }

  /** Like the built-in worker, which has written the files. */
  complete(token: string, output: JsonValue = { done: true }, artifacts: readonly NamedFile[] = []): Promise<Job> {
    return this.#jobs.complete(this.id, { token, output }, artifacts);
  }

  fail(token: string, { code = 'BROKEN', message = 'It broke.', retryable = true } = {}): Promise<Job> {
    return this.#jobs.fail(this.id, { token, code, message, retryable });
  }

  release(token: string): Promise<Job> {
    return this.#jobs.release(this.id, { token });
  }

  cancel(jobId: string, reason: string | null = null): Promise<Job> {
    return this.#jobs.cancel(this.id, jobId, { reason });
  }

  async read(jobId: string): Promise<Job> {
    const job = await findJob(this.#database.hot, this.id, jobId);
    if (job === null) throw new Error('The job is not there.');
    return job;
  }

  async balance(): Promise<number> {
    const workspace = await findWorkspace(this.#database.em(), this.id);
    return workspace?.credits ?? Number.NaN;
  }

  /** In order of ids. */
  ledger(): Promise<CreditTransaction[]> {
    const everything = { above: null, below: null, direction: 'ASC', limit: 10_000 } as const;
    return listCreditTransactions(this.#database.em(), this.id, everything);
  }

  /** Counts rows; `$1` is the workspace. */
  async count(sql: string): Promise<number> {
    const [row] = await this.#database.hot.query<{ count: number }>(`SELECT count(*)::int AS count ${sql}`, [this.id]);
    return row?.count ?? Number.NaN;
  }

  get #jobs(): Jobs {
    return this.#longhaul.services.jobs;
  }

  get #database(): Database {
    return this.#longhaul.services.database;
  }
}

/** The context for transitions of another process of this installation. */
export function contextOf({ services }: Longhaul): JobsContext {
  const { bus, database, jobs, links, log, workMetrics } = services;
  const surfaces = webhookSurfaces(links);
  return createContext({
    ...services,
    ...jobs,
    notifiesOfCancellation: (dialect) => surfaces[dialect].notifiesOfCancellation,
    observer: workMetrics,
    workforce: new Workforce(database, log),
    pauses: new Pauses(database, bus, log),
  });
}

export function held({ job, token, ...lease }: StartedAttempt): HeldJob {
  return { job, token: encodeLeaseToken({ jobId: job.id, token }), ...lease };
}

/**
 * Runs a whole sweep that starts now. It sweeps twice, because the first call may join a running sweep, which may have read
 * before the test's change.
 */
export async function sweep({ sweeper }: Longhaul): Promise<void> {
  await sweeper.sweepLeases();
  await sweeper.sweepLeases();
}

/** Writes and reads the list of workers now. */
export async function settleWorkers({ services }: Longhaul): Promise<void> {
  await services.loops.find(({ name }) => name === 'keeping the list of workers')?.settle();
}

/** Ends the lease, as if the worker had been silent for too long. */
export async function endLease({ services }: Longhaul, jobId: string): Promise<void> {
  await services.database.hot.query(
    `UPDATE lease SET expires_at = now() - interval '1 s' WHERE job_id = $1`,
    [jobId],
  );
}

/** Makes the job due, as if its runAt or backoff had passed, and sweeps. */
export async function becomeDue(longhaul: Longhaul, jobId: string): Promise<void> {
  const { database } = longhaul.services;
  await database.hot.query(`UPDATE job SET due_at = now(), dispatch_at = now() WHERE id = $1`, [jobId]);
  await sweep(longhaul);
}

/** The claimer of another process. It is not started, so it gets no wake-ups and needs no stop. */
export function rivalClaimer(longhaul: Longhaul, context = contextOf(longhaul)): Claimer {
  const { bus, log } = longhaul.services;
  return new Claimer(context, bus, log);
}

/** Expects the work to fail with this kind of error, and returns it. */
export async function refusal<Kind extends Error>(
  kind: abstract new (...parameters: never[]) => Kind,
  work: Promise<unknown>,
): Promise<Kind> {
  try {
    await work;
  } catch (error) {
    if (error instanceof kind) return error;
    throw error;
  }
  throw new Error(`This should have been refused with ${kind.name}.`);
}

export function inOneHour(): Date {
  return new Date(Date.now() + 3_600_000);
}
