import { v7 as uuidv7 } from 'uuid';
import type { JobsContext } from './context.ts';
import type { Job, JobFailure } from './job.ts';
import { type JobRow, jobColumns, jobFromRow } from './rows.ts';
import { sqlIs } from './state-machine.ts';

/**
 * What follows from a job that leaves its worker or ends, in the statement that changes it: the lease and its slot go,
 * the attempt is closed, credits that the row says are refunded go back through the ledger, a webhook delivery is noted.
 *
 * Rows are locked in the order of the house: the job (by `changed`), then its workspace (by `refunded`).
 */
const consequences = `
  gone AS (
    DELETE FROM lease USING changed WHERE lease.job_id = changed.id
    RETURNING lease.job_id, lease.workspace_id, lease.slot
  ),
  freed AS (
    UPDATE slot SET job_id = NULL FROM gone
    WHERE slot.workspace_id = gone.workspace_id AND slot.n = gone.slot AND slot.job_id = gone.job_id
  ),
  closed AS (
    UPDATE job_attempt SET ended_at = now(), failed = $3::boolean, error_code = $4::text, error_message = $5::text
    FROM changed
    WHERE job_attempt.job_id = changed.id AND job_attempt.number = changed.attempt AND job_attempt.ended_at IS NULL
  ),
  refunded AS (
    UPDATE workspace SET credits = workspace.credits + changed.credits_refunded FROM changed
    WHERE workspace.id = changed.workspace_id AND changed.credits_refunded > 0
    RETURNING workspace.credits AS balance
  ),
  ledger AS (
    INSERT INTO credit_transaction (id, workspace_id, kind, amount, balance_after, job_id)
    SELECT $1::uuid, changed.workspace_id, 'REFUND', changed.credits_refunded, refunded.balance, changed.id
    FROM changed, refunded
  ),
  noted AS (
    INSERT INTO webhook_delivery (id, workspace_id, job_id, url, event)
    SELECT $2::uuid, job.workspace_id, job.id, job.webhook_url, 'JOB_' || job.status
    FROM changed AS job WHERE ${sqlIs.final} AND job.webhook_url IS NOT NULL
  )`;

/** One transition out of RUNNING, or a cancellation. */
export interface JobEnd {
  /** Compare-and-set on `job` that returns `job.*`; its parameters start at `firstParameter`. */
  update: string;
  parameters: readonly unknown[];
  /** One more table expression that follows from `changed`. */
  also?: string;
  /** How the attempt failed; null where it does not count as failed. */
  failure: JobFailure | null;
}

/** Number of the first parameter that the SQL of a JobEnd may use. */
export const firstParameter = 6;

/**
 * Carries the transition out as a single statement, so that all of it commits or none, and announces it.
 *
 * @returns the job as it is now, or null where somebody else was first and nothing happened.
 */
export async function endJob(context: JobsContext, { update, parameters, also, failure }: JobEnd): Promise<Job | null> {
  const expressions = [`changed AS (${update})`, consequences, ...(also === undefined ? [] : [also])];
  const [row] = await context.database.query<JobRow & { slot_freed: boolean }>(
    `WITH ${expressions.join(',')}
     SELECT ${jobColumns('changed')}, EXISTS (SELECT FROM gone WHERE slot IS NOT NULL) AS slot_freed FROM changed`,
    [uuidv7(), uuidv7(), failure !== null, failure?.code ?? null, failure?.message ?? null, ...parameters],
    'prepared',
  );
  if (row === undefined) return null;
  const job = jobFromRow(row);
  context.announcer.jobChanged(job);
  if (row.slot_freed) context.announcer.slotFreed(job.workspaceId);
  return job;
}
