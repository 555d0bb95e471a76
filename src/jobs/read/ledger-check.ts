import type { Queryable } from '../../database/queryable.ts';
import { sqlIs } from '../model/state-machine.ts';

/** One inconsistency in the ledger. */
interface LedgerFault {
  workspaceId: string;
  /** Null if the fault concerns the workspace as a whole. */
  jobId: string | null;
  /** What is wrong, with figures. */
  message: string;
}

/** How much was checked, and the faults found. */
interface LedgerCheck {
  workspaces: number;
  entries: number;
  jobs: number;
  faults: LedgerFault[];
}

/** The most faults that are listed. */
const listedFaults = 100;

/*
 * A single statement sees a single snapshot, so the check can run beside a busy server. The ledger outlives its jobs,
 * so an entry whose job is gone is not a fault.
 */
const statement = `
  WITH entry AS (
    SELECT job_id, count(*) FILTER (WHERE kind = 'CHARGE') AS charges, count(*) FILTER (WHERE kind = 'REFUND') AS refunds,
      coalesce(-sum(amount) FILTER (WHERE kind = 'CHARGE'), 0) AS charged,
      coalesce(sum(amount) FILTER (WHERE kind = 'REFUND'), 0) AS refunded, min(workspace_id::text)::uuid AS workspace_id
    FROM credit_transaction WHERE job_id IS NOT NULL GROUP BY job_id
  ),
  total AS (SELECT workspace_id, sum(amount) AS amount FROM credit_transaction GROUP BY workspace_id),
  fault AS (
    SELECT workspace.id AS workspace_id, NULL::uuid AS job_id,
      format('the balance is %s and the entries add up to %s', workspace.credits, coalesce(total.amount, 0)) AS message
    FROM workspace LEFT JOIN total ON total.workspace_id = workspace.id
    WHERE workspace.credits <> coalesce(total.amount, 0)
    UNION ALL
    SELECT total.workspace_id, NULL, 'there are entries of a workspace that does not exist'
    FROM total WHERE NOT EXISTS (SELECT FROM workspace WHERE workspace.id = total.workspace_id)
    UNION ALL
    SELECT workspace_id, job_id, format('%s charges and %s refunds: at most one of each', charges, refunds)
    FROM entry WHERE charges > 1 OR refunds > 1
    UNION ALL
    SELECT workspace_id, job_id, format('%s refunded of %s charged', refunded, charged)
    FROM entry WHERE refunded > charged
    UNION ALL
    SELECT job.workspace_id, job.id,
      format('the job says %s charged and %s refunded, the entries %s and %s', job.credits_charged, job.credits_refunded,
        coalesce(entry.charged, 0), coalesce(entry.refunded, 0))
    FROM job LEFT JOIN entry ON entry.job_id = job.id
    WHERE job.credits_charged <> coalesce(entry.charged, 0) OR job.credits_refunded <> coalesce(entry.refunded, 0)
      OR entry.workspace_id <> job.workspace_id
    UNION ALL
    SELECT job.workspace_id, job.id, format('a job that is %s has %s refunded of %s', job.status, job.credits_refunded, job.credits_charged)
    FROM job
    WHERE job.credits_refunded <> CASE WHEN ${sqlIs.refunded} THEN job.credits_charged ELSE 0 END
  )
  SELECT (SELECT count(*)::int FROM workspace) AS workspaces, (SELECT count(*)::int FROM credit_transaction) AS entries,
    (SELECT count(*)::int FROM job) AS jobs, fault.*
  FROM (SELECT 1) AS one LEFT JOIN (SELECT * FROM fault LIMIT ${listedFaults}) AS fault ON true`;

type Row = { workspaces: number; entries: number; jobs: number; job_id: string | null } & (
  | { workspace_id: string; message: string }
  | { workspace_id: null; message: null }
);

/**
 * Checks every workspace: the balance equals the sum of the ledger, each job was charged and refunded at most once and
 * as its row says, and exactly the failed and cancelled jobs were refunded.
 */
export async function checkLedger(database: Queryable): Promise<LedgerCheck> {
  const rows = await database.query<Row>(statement);
  const { workspaces = 0, entries = 0, jobs = 0 } = rows[0] ?? {};
  const faults = rows.flatMap((row) =>
    row.workspace_id === null ? [] : [{ workspaceId: row.workspace_id, jobId: row.job_id, message: row.message }],
  );
  return { workspaces, entries, jobs, faults };
}
