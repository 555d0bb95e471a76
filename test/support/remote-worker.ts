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

/** How a job is to end. Each fate takes different changes of status. */
const fates = ['complete', 'fail', 'cancel', 'release', 'complete', 'withdraw'] as const;

/** One job, with the changes of status that its worker knows were committed. */
export interface WorkedJob {
  id: string;
  uuid: string;
  fate: (typeof fates)[number];
  statuses: JobStatus[];
  /** When its end was requested (`performance.now()`); null while it runs. */
  endAskedAt: number | null;
  token: string | null;
}

/** Most concurrent reports. */
const lanes = 16;

/** A remote worker over GraphQL, which uses whichever of several processes answers. */
export class RemoteWorker {
  readonly jobs: WorkedJob[] = [];
  /** Calls that were wrongly refused. */
  readonly faults: string[] = [];
  readonly #steadyUrl: string;
  readonly #urls: readonly string[];
  readonly #key: string;
  readonly #lanes = new Set<Promise<void>>();
  #asked = 0;
  #reports = 0;

  /** @param steadyUrl URL of the process that is not killed; it gets the calls that must not be repeated */
  constructor(steadyUrl: string, otherUrl: string, key: string) {
    this.#steadyUrl = steadyUrl;
    this.#urls = [steadyUrl, otherUrl];
    this.#key = key;
  }

  /** Creates jobs, with the fates in turn. */
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

  /** Claims the jobs, except those that are cancelled while PENDING, and then reports progress. */
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

  /** Ends a job according to its fate. */
  async end(job: WorkedJob): Promise<void> {
    if (job.fate === 'release') {
      const token = takeToken(job);
      // Call the process that is not killed, because a repetition would be answered LEASE_LOST.
      const { releaseJob } = await ask(this.#steadyUrl, this.#key, ReleaseJobDocument, { input: { token } });
      this.#expect(releaseJob, job, 'ReleaseJobPayload');
      job.statuses.push('PENDING');
      await this.#claim([job]);
    }
    job.endAskedAt = performance.now();
    const token = takeToken(job);
    job.statuses.push(await this.#finish(job, token));
  }

  /** Resolves when all jobs have ended and no report is running. */
  async rest(): Promise<void> {
    await Promise.all(this.#lanes);
  }

  async #finish(job: WorkedJob, token: string): Promise<JobStatus> {
    switch (job.fate) {
      case 'cancel':
      case 'withdraw': {
        const { cancelJob } = await this.#ask(CancelJobDocument, { input: { id: job.id } });
        // The process may have died after the commit, before its answer.
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

  /** Claims from the process that is not killed: if an answer were lost, the jobs would be held until their leases expire. */
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
      // The job may have ended before the report.
      if (job.token === token) this.#expect(reportProgress, job, 'ReportProgressPayload');
    }
  }

  /** The held jobs, in turn. */
  #next(): WorkedJob | undefined {
    const held = this.jobs.filter(({ token }) => token !== null);
    this.#reports += 1;
    return held[this.#reports % held.length];
  }

  /** Calls the processes in turn, and the other one if the first does not answer. */
  async #ask<Data, Variables>(document: TypedDocumentNode<Data, Variables>, variables: Variables): Promise<Data> {
    this.#asked += 1;
    const first = this.#asked % this.#urls.length;
    const urls = [...this.#urls.slice(first), ...this.#urls.slice(0, first)];
    let refusal: unknown = null;
    for (const url of urls) {
      try {
        return await ask(url, this.#key, document, variables);
      } catch (error) {
        // `fetch` throws a TypeError if a connection is refused or breaks.
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

/** Takes the token, so that no more reports are sent with it. */
function takeToken(job: WorkedJob): string {
  const { token } = job;
  job.token = null;
  return token ?? '';
}
