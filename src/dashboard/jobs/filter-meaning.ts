import type { Dialect, JobFilter, JobStatus, JobUpdatesFilter, ListedJobFragment } from '../generated/jobs.ts';
import { dialectValues, type Filter, type FilterName, instantOf, statusValues } from './job-filters.ts';

/** What the names in a filter stand for at one moment. */
interface Meaning {
  /** Milliseconds; times like `2h` are counted back from it. */
  now: number;
  utc: boolean;
  /** The global id of a schedule by its name; null where there is none. */
  scheduleId: (name: string) => string | null;
}

const valuesOf = (filters: readonly Filter[], name: FilterName) => filters.filter((filter) => filter.name === name).map(({ value }) => value);

/** As the API takes it. */
export function jobFilterOf(filters: readonly Filter[], { now, utc, scheduleId }: Meaning): JobFilter {
  const of = (name: FilterName) => valuesOf(filters, name);
  const statuses: JobStatus[] = statusValues.filter((status) => of('status').includes(status));
  const dialects: Dialect[] = dialectValues.filter((dialect) => of('dialect').includes(dialect));
  const [after] = of('after');
  const [before] = of('before');
  const [clientReference] = of('reference');
  const filter: JobFilter = {};
  if (statuses.length > 0) filter.statuses = statuses;
  if (dialects.length > 0) filter.dialects = dialects;
  if (of('type').length > 0) filter.types = of('type');
  if (of('tag').length > 0) filter.tags = of('tag');
  if (of('error').length > 0) filter.errorCodes = of('error');
  if (of('worker').length > 0) filter.workerIds = of('worker');
  if (of('schedule').length > 0) filter.scheduleIds = of('schedule').flatMap((name) => scheduleId(name) ?? []);
  if (clientReference !== undefined) filter.clientReference = clientReference;
  if (after !== undefined) filter.createdAfter = dateOf(after, now, utc);
  if (before !== undefined) filter.createdBefore = dateOf(before, now, utc);
  return filter;
}

function dateOf(value: string, now: number, utc: boolean): string | null {
  const at = instantOf(value, now, utc);
  return at === null ? null : new Date(at).toISOString();
}

/** As far as subscriptions can be narrowed; the rest is seen by `matches`. */
export function updatesFilterOf({ types, tags }: JobFilter): JobUpdatesFilter {
  return { ...(types == null ? {} : { types }), ...(tags == null ? {} : { tags }) };
}

/** Whether a job that changed belongs to the filter, as the server would say. */
export function matches(job: ListedJobFragment, filter: JobFilter): boolean {
  return (
    among(filter.statuses, job.status) &&
    among(filter.types, job.type) &&
    among(filter.dialects, job.dialect) &&
    among(filter.errorCodes, job.status === 'FAILED' ? (job.error?.code ?? null) : null) &&
    among(filter.scheduleIds, job.schedule?.id ?? null) &&
    among(filter.clientReference == null ? null : [filter.clientReference], job.clientReference) &&
    (filter.tags ?? []).every((tag) => job.tags.includes(tag)) &&
    (filter.workerIds == null || job.attempts.some(({ workerId }) => among(filter.workerIds, workerId))) &&
    (filter.createdAfter == null || job.createdAt > filter.createdAfter) &&
    (filter.createdBefore == null || job.createdAt < filter.createdBefore)
  );
}

/** Values that are not given let everything through. */
function among(values: readonly (string | number)[] | null | undefined, value: string | null): boolean {
  return values == null || (value !== null && values.includes(value));
}
