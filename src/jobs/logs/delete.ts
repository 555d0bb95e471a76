import type { Queryable } from '../../database/queryable.ts';
import { sqlIs } from '../model/state-machine.ts';

/** The most lines that one statement deletes. */
const batchSize = 5_000;

/** Whether a log, by its counter, is being deleted or is gone. */
export const sqlIsDeleted = 'counter.trimmed < 0';

/*
 * Watchers look at the mark in the same snapshot as at the lines, or after it: whoever reads a log without it has read all lines.
 * A counter that is locked just now (a watcher reads the end, or others delete the job) is not waited for: its lines stay, and
 * go with the job.
 */
const markStatement = `
  UPDATE job_log_counter SET trimmed = -1 WHERE job_id = ANY (ARRAY(
    SELECT counter.job_id FROM job_log_counter AS counter LEFT JOIN job ON job.id = counter.job_id
    WHERE counter.job_id = ANY ($1::uuid[]) AND NOT ${sqlIsDeleted} AND (job.id IS NULL OR ${sqlIs.final})
    FOR NO KEY UPDATE OF counter SKIP LOCKED
  ))`;

const linesStatement = `
  WITH ended AS MATERIALIZED (
    SELECT counter.job_id FROM job_log_counter AS counter WHERE counter.job_id = ANY ($1::uuid[]) AND ${sqlIsDeleted}
  )
  DELETE FROM job_log WHERE ctid = ANY (ARRAY(
    SELECT line.ctid FROM ended CROSS JOIN LATERAL (
      SELECT job_log.ctid FROM job_log WHERE job_log.job_id = ended.job_id ORDER BY job_log.sequence LIMIT ${batchSize}
    ) AS line LIMIT ${batchSize}
  )) RETURNING 1`;

/** How many lines these jobs have, at most. */
const countStatement = `SELECT coalesce(sum(last - trimmed), 0)::int AS lines FROM job_log_counter WHERE job_id = ANY ($1::uuid[])`;

/** The counters themselves go with their jobs: without them, a log that is gone would look like one that never was. */
const emptyStatement = `UPDATE job_log_counter AS counter SET last = 0 WHERE job_id = ANY ($1::uuid[]) AND ${sqlIsDeleted} AND last > 0`;

/** Whether these jobs have so many lines that one statement must not delete them: see `deleteLogs`. */
export async function haveLongLogs(database: Queryable, jobIds: readonly string[]): Promise<boolean> {
  const [row] = await database.query<{ lines: number }>(countStatement, [jobIds]);
  return row !== undefined && row.lines > batchSize;
}

/**
 * Deletes the logs of those of these jobs that have ended, in small steps: outside of a transaction, and before the jobs are
 * deleted. Jobs without logs cost it little, and it may be called again after an error. The caller has found the jobs where it
 * may delete them.
 */
export async function deleteLogs(database: Queryable, jobIds: readonly string[]): Promise<void> {
  await database.query(markStatement, [jobIds]);
  while ((await database.query(linesStatement, [jobIds])).length > 0);
  await database.query(emptyStatement, [jobIds]);
}
