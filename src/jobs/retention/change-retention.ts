import type { Queryable } from '../../database/queryable.ts';

/** Days for which status changes can be read again. */
export const changeDays = 7;

/** Longer than any transaction, and longer than a watcher needs to catch up from a cursor that is about to expire. */
const graceHours = 1;

const due = `now() - interval '${changeDays * 24 + graceHours} hours'`;

/** Per statement: the most rows of a workspace that are looked at, and the most rows that are deleted. */
const lookSize = 1_000;
const batchSize = 5_000;

/*
 * The oldest transactions of each workspace come first in the primary key, so one index descent shows that nothing is
 * due. An index on the time would slow down every change. A BRIN index would not help either: its unsummarised part is
 * read in full, and on the embedded database, which has no autovacuum, that is all of it.
 */
const statement = `
  DELETE FROM job_change WHERE ctid = ANY (ARRAY(
    SELECT due.ctid
    FROM workspace JOIN counted_log AS counted ON counted.workspace_id = workspace.id CROSS JOIN LATERAL (
      SELECT * FROM job_change WHERE job_change.workspace_id = workspace.id
      ORDER BY job_change.xid, job_change.job_id LIMIT ${lookSize}
    ) AS oldest
    JOIN job_change AS due
      ON due.workspace_id = oldest.workspace_id AND due.xid = oldest.xid AND due.job_id = oldest.job_id
    WHERE oldest.changed_at < ${due}
      -- After a long stop, nobody may have counted it yet.
      AND (pg_visible_in_snapshot(oldest.xid, counted.snapshot) OR oldest.changed_at <= counted.since)
    LIMIT ${batchSize} FOR UPDATE OF due SKIP LOCKED
  ))
  RETURNING 1`;

/** Only workspaces whose oldest change is due are looked into. The most that are counted of each, and of all. */
const counting = `
  SELECT count(*)::int AS changes FROM (
    SELECT FROM workspace
    CROSS JOIN LATERAL (
      SELECT changed_at FROM job_change WHERE workspace_id = workspace.id ORDER BY xid, job_id LIMIT 1
    ) AS head
    CROSS JOIN LATERAL (
      SELECT changed_at FROM job_change WHERE workspace_id = workspace.id AND head.changed_at < ${due} ORDER BY xid, job_id LIMIT 20000
    ) AS oldest
    WHERE head.changed_at < ${due} AND oldest.changed_at < ${due} LIMIT 100000
  ) AS old`;

/** How many changes are due to be deleted and were not yet: at most 20,000 of each workspace, and 100,000 of all. */
export async function countOldChanges(database: Queryable): Promise<number> {
  const [row] = await database.query<{ changes: number }>(counting);
  return row?.changes ?? 0;
}

/** Deletes expired changes in bounded batches. Processes may run it concurrently. */
export async function deleteOldChanges(database: Queryable): Promise<void> {
  let deleted = 0;
  do {
    deleted = (await database.query(statement)).length;
  } while (deleted > 0);
}
