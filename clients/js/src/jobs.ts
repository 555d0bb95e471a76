import * as documents from './documents.ts';
import type { Http } from './http.ts';
import type { Job, JobStatus } from './job.ts';
import { begin, type Limits, type RunningLimits, within } from './limits.ts';

/** What is null or left out does not narrow. */
export interface JobFilter {
  statuses?: readonly JobStatus[] | undefined;
  types?: readonly string[] | undefined;
  /** Jobs that bear every one of these. */
  tags?: readonly string[] | undefined;
  createdAfter?: Date | string | undefined;
  createdBefore?: Date | string | undefined;
  finishedAfter?: Date | string | undefined;
  finishedBefore?: Date | string | undefined;
  /** At most 100. */
  ids?: readonly string[] | undefined;
  errorCodes?: readonly string[] | undefined;
  workerIds?: readonly string[] | undefined;
  dialects?: readonly ('NATIVE' | 'VIDOCU' | 'VIDEOCONDUIT' | 'VYDRA' | 'REVID')[] | undefined;
  scheduleIds?: readonly string[] | undefined;
  clientReference?: string | undefined;
}

export interface JobsOptions extends Limits {
  /** Default: NEWEST_FIRST. */
  order?: 'NEWEST_FIRST' | 'OLDEST_FIRST' | undefined;
  /** Jobs on a page: 1 to 100, 50 where not given. */
  pageSize?: number | undefined;
}

/** Some jobs, and where the next ones begin. */
export interface JobPage {
  jobs: Job[];
  /** For `page({ after })`; null on the last page. */
  next: string | null;
}

/** The jobs of a filter: a loop over it goes over all pages, read as it comes to them. */
export class JobList implements AsyncIterable<Job> {
  readonly #http: Http;
  readonly #filter: JobFilter;
  readonly #order: JobsOptions['order'];
  readonly #pageSize: number;
  readonly #limits: RunningLimits;

  constructor(http: Http, filter: JobFilter, { order, pageSize = 50, ...limits }: JobsOptions) {
    this.#http = http;
    this.#filter = filter;
    this.#order = order;
    this.#pageSize = pageSize;
    this.#limits = begin(limits);
  }

  /** One page. @param after another page's `next`; the first page where not given */
  async page({ after, ...limits }: Limits & { after?: string | null | undefined } = {}): Promise<JobPage> {
    const variables = { filter: this.#filter, order: this.#order, first: this.#pageSize, after };
    const { jobs } = await within([this.#limits, begin(limits)], (signal) => this.#http.ask<Connection>(documents.jobs, variables, signal));
    const { hasNextPage, endCursor } = jobs.pageInfo;
    return { jobs: jobs.edges.map(({ node }) => node), next: hasNextPage ? endCursor : null };
  }

  /** How many there are. @param upTo counts no further: 1 to 100,000; 10,000 where not given */
  async count(upTo?: number): Promise<{ value: number; exact: boolean }> {
    const { jobs } = await within([this.#limits], (signal) =>
      this.#http.ask<{ jobs: { count: { value: number; exact: boolean } } }>(documents.countJobs, { filter: this.#filter, upTo }, signal),
    );
    return jobs.count;
  }

  /** Page by page. */
  async *pages(): AsyncGenerator<JobPage, void> {
    let after: string | null = null;
    do {
      const page: JobPage = await this.page({ after });
      yield page;
      after = page.next;
    } while (after !== null);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Job, void> {
    for await (const { jobs } of this.pages()) yield* jobs;
  }
}

interface Connection {
  jobs: { edges: { node: Job }[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } };
}
