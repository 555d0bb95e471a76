import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import {
  CancelJobDocument,
  ClaimJobsDocument,
  CompleteJobDocument,
  CreateJobsDocument,
  FailJobDocument,
  type JobStatus,
  ReleaseJobDocument,
  ReportProgressDocument,
} from '../graphql/generated/graphql.ts';
import { ask } from './client.ts';

/** What is to become of a job: each of them takes other changes of status. */
const fates = ['complete', 'fail', 'cancel', 'release', 'complete', 'withdraw'] as const;

/** One job, and the changes of status that its worker knows to have been committed. */
export interface WorkedJob {
  id: string;
  uuid: string;
  fate: (typeof fates)[number];
  statuses: JobStatus[];
  /** When its end was asked for (`performance.now()`); null while it goes on. */
  endAskedAt: number | null;
  token: string | null;
}

/** Reports under way at once. */
const lanes = 16;

/** Works on jobs over GraphQL as a remote worker does, through whichever of several processes answers. */
export class RemoteWorker {
  readonly jobs: WorkedJob[] = [];
  /** Calls that were refused although they should not have been. */
  readonly faults: string[] = [];
  readonly #steadyUrl: string;
  readonly #urls: readonly string[];
  readonly #key: string;
  readonly #lanes = new Set<Promise<void>>();
  #asked = 0;
  #reports = 0;

  /** @param steadyUrl of the one process that is not killed; what may not be said twice is said to it */
  constructor(steadyUrl: string, otherUrl: string, key: string) {
    this.#steadyUrl = steadyUrl;
    this.#urls = [steadyUrl, otherUrl];
    this.#key = key;
  }

  /** Creates jobs, their fates in turn. */
  async create(count: number): Promise<void> {
    const job = { type: 'comments', input: { sourceUrl: 'https://example.com/film.mp4' } };
    const input = { jobs: Array.from({ length: count }, () => job) };
    const { createJobs } = await ask(this.#steadyUrl, this.#key, CreateJobsDocument, { input });
    if (createJobs === null || !('jobs' in createJobs)) throw new Error(`refused: ${JSON.stringify(createJobs)}`);
    for (const [index, { id, uuid }] of createJobs.jobs.entries()) {
      const fate = fates[index % fates.length] ?? 'complete';
      this.jobs.push({ id, uuid, fate, statuses: ['PENDING'], endAskedAt: null, token: null });
    }
  }

  /** Claims them, those aside that are withdrawn before anyone takes them, and reports progress from then on. */
  async begin(jobs: readonly WorkedJob[]): Promise<void> {
    await this.#claim(jobs.filter(({ fate }) => fate !== 'withdraw'));
    while (this.#lanes.size < lanes) {
      const lane = this.#drive().catch((error: unknown) => {
        this.faults.push(`a report failed: ${String(error)}`);
      });
      this.#lanes.add(lane);
      void lane.then(() => this.#lanes.delete(lane));
    }
  }

  /** Ends a job as is its fate. */
  async end(job: WorkedJob): Promise<void> {
    if (job.fate === 'release') {
      const token = takeToken(job);
      // Said to the process that lives: said twice, the second would be answered LEASE_LOST.
      const { releaseJob } = await ask(this.#steadyUrl, this.#key, ReleaseJobDocument, { input: { token } });
      this.#expect(releaseJob, job, 'ReleaseJobPayload');
      job.statuses.push('PENDING');
      await this.#claim([job]);
    }
    job.endAskedAt = performance.now();
    const token = takeToken(job);
    job.statuses.push(await this.#finish(job, token));
  }

  /** Until no report is under way: all jobs have ended. */
  async rest(): Promise<void> {
    await Promise.all(this.#lanes);
  }

  async #finish(job: WorkedJob, token: string): Promise<JobStatus> {
    switch (job.fate) {
      case 'cancel':
      case 'withdraw': {
        const { cancelJob } = await this.#ask(CancelJobDocument, { input: { id: job.id } });
        // The process may have died between the commit and its answer.
        this.#expect(cancelJob, job, 'CancelJobPayload', 'AlreadyFinishedError');
        return 'CANCELLED';
      }
      case 'fail': {
        const failure = { code: 'OUT_OF_TAPE', message: 'The tape ran out.', retryable: false };
        const { failJob } = await this.#ask(FailJobDocument, { input: { token, ...failure } });
        this.#expect(failJob, job, 'FailJobPayload');
        return 'FAILED';
      }
      case 'complete':
      case 'release': {
        const { completeJob } = await this.#ask(CompleteJobDocument, { input: { token, output: { done: true } } });
        this.#expect(completeJob, job, 'CompleteJobPayload');
        return 'COMPLETED';
      }
    }
  }

  /** Of the process that lives: with a lost answer the jobs would stay taken until their leases end. */
  async #claim(jobs: readonly WorkedJob[]): Promise<void> {
    const open = new Map(jobs.map((job) => [job.id, job]));
    while (open.size > 0) {
      const jobIds = [...open.keys()].slice(0, 100);
      const input = { types: ['comments'], workerId: 'remote', jobIds, limit: jobIds.length, waitSeconds: 10 };
      const { claimJobs } = await ask(this.#steadyUrl, this.#key, ClaimJobsDocument, { input });
      if (claimJobs === null || !('leases' in claimJobs)) throw new Error(`refused: ${JSON.stringify(claimJobs)}`);
      for (const { job, token } of claimJobs.leases) {
        const claimed = open.get(job.id);
        if (claimed === undefined) throw new Error(`${job.id} was given out without having been asked for`);
        claimed.token = token;
        claimed.statuses.push('RUNNING');
        open.delete(job.id);
      }
    }
  }

  async #drive(): Promise<void> {
    for (let job = this.#next(); job !== undefined; job = this.#next()) {
      const { token } = job;
      if (token === null) continue;
      const input = { token, percentage: Math.min(99, this.#reports / 100), message: `report ${this.#reports}` };
      const { reportProgress } = await this.#ask(ReportProgressDocument, { input });
      // Its end may have overtaken the report.
      if (job.token === token) this.#expect(reportProgress, job, 'ReportProgressPayload');
    }
  }

  /** The jobs that are held, in turn. */
  #next(): WorkedJob | undefined {
    const held = this.jobs.filter(({ token }) => token !== null);
    this.#reports += 1;
    return held[this.#reports % held.length];
  }

  /** Asks the processes in turn, and the other one where the first does not answer. */
  async #ask<Data, Variables>(document: TypedDocumentNode<Data, Variables>, variables: Variables): Promise<Data> {
    this.#asked += 1;
    const first = this.#asked % this.#urls.length;
    const urls = [...this.#urls.slice(first), ...this.#urls.slice(0, first)];
    let refusal: unknown = null;
    for (const url of urls) {
      try {
        return await ask(url, this.#key, document, variables);
      } catch (error) {
        // So does `fetch` say that a connection was refused or broke.
        if (!(error instanceof TypeError)) throw error;
        refusal = error;
      }
    }
    throw new Error('no process answers', { cause: refusal });
  }

  #expect(answer: { __typename: string } | null, { id, fate }: WorkedJob, ...names: string[]): void {
    const { __typename: kind = 'nothing' } = answer ?? {};
    if (names.includes(kind)) return;
    this.faults.push(`${id} (${fate}): ${JSON.stringify(answer)}`);
  }
}

/** From here on nothing is reported with it. */
function takeToken(job: WorkedJob): string {
  const { token } = job;
  job.token = null;
  return token ?? '';
}
