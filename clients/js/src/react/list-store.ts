import type { Client } from '../client.ts';
import type { Job } from '../job.ts';
import type { JobFilter, JobList, JobsOptions } from '../jobs.ts';
import * as documents from '../documents.ts';
import { matches } from './matches.ts';
import { Store } from './store.ts';

/** Some jobs as they are shown. */
export interface ShownJobs {
  /** Of the pages that were read, in order, each as it is now. */
  jobs: readonly Job[];
  /** Whether a page is being read. */
  isLoading: boolean;
  /** Whether there are more: `loadMore`. */
  hasMore: boolean;
  /** Why it is not followed any more; null while it is. */
  error: unknown;
}

export const noJobs: ShownJobs = { jobs: [], isLoading: true, hasMore: false, error: null };

/** Reads the pages of a filter, and follows what changes in them (PROTOCOL.md, U4). */
export class ListStore extends Store<ShownJobs> {
  readonly #client: Client;
  readonly #filter: JobFilter;
  readonly #list: JobList;
  readonly #newestFirst: boolean;
  #next: string | null = null;
  /** What has changed while a page is read, which may be older; null while none is. */
  #meanwhile: Job[] | null = null;

  constructor(client: Client, filter: JobFilter, options: Pick<JobsOptions, 'order' | 'pageSize'>) {
    super(noJobs);
    this.#client = client;
    this.#filter = filter;
    this.#list = client.jobs(filter, options);
    this.#newestFirst = options.order !== 'OLDEST_FIRST';
  }

  readonly loadMore = async (): Promise<void> => {
    const after = this.#next;
    const signal = this.running;
    if (after === null || signal === null || this.getSnapshot().isLoading) return;
    this.set({ ...this.getSnapshot(), isLoading: true });
    const meanwhile: Job[] = [];
    this.#meanwhile = meanwhile;
    try {
      const page = await this.#list.page({ after, signal });
      // It is read anew from its start: this page is of the list before.
      if (signal.aborted) return;
      this.#next = page.next;
      const { jobs } = this.getSnapshot();
      const shown = new Set(jobs.map(({ id }) => id));
      this.set({ jobs: [...jobs, ...page.jobs.filter(({ id }) => !shown.has(id))], isLoading: false, hasMore: page.next !== null, error: null });
      this.#meanwhile = null;
      for (const job of meanwhile) this.#show(job);
    } catch (error) {
      if (!signal.aborted) this.set({ ...this.getSnapshot(), isLoading: false, error });
    } finally {
      if (this.#meanwhile === meanwhile) this.#meanwhile = null;
    }
  };

  /** Reads the first page again. */
  readonly reload = (): void => this.restart();

  protected async run(signal: AbortSignal): Promise<void> {
    this.#meanwhile = null;
    this.set({ ...this.getSnapshot(), isLoading: true, error: null });
    // The cursor first, then the page, then what has changed since the cursor: nothing is missed in between.
    const { jobUpdatesCursor } = await this.#client.query<{ jobUpdatesCursor: string }>(documents.jobUpdatesCursor, {}, { signal });
    const page = await this.#list.page({ signal });
    this.#next = page.next;
    this.set({ jobs: page.jobs, isLoading: false, hasMore: page.next !== null, error: null });
    const { ids, types, tags } = this.#filter;
    for await (const { job } of this.#client.updates({ ids, types, tags }, jobUpdatesCursor, { signal })) this.#show(job);
  }

  protected failed(error: unknown): void {
    this.set({ ...this.getSnapshot(), isLoading: false, error });
  }

  #show(job: Job): void {
    this.#meanwhile?.push(job);
    const snapshot = this.getSnapshot();
    const at = snapshot.jobs.findIndex(({ id }) => id === job.id);
    const shown = snapshot.jobs[at];
    if (shown !== undefined && shown.version >= job.version) return;
    // What is there stays where its fields cannot tell; what is not comes with the next reading.
    const fits = matches(job, this.#filter) ?? shown !== undefined;
    if (!fits && shown === undefined) return;
    const jobs = snapshot.jobs.toSpliced(at === -1 ? snapshot.jobs.length : at, at === -1 ? 0 : 1);
    if (fits) {
      const place = at === -1 ? this.#placeOf(job, jobs) : at;
      if (place === null) return;
      jobs.splice(place, 0, job);
    }
    this.set({ ...snapshot, jobs });
  }

  /** By id, which is the order of creation; null beyond the pages that were read. */
  #placeOf({ uuid }: Job, jobs: readonly Job[]): number | null {
    const place = jobs.findIndex((other) => (this.#newestFirst ? other.uuid < uuid : other.uuid > uuid));
    if (place !== -1) return place;
    return this.#next === null ? jobs.length : null;
  }
}
