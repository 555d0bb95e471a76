import type { Queryable } from '../../database/queryable.ts';

/** Days for which every change of status can be read again. */
export const changeDays = 7;

/** Longer than a transaction may take, and than a watcher reads at what a cursor of the last moment let it begin with. */
const graceHours = 1;

/** Rows of one workspace that are looked at, and rows that go, in one statement. */
const lookSize = 1_000;
const batchSize = 5_000;

/*
 * The oldest transactions of each workspace stand first in the primary key: one descent finds out that nothing is due.
 * An index on the time would cost every change, and a BRIN is read whole for all that it has not summarised, which on
 * the embedded database, without autovacuum, is everything.
 */
const statement = `
  DELETE FROM job_change WHERE ctid = ANY (ARRAY(
    SELECT due.ctid
    FROM workspace CROSS JOIN LATERAL (
      SELECT * FROM job_change WHERE job_change.workspace_id = workspace.id
      ORDER BY job_change.xid, job_change.job_id LIMIT ${lookSize}
    ) AS oldest
    JOIN job_change AS due
      ON due.workspace_id = oldest.workspace_id AND due.xid = oldest.xid AND due.job_id = oldest.job_id
    WHERE oldest.changed_at < now() - interval '${changeDays * 24 + graceHours} hours'
    LIMIT ${batchSize} FOR UPDATE OF due SKIP LOCKED
  ))
  RETURNING 1`;

/** Deletes the changes that are kept no longer, in bounded batches. Several processes may do so at once. */
export async function deleteOldChanges(database: Queryable): Promise<void> {
  let deleted = 0;
  do {
    deleted = (await database.query(statement)).length;
  } while (deleted > 0);
}
