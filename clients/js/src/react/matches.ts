import type { Job } from '../job.ts';
import type { JobFilter } from '../jobs.ts';

/** Whether a job belongs to the filter; null where its fields cannot tell. */
export function matches(job: Job, filter: JobFilter): boolean | null {
  const { statuses, types, tags, ids, errorCodes, clientReference } = filter;
  const fits =
    isIn(job.status, statuses) &&
    isIn(job.type, types) &&
    (tags ?? []).every((tag) => job.tags.includes(tag)) &&
    (ids == null || ids.includes(job.id) || ids.includes(job.uuid)) &&
    (errorCodes == null || isIn(job.error?.code ?? '', errorCodes)) &&
    (clientReference == null || job.clientReference === clientReference) &&
    isBetween(job.createdAt, filter.createdAfter, filter.createdBefore) &&
    isBetween(job.finishedAt, filter.finishedAfter, filter.finishedBefore);
  if (!fits) return false;
  return filter.workerIds == null && filter.dialects == null && filter.scheduleIds == null ? true : null;
}

function isIn(value: string, list: readonly string[] | undefined): boolean {
  return list == null || list.includes(value);
}

function isBetween(instant: string | null, after: Date | string | undefined, before: Date | string | undefined): boolean {
  if (after == null && before == null) return true;
  if (instant === null) return false;
  const at = Date.parse(instant);
  return (after == null || at > new Date(after).getTime()) && (before == null || at < new Date(before).getTime());
}
