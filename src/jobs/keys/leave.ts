/**
 * CTEs for jobs that join the line of their concurrency keys, leave it, or give back a seat: each key has that many seats more
 * and is to be settled, in the transaction of the change itself. So a process that is killed after its commit leaves the key
 * to the next settling, whosever it is.
 *
 * Keys are locked in order and last, after the jobs and the workspace: whoever has locked a key waits for nothing but
 * further keys.
 *
 * @param jobs SQL for rows of a workspace_id, a concurrency_key (null for most jobs) and a seat: null if the job held none
 */
export function leaveKeys(jobs: string): string {
  return `
  leaving AS MATERIALIZED (
    SELECT its.* FROM (
      SELECT workspace_id, concurrency_key, count(seat)::int AS seats FROM (${jobs}) AS job
      WHERE concurrency_key IS NOT NULL GROUP BY workspace_id, concurrency_key ORDER BY workspace_id, concurrency_key
    ) AS its CROSS JOIN LATERAL (
      SELECT FROM concurrency_key AS key WHERE key.workspace_id = its.workspace_id AND key.key = its.concurrency_key FOR UPDATE
    ) AS locked
  ),
  left_key AS (
    UPDATE concurrency_key AS key SET taken = key.taken - leaving.seats, unsettled = true FROM leaving
    WHERE key.workspace_id = leaving.workspace_id AND key.key = leaving.concurrency_key
  )`;
}
