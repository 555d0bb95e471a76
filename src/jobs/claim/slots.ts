import type { Database } from '../../database/database.ts';
import type { Queryable } from '../../database/queryable.ts';

/*
 * A workspace with a limit has one slot for each job that may run, and claims take those that are free. When the limit
 * changes, the slots change with it: the jobs that run get one each, and of the others as many are made as the limit leaves.
 * Where more jobs run than the new limit allows, all their slots are in excess: an attempt that ends takes its slot with
 * it, and none is free, until no more run than may. Then the sweep settles the slots again.
 *
 * Locks follow the global order: the jobs, then their leases and slots. While the jobs are locked, no attempt ends. But one
 * whose end waited for a lock meanwhile sees the slots as they were before, and leaves its own taken, by a job without a lease:
 * the sweep finds that and settles the slots again.
 */

const isLost = 'slot.job_id IS NOT NULL AND NOT EXISTS (SELECT FROM lease WHERE lease.job_id = slot.job_id AND lease.slot = slot.n)';

/** Advisory lock key space. Distinct from those in src/database/process-lock.ts and src/jobs/create/queue-room.ts. */
const lockSpace = 0x10_51;

/** A workspace that has no slots and no leases has no rows to lock, and two who settle it would make the same slots. */
const alone = `SELECT pg_advisory_xact_lock(${lockSpace}, hashtext($1::text))`;

const locks = [
  alone,
  `SELECT job.id FROM job JOIN lease ON lease.job_id = job.id WHERE lease.workspace_id = $1 ORDER BY job.id FOR UPDATE OF job`,
  `SELECT n FROM slot WHERE workspace_id = $1 ORDER BY n FOR UPDATE`,
];
const steps = [
  ...locks,
  `DELETE FROM slot WHERE workspace_id = $1 AND (job_id IS NULL OR ${isLost})`,
  // Attempts from a time without a limit.
  `WITH homeless AS (
     SELECT lease.job_id, row_number() OVER (ORDER BY lease.job_id) + (SELECT coalesce(max(n), 0) FROM slot WHERE workspace_id = $1) AS n
     FROM lease
     WHERE lease.workspace_id = $1 AND NOT EXISTS (SELECT FROM slot WHERE slot.workspace_id = $1 AND slot.job_id = lease.job_id)
   ), housed AS (
     INSERT INTO slot (workspace_id, n, job_id) SELECT $1, n, job_id FROM homeless
   )
   UPDATE lease SET slot = homeless.n FROM homeless WHERE lease.job_id = homeless.job_id`,
];

const settle = `
  WITH taken AS (SELECT count(*)::int AS slots, coalesce(max(n), 0) AS last FROM slot WHERE workspace_id = $1),
  marked AS (
    UPDATE slot SET excess = taken.slots > $2::int FROM taken
    WHERE slot.workspace_id = $1 AND slot.excess <> (taken.slots > $2::int)
  )
  INSERT INTO slot (workspace_id, n) SELECT $1, taken.last + more FROM taken, generate_series(1, $2::int - taken.slots) AS more`;

/** Makes the slots of a workspace those of a limit. Call it in a transaction, before anything locks the workspace. */
export async function settleSlots(transaction: Queryable, workspaceId: string, limit: number | null): Promise<void> {
  if (limit === null) {
    await transaction.query(alone, [workspaceId]);
    await transaction.query('DELETE FROM slot WHERE workspace_id = $1', [workspaceId]);
    return;
  }
  for (const step of steps) await transaction.query(step, [workspaceId]);
  await transaction.query(settle, [workspaceId, limit]);
}

/** Settles the slots of the workspaces that have run more than their limit allows, or have lost one. Returns those workspaces. */
export async function settleUnsettled(database: Database): Promise<string[]> {
  const rows = await database.hot.query<{ id: string }>(`SELECT DISTINCT workspace_id AS id FROM slot WHERE excess OR ${isLost}`);
  for (const { id } of rows) await settleAgain(database, id);
  return rows.map(({ id }) => id);
}

/** Settles the slots for the limit that the workspace has. */
export async function settleAgain(database: Database, workspaceId: string): Promise<void> {
  await database.transaction(async (transaction) => {
    // Whoever changes the limit has these locks too.
    for (const lock of locks) await transaction.query(lock, [workspaceId]);
    const [row] = await transaction.query<{ limit: number | null }>('SELECT concurrency_limit AS "limit" FROM workspace WHERE id = $1', [workspaceId]);
    await settleSlots(transaction, workspaceId, row?.limit ?? null);
  });
}
