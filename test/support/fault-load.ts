import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { isFinal } from '../../src/jobs/model/state-machine.ts';
import type { JobStatus } from '../graphql/generated/graphql.ts';
import { PatientWatcher, WatcherClients } from './patient-watchers.ts';

/** What becomes of a job, in turn. The remote types are in `faultTypes`; the others are for the built-in worker. */
const fates = ['complete', 'download', 'fail', 'fingerprint', 'cancel', 'withdraw'] as const;
type Fate = (typeof fates)[number];

/** JOB_TYPES of a process under this load. Leases are short, so that what a fault left behind is soon taken over. */
export const faultTypes = ['complete', 'fail', 'cancel', 'download', 'fingerprint'].map((name) => ({
  name,
  credits: 3,
  maxAttempts: 50,
  leaseSeconds: 3,
}));

const remoteTypes = ['complete', 'fail', 'cancel'];

/** A client gives a call up after this, in milliseconds, and does not know what became of it. */
const patience = 2_500;

/** Pauses between a client's calls: after an answer, and after none. Milliseconds. */
const pace = { usual: 40, again: 250 };

/** What a client knows of a job that was accepted. */
export interface AcceptedJob {
  fate: Fate;
  /** How it ended, as told in answers. */
  told: Set<JobStatus>;
}

interface Answer {
  data?: Record<string, Outcome | null> | null;
  errors?: { message: string; extensions?: { code?: string } }[];
}

interface Outcome {
  code?: string;
  job?: { id: string; status: JobStatus };
  leases?: { token: string; job: { id: string; type: Fate } }[];
}

/**
 * Clients of two apis that create, claim, complete, fail, cancel and watch jobs, and write down what they are told. A client
 * that got no answer asks again: with the same idempotency key, or the same token.
 */
export class FaultLoad {
  tried = 0;
  failed = 0;
  readonly jobs = new Map<string, AcceptedJob>();
  readonly watchers: PatientWatcher[] = [];
  /** What no client may ever be told. */
  readonly faults: string[] = [];
  readonly #urls: readonly string[];
  readonly #key: string;
  readonly #sourceUrl: string;
  readonly #clients: WatcherClients;
  readonly #creating = new AbortController();
  readonly #working = new AbortController();
  readonly #ids = new Map<string, string>();
  #creators: Promise<void>[] = [];
  #workers: Promise<void>[] = [];
  #cancels: Promise<void>[] = [];
  #asked = 0;

  constructor(options: { urls: readonly string[]; key: string; sourceUrl: string }) {
    this.#urls = options.urls;
    this.#key = options.key;
    this.#sourceUrl = options.sourceUrl;
    this.#clients = new WatcherClients(options.urls, options.key);
  }

  start(): void {
    this.#creators = Array.from({ length: 8 }, (_, n) => this.#create(n));
    this.#workers = Array.from({ length: 4 }, (_, n) => this.#work(`remote ${n}`));
  }

  /** Resolves when all that was created was accepted, and what was to be cancelled was. Workers go on. */
  async created(): Promise<void> {
    this.#creating.abort();
    await Promise.all(this.#creators);
    await Promise.all(this.#cancels);
  }

  async stop(): Promise<void> {
    await this.created();
    this.#working.abort();
    await Promise.all(this.#workers);
    await this.#clients.close();
  }

  /** One job of each worker, from its creation to its end. */
  async canary(): Promise<void> {
    for (const fate of ['complete', 'fingerprint'] as const) {
      const id = await this.#submit(fate);
      const watcher = this.watchers.find(({ jobId }) => jobId === id);
      await watcher?.heard;
    }
  }

  async #create(n: number): Promise<void> {
    for (let turn = n; !this.#creating.signal.aborted; turn += 1) {
      const fate = fates[turn % fates.length] ?? 'complete';
      const id = await this.#submit(fate);
      if (fate === 'cancel' || fate === 'withdraw') this.#cancels.push(this.#cancel(id));
      await delay(pace.usual);
    }
  }

  async #submit(fate: Fate): Promise<string> {
    const idempotencyKey = randomUUID();
    const type = fate === 'withdraw' ? 'download' : fate;
    const input = { type, input: { sourceUrl: `${this.#sourceUrl}/${idempotencyKey}` }, idempotencyKey };
    const { job } = await this.#insist('createJob', '... on CreateJobPayload { job { id status } }', 'CreateJobInput!', input);
    if (job === undefined) throw new Error('a creation was refused');
    this.jobs.set(job.id, { fate, told: this.jobs.get(job.id)?.told ?? new Set() });
    const earlier = this.#ids.get(idempotencyKey);
    if (earlier !== undefined && earlier !== job.id) this.faults.push(`one key made ${earlier} and ${job.id}`);
    this.#ids.set(idempotencyKey, job.id);
    this.watchers.push(new PatientWatcher(this.#clients.next(), job.id));
    return job.id;
  }

  async #cancel(id: string): Promise<void> {
    await delay(pace.usual * 2);
    const selection = '... on CancelJobPayload { job { id status } } ... on AlreadyFinishedError { job { id status } }';
    const { job } = await this.#insist('cancelJob', selection, 'CancelJobInput!', { id });
    if (job !== undefined) this.#tell(job);
  }

  async #work(workerId: string): Promise<void> {
    const { signal } = this.#working;
    while (!signal.aborted) {
      const input = { types: remoteTypes, workerId, limit: 10, waitSeconds: 1 };
      const selection = '... on ClaimJobsPayload { leases { token job { id type } } }';
      // What is lost with the answer comes again when its lease has ended.
      const { leases = [] } = (await this.#ask('claimJobs', selection, 'ClaimJobsInput!', input)) ?? {};
      await Promise.all(leases.map(({ token, job }) => this.#end(token, job.type)));
      if (leases.length === 0) await delay(pace.again);
    }
  }

  async #end(token: string, type: Fate): Promise<void> {
    // A cancellation finds it running.
    if (type === 'cancel') await delay(pace.again);
    const failure = { code: 'BROKEN', message: 'It broke.', retryable: false };
    const { job } =
      type === 'fail'
        ? await this.#insist('failJob', '... on FailJobPayload { job { id status } }', 'FailJobInput!', { token, ...failure })
        : await this.#insist('completeJob', '... on CompleteJobPayload { job { id status } }', 'CompleteJobInput!', { token, output: { done: true } });
    if (job !== undefined) this.#tell(job);
  }

  #tell({ id, status }: { id: string; status: JobStatus }): void {
    if (!isFinal(status)) this.faults.push(`${id} had ended, and was told to be ${status}`);
    // A job may be claimed before its creator has been answered.
    const job = this.jobs.get(id) ?? { fate: 'complete', told: new Set() };
    job.told.add(status);
    this.jobs.set(id, job);
  }

  /** Asks until there is an answer. */
  async #insist(field: string, selection: string, type: string, input: object): Promise<Outcome> {
    for (;;) {
      const outcome = await this.#ask(field, selection, type, input);
      if (outcome !== null) return outcome;
      await delay(pace.again);
    }
  }

  /** Asks the apis in turn. Null for a call that failed: nobody knows what became of it. */
  async #ask(field: string, selection: string, type: string, input: object): Promise<Outcome | null> {
    this.tried += 1;
    this.#asked += 1;
    const url = this.#urls[this.#asked % this.#urls.length];
    const query = `mutation ($input: ${type}) { ${field}(input: $input) { ${selection} ... on UserError { code } } }`;
    try {
      const response = await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${this.#key}` },
        body: JSON.stringify({ query, variables: { input } }),
        signal: AbortSignal.timeout(patience),
      });
      const { data, errors = [] }: Answer = JSON.parse(await response.text());
      const wrong = errors.filter(({ extensions }) => extensions?.code !== 'UNAVAILABLE');
      this.faults.push(...wrong.map(({ message }) => `${field}: ${message}`));
      const outcome = data?.[field] ?? null;
      if (outcome === null) this.failed += 1;
      const { code } = outcome ?? {};
      if (code !== undefined && !['LEASE_LOST', 'ALREADY_FINISHED'].includes(code)) this.faults.push(`${field}: ${code}`);
      return outcome;
    } catch {
      this.failed += 1;
      return null;
    }
  }
}
