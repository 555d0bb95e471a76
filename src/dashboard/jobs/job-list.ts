import { batch, type Signal, signal } from '@preact/signals';
import { query } from '../app/api.ts';
import { type JobFilter, ListJobsDocument, type ListJobsQuery, type ListedJobFragment } from '../generated/jobs.ts';
import { matches, updatesFilterOf } from './filter-meaning.ts';
import { LiveJobs } from './live-jobs.ts';

/** Jobs on a page. */
export const pageSize = 50;

/** A job in the list. It stays the same row while its job changes, so that only what changed is drawn again. */
export interface Row {
  id: string;
  job: Signal<ListedJobFragment>;
}

/** Which page: behind or before a cursor; the newest jobs where neither is given. */
export interface Place {
  next: string | null;
  previous: string | null;
}

/** What is shown. */
export interface Shown {
  /** Tells it from others: the address. */
  key: string;
  filter: JobFilter;
  place: Place;
}

export type PageInfo = ListJobsQuery['jobs']['pageInfo'];

/** Of so many changed jobs the newest version is kept, for pages that were read while they changed. */
const mostRecent = 2_000;

/** Who comes back to the list after longer, in milliseconds, gets it anew rather than all that happened meanwhile. */
const keptFor = 10 * 60_000;

/** The one list of jobs of the page: a page of rows, kept up to date by the workspace's changes. It outlives its screen, so that "back" finds it as it was. */
export class JobList {
  readonly rows = signal<readonly Row[]>([]);
  readonly page = signal<PageInfo | null>(null);
  readonly busy = signal(false);
  readonly error = signal<unknown>(null);
  /** Ids of jobs that match and are not shown yet, as they would move what is being looked at. */
  readonly unseen = signal<ReadonlySet<string>>(new Set());
  readonly live: LiveJobs;
  #shown: Shown | null = null;
  #newest = '';
  #leftAt = 0;
  #reading: AbortController | null = null;
  readonly #recent = new Map<string, ListedJobFragment>();

  constructor() {
    this.live = new LiveJobs(
      (jobs) => this.#apply(jobs),
      () => void this.reload(),
    );
  }

  /** Shows this, and follows its changes until `leave`. What is shown already is not read again. */
  async show(shown: Shown): Promise<void> {
    const before = this.#shown;
    const fresh = this.#leftAt === 0 || performance.now() - this.#leftAt < keptFor;
    this.#leftAt = 0;
    this.#shown = shown;
    if (before?.key === shown.key && this.page.value !== null && this.error.value === null && fresh) return this.#follow(shown);
    const sameJobs = before !== null && JSON.stringify(before.filter) === JSON.stringify(shown.filter);
    if (!sameJobs || !fresh) this.#forget();
    await this.#read(shown);
  }

  /** Reads what is shown again, with all that is new. */
  async reload(): Promise<void> {
    if (this.#shown === null) return;
    this.live.forget();
    await this.#read(this.#shown);
  }

  /** Nobody looks any more. */
  leave(): void {
    this.#leftAt = performance.now();
    this.live.follow(null);
  }

  #forget(): void {
    this.live.forget();
    this.#recent.clear();
    this.#newest = '';
    this.unseen.value = new Set();
  }

  async #read(shown: Shown): Promise<void> {
    this.#reading?.abort();
    const reading = new AbortController();
    this.#reading = reading;
    const { filter, place } = shown;
    const { signal: until } = reading;
    this.busy.value = true;
    try {
      // The cursor first: what changes after it and before the page is read comes twice, and nothing is missed.
      await this.live.readCursor(until);
      const size = place.previous === null ? { first: pageSize, after: place.next } : { last: pageSize, before: place.previous };
      const { jobs } = await query(ListJobsDocument, { filter, withSchedule: filter.scheduleIds != null, ...size }, { signal: until });
      if (this.#reading !== reading) return;
      batch(() => {
        this.#take(jobs, place);
        this.error.value = null;
        this.busy.value = false;
      });
      if (this.#leftAt === 0) this.#follow(shown);
    } catch (error) {
      if (this.#reading !== reading) return;
      this.error.value = error;
      this.busy.value = false;
    }
  }

  #follow({ filter }: Shown): void {
    this.live.follow({ filter: updatesFilterOf(filter), withSchedule: filter.scheduleIds != null });
  }

  #take({ edges, pageInfo }: ListJobsQuery['jobs'], place: Place): void {
    const known = new Map(this.rows.value.map((row) => [row.id, row]));
    this.rows.value = edges.map(({ node }) => {
      const job = newer(node, this.#recent.get(node.id));
      const row = known.get(node.id);
      if (row === undefined) return { id: node.id, job: signal(job) };
      row.job.value = newer(row.job.value, job);
      return row;
    });
    this.page.value = pageInfo;
    const [first] = edges;
    if (first !== undefined && first.node.uuid > this.#newest) this.#newest = first.node.uuid;
    if (place.next === null && place.previous === null) this.unseen.value = new Set();
  }

  #apply(jobs: readonly ListedJobFragment[]): void {
    const shown = this.#shown;
    if (shown === null) return;
    const rows = new Map(this.rows.value.map((row) => [row.id, row]));
    const unseen = new Set(this.unseen.value);
    for (const job of jobs) {
      this.#remember(job);
      const row = rows.get(job.id);
      if (row !== undefined) row.job.value = newer(row.job.value, job);
      else if (this.#wouldBeShown(job, shown)) unseen.add(job.id);
      else unseen.delete(job.id);
    }
    if (unseen.size !== this.unseen.value.size) this.unseen.value = unseen;
  }

  /** On the page of the newest jobs also one that is older than the first row, where it matches only now. */
  #wouldBeShown(job: ListedJobFragment, { filter, place }: Shown): boolean {
    if (!matches(job, filter)) return false;
    if (place.next !== null || place.previous !== null) return job.uuid > this.#newest;
    const last = this.rows.value.at(-1);
    return last === undefined || this.rows.value.length < pageSize || job.uuid > last.job.value.uuid;
  }

  #remember(job: ListedJobFragment): void {
    const known = this.#recent.get(job.id);
    this.#recent.delete(job.id);
    this.#recent.set(job.id, newer(job, known));
    const [oldest] = this.#recent.keys();
    if (this.#recent.size > mostRecent && oldest !== undefined) this.#recent.delete(oldest);
  }
}

function newer(one: ListedJobFragment, other: ListedJobFragment | undefined): ListedJobFragment {
  return other === undefined || other.version <= one.version ? one : other;
}
