import type { Queryable } from '../../database/queryable.ts';
import type { JobFilter } from './filter.ts';
import type { JobStatus } from '../model/state-machine.ts';

/** The most rows of the change log that are read, and the most jobs that are returned. */
const changesRead = 10_000;
const jobsAnswered = 1_000;

/** Which jobs' statuses to read. */
export type StatusFilter = Pick<JobFilter, 'ids' | 'tags' | 'anyTags'> & { native: NonNullable<JobFilter['native']> };

/** The status of a job. */
export interface JobState {
  id: string;
  status: JobStatus;
  attempt: number;
}

/*
 * There is no index on the time of a job's last change, because every transition would have to write it. The newest
 * changes are last in the log's primary key. They are in order of transaction id, which is nearly the order of time.
 */
const statement = `
  SELECT recent.* FROM (
    SELECT DISTINCT newest.job_id FROM (
      SELECT job_change.job_id, job_change.changed_at FROM job_change WHERE job_change.workspace_id = $1::uuid
      ORDER BY job_change.xid DESC, job_change.job_id DESC LIMIT ${changesRead}
    ) AS newest
    WHERE newest.changed_at >= now() - make_interval(secs => $2::float8)
  ) AS changed
  CROSS JOIN LATERAL (
    SELECT job.id, job.status, job.attempt, job.status_changed_at FROM job
    WHERE job.id = changed.job_id AND job.workspace_id = $1::uuid
      AND (job.dialect = $3 OR job.type = ANY($4::text[]))
      AND ($5::uuid[] IS NULL OR job.id = ANY($5::uuid[])) AND job.tags @> $6::text[]
      AND ($7::text[] IS NULL OR job.tags && $7::text[])
    OFFSET 0
  ) AS recent
  ORDER BY recent.status_changed_at DESC, recent.id DESC LIMIT ${jobsAnswered}`;

/**
 * The jobs whose status changed within the last `seconds`, latest change first: at most 1,000 jobs, from the last
 * 10,000 changes of the workspace that the log still holds.
 */
export async function recentStatuses(
  database: Queryable,
  workspaceId: string,
  seconds: number,
  { native, ids, tags, anyTags }: StatusFilter,
): Promise<JobState[]> {
  return database.query<JobState>(statement, [
    workspaceId,
    seconds,
    native.dialect,
    native.types,
    ids ?? null,
    tags ?? [],
    anyTags ?? null,
  ]);
}
