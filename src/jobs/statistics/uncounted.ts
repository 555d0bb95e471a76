import { nothingCounted } from './mark.ts';

/**
 * CTEs for the changes of workspace `$1` that the sweep has not counted yet: a few seconds' worth, whatever the log holds. The
 * mark, the sums up to it and the changes after it are of one snapshot if one statement reads them, so nothing is counted twice.
 *
 * They are two stretches of the log's key: see changes.ts. OFFSET 0 keeps them from becoming joins that read all of it.
 */
export const uncounted = `
  mark AS MATERIALIZED (
    SELECT coalesce(max(snapshot::text), '${nothingCounted}')::pg_snapshot AS snapshot, coalesce(max(since), '-infinity') AS since
    FROM counted_log WHERE workspace_id = $1::uuid
  ),
  uncounted AS (
    SELECT change.* FROM mark CROSS JOIN LATERAL (
      SELECT * FROM job_change WHERE workspace_id = $1::uuid AND xid >= pg_snapshot_xmax(mark.snapshot) OFFSET 0
    ) AS change WHERE change.changed_at > mark.since
    UNION ALL
    SELECT change.* FROM mark CROSS JOIN LATERAL pg_snapshot_xip(mark.snapshot) AS open(xid) CROSS JOIN LATERAL (
      SELECT * FROM job_change WHERE workspace_id = $1::uuid AND job_change.xid = open.xid OFFSET 0
    ) AS change WHERE change.changed_at > mark.since
  )`;
