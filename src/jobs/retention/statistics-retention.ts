import type { Queryable } from '../../database/queryable.ts';

/** Days for which the points of each step are kept. */
const keptDays = { MINUTE: 2, HOUR: 60, DAY: 731 };

/** The most points that one statement deletes. */
const batchSize = 5_000;

/** The oldest points of each workspace and step come first in the primary key. */
const statement = `
  DELETE FROM job_statistic WHERE ctid = ANY (ARRAY(
    SELECT old.ctid
    FROM workspace
    CROSS JOIN (VALUES ${Object.entries(keptDays).map(([step, days]) => `('${step}', interval '${days} days')`).join(', ')}) AS kept(step, age)
    CROSS JOIN LATERAL (
      SELECT job_statistic.ctid FROM job_statistic
      WHERE job_statistic.workspace_id = workspace.id AND job_statistic.step = kept.step
        AND job_statistic.at < date_trunc(kept.step, now() - kept.age, 'UTC')
      ORDER BY job_statistic.at, job_statistic.type LIMIT ${batchSize} FOR UPDATE SKIP LOCKED
    ) AS old
    LIMIT ${batchSize}
  ))
  RETURNING 1`;

/** Deletes expired points in bounded batches. Processes may run it concurrently. */
export async function deleteOldStatistics(database: Queryable): Promise<void> {
  while ((await database.query(statement)).length > 0);
}
