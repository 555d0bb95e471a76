import { newId } from '../../database/ids.ts';
import { sqlEndpoint } from '../../webhooks/endpoint.ts';
import type { Announcer } from '../feed/announcer.ts';
import type { JobsContext } from '../model/context.ts';
import type { Job, JobFailure } from '../model/job.ts';
import { type JobRow, jobColumns, jobFromRow } from '../model/rows.ts';
import { isFinal, sqlIs } from '../model/state-machine.ts';

/** A final job does not change any more: its own row says the rest, and the log of changes stays narrow. */
function unlessFinal(column: string): string {
  return `CASE WHEN ${sqlIs.final} THEN NULL ELSE job.${column} END`;
}

/**
 * What follows from a job that leaves its worker or ends, in the statement that changes it: the lease and its slot go,
 * the attempt is closed, credits that the row says are refunded go back through the ledger, a webhook delivery is noted.
 *
 * Rows are locked in the order of the house: the job (by `changed`), then its workspace (by `refunded`). Of several rows
 * at most one may be refunded: an UPDATE takes each workspace once.
 *
 * It follows from `ended`: rows of job, and with each its ledger_id, delivery_id (null: nobody is told), and how its
 * attempt failed, if it did.
 */
export const consequences = `
  gone AS (
    DELETE FROM lease USING ended WHERE lease.job_id = ended.id
    RETURNING lease.job_id, lease.workspace_id, lease.slot
  ),
  freed AS (
    UPDATE slot SET job_id = NULL FROM gone
    WHERE slot.workspace_id = gone.workspace_id AND slot.n = gone.slot AND slot.job_id = gone.job_id
  ),
  closed AS (
    UPDATE job_attempt SET ended_at = now(), failed = ended.attempt_failed,
      error_code = ended.attempt_error_code, error_message = ended.attempt_error_message
    FROM ended
    WHERE job_attempt.job_id = ended.id AND job_attempt.number = ended.attempt AND job_attempt.ended_at IS NULL
  ),
  refunded AS (
    UPDATE workspace SET credits = workspace.credits + ended.credits_refunded FROM ended
    WHERE workspace.id = ended.workspace_id AND ended.credits_refunded > 0
    RETURNING workspace.credits AS balance
  ),
  ledger AS (
    INSERT INTO credit_transaction (id, workspace_id, kind, amount, balance_after, job_id)
    SELECT ended.ledger_id, ended.workspace_id, 'REFUND', ended.credits_refunded, refunded.balance, ended.id
    FROM ended, refunded
  ),
  noted AS (
    INSERT INTO webhook_delivery (id, workspace_id, job_id, url, endpoint, event)
    SELECT job.delivery_id, job.workspace_id, job.id, job.webhook_url, ${sqlEndpoint('job.webhook_url')},
      'JOB_' || job.status
    FROM ended AS job WHERE ${sqlIs.final} AND job.webhook_url IS NOT NULL AND job.delivery_id IS NOT NULL
  ),
  logged AS (
    INSERT INTO job_change (workspace_id, job_id, version, status, attempt, failed_attempts,
      progress_step, progress_message, progress_percentage, due_at)
    SELECT job.workspace_id, job.id, job.version, job.status, job.attempt, job.failed_attempts,
      ${unlessFinal('progress_step')}, ${unlessFinal('progress_message')}, ${unlessFinal('progress_percentage')},
      ${unlessFinal('due_at')}
    FROM ended AS job
  )`;

/** The one row of `endJob`, with what goes with it. */
const endedOne = `
  ended AS (
    SELECT changed.*, $1::uuid AS ledger_id, $2::uuid AS delivery_id, $3::boolean AS attempt_failed,
      $4::text AS attempt_error_code, $5::text AS attempt_error_message
    FROM changed
  )`;

/** One transition out of RUNNING, or a cancellation. */
export interface JobEnd {
  /** Compare-and-set on `job` that returns `job.*`; its parameters start at `firstParameter`. */
  update: string;
  parameters: readonly unknown[];
  /** How the attempt failed; null where it does not count as failed. */
  failure: JobFailure | null;
  /** Whether the webhook is told of it; yes where not given. */
  told?: boolean;
}

/** Number of the first parameter that the SQL of a JobEnd may use. */
export const firstParameter = 6;

/**
 * Carries the transition out as a single statement, so that all of it commits or none, and announces it.
 *
 * @returns the job as it is now, or null where somebody else was first and nothing happened.
 */
export async function endJob(context: JobsContext, { update, parameters, failure, told = true }: JobEnd): Promise<Job | null> {
  const expressions = [`changed AS (${update})`, endedOne, consequences];
  const [row] = await context.database.hot.query<JobRow & { slot_freed: boolean }>(
    `WITH ${expressions.join(',')}
     SELECT ${jobColumns('changed')}, EXISTS (SELECT FROM gone WHERE slot IS NOT NULL) AS slot_freed FROM changed`,
    [newId(), told ? newId() : null, failure !== null, failure?.code ?? null, failure?.message ?? null, ...parameters],
  );
  if (row === undefined) return null;
  const job = jobFromRow(row);
  context.announcer.jobChanged(job);
  announceDelivery(context.announcer, job);
  if (row.slot_freed) context.announcer.slotFreed(job.workspaceId);
  return job;
}

/** Wakes the sender of webhooks where the job's end was noted for it. Once too often does no harm. */
export function announceDelivery(announcer: Announcer, job: Job): void {
  if (job.webhookUrl !== null && isFinal(job.status)) announcer.deliveryNoted();
}
