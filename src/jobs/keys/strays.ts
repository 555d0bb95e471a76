import type { Database } from '../../database/database.ts';
import { isInLine } from '../model/parking.ts';
import { sqlIs } from '../model/state-machine.ts';

const ready = `${sqlIs.claimable} AND job.workspace_id = key.workspace_id AND job.concurrency_key = key.key`;

/** Whether there is one; null if not. The order is that of job_concurrency_index, which the planner might otherwise do without. */
function first(condition: string): string {
  return `(SELECT true FROM job WHERE ${condition}
        ORDER BY job.workspace_id, job.concurrency_key, job.ready, job.type, job.dispatch_at, job.id LIMIT 1)`;
}

/*
 * A seat that an attempt left without giving it back, and jobs of which none stands in line although there are seats. One or
 * two look-ups for each key that has jobs.
 */
const statement = `
  UPDATE concurrency_key SET unsettled = true FROM (
    SELECT key.workspace_id, key.key FROM concurrency_key AS key
    WHERE NOT key.unsettled AND (
      key.taken <> (SELECT count(*) FROM lease WHERE lease.workspace_id = key.workspace_id AND lease.concurrency_key = key.key)
      OR key.taken < key.seats AND ${first(ready)} AND ${first(`${ready} AND ${isInLine}`)} IS NULL
    )
    ORDER BY key.workspace_id, key.key FOR UPDATE SKIP LOCKED
  ) AS stray
  WHERE concurrency_key.workspace_id = stray.workspace_id AND concurrency_key.key = stray.key`;

/**
 * Marks keys that a process of version 0.2.0, which knows none, has left as they were when it ended an attempt, cancelled a
 * job, or made one claimable: while it serves beside this version, and after it.
 */
export async function noteStrays(database: Database): Promise<void> {
  await database.hot.query(statement);
}
