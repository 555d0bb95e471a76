import { sqlBucket } from './histogram.ts';
import { type JobStatus, sqlIs } from '../model/state-machine.ts';

/** Changes of one minute that are alike in all that statistics tell of them. */
export interface Tally {
  /** Milliseconds since 1970, by the database's clock. */
  minute: number;
  type: string;
  created: boolean;
  status: JobStatus;
  /** Whether an attempt ended that counts as failed. */
  failed: boolean;
  /** Of the attempt that began, if one did. */
  wait: number | null;
  /** Of the attempt that ended, if one did. */
  run: number | null;
  changes: number;
}

/** SQL that tallies the changes of a CTE or table. @param where conditions on `job`, which stands for a change */
export function sqlTally(changes: string, where = 'true'): string {
  return `
    SELECT (floor(extract(epoch FROM job.changed_at) / 60) * 60000)::float8 AS minute,
      -- Only changes that versions before 0.2.0 wrote have no type.
      coalesce(job.type, '') AS type, job.previous_status IS NULL AS created, job.status, job.error_code IS NOT NULL AS failed,
      CASE WHEN ${sqlIs.running} THEN ${sqlBucket('(job.changed_at - job.due_at)')} END AS wait,
      CASE WHEN job.claimed_at IS NOT NULL THEN ${sqlBucket('(job.changed_at - job.claimed_at)')} END AS run, count(*)::int AS changes
    FROM ${changes} AS job WHERE ${where} GROUP BY 1, 2, 3, 4, 5, 6, 7`;
}
