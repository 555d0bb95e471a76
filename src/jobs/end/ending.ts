import { newId } from '../../database/ids.ts';
import { sqlEndpoint } from './endpoint.ts';
import type { Announcer } from '../feed/announcer.ts';
import type { JobsContext } from '../model/context.ts';
import type { Job, JobFailure } from '../model/job.ts';
import { type JobRow, jobColumns, jobFromRow } from '../model/rows.ts';
import { type AttemptOutcome, initialStatus, isFinal, sqlIs, transitions } from '../model/state-machine.ts';

/** Keeps the change log narrow: a final job does not change any more, so its own row still has the value. */
function unlessFinal(column: string): string {
  return `CASE WHEN ${sqlIs.final} THEN NULL ELSE job.${column} END`;
}

/**
 * CTEs for everything that must happen when a job ends or leaves its worker, in the same statement as the change: they
 * delete the lease, free its slot, record the attempt, refund credits through the ledger, record a webhook delivery and
 * log the change.
 *
 * Locks follow the global order: the job (in `changed`), then its workspace (in `refunded`). At most one of several
 * rows may be refunded, because an UPDATE changes each workspace row only once.
 *
 * They read the CTE `ended`: job rows, each with a ledger_id, a delivery_id (null for no webhook), and the outcome and
 * error of the attempt.
 */
export const consequences = `
  gone AS (
    DELETE FROM lease USING ended WHERE lease.job_id = ended.id
    RETURNING lease.*
  ),
  freed AS (
    UPDATE slot SET job_id = NULL FROM gone
    WHERE slot.workspace_id = gone.workspace_id AND slot.n = gone.slot AND slot.job_id = gone.job_id AND NOT slot.excess
  ),
  dropped AS (
    DELETE FROM slot USING gone
    WHERE slot.workspace_id = gone.workspace_id AND slot.n = gone.slot AND slot.job_id = gone.job_id AND slot.excess
  ),
  closed AS (
    INSERT INTO job_attempt (job_id, number, workspace_id, token, due_at, started_at, ended_at, outcome, worker_id,
      error_code, error_message)
    SELECT gone.job_id, gone.attempt, gone.workspace_id, gone.token, gone.due_at, gone.started_at, now(),
      ended.attempt_outcome, gone.worker_id, ended.attempt_error_code, ended.attempt_error_message
    FROM gone JOIN ended ON ended.id = gone.job_id
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
    INSERT INTO job_change (workspace_id, job_id, version, previous_status, status, type, attempt, failed_attempts,
      claimed_at, error_code, progress_step, progress_message, progress_percentage, due_at)
    SELECT job.workspace_id, job.id, job.version,
      CASE WHEN gone.job_id IS NULL THEN '${initialStatus}' ELSE '${transitions.claim.to}' END,
      job.status, job.type, job.attempt, job.failed_attempts, gone.started_at, job.attempt_error_code,
      ${unlessFinal('progress_step')}, ${unlessFinal('progress_message')}, ${unlessFinal('progress_percentage')},
      ${unlessFinal('due_at')}
    FROM ended AS job LEFT JOIN gone ON gone.job_id = job.id
  )`;

/** `ended` for the single row of `endJob`. */
const endedOne = `
  ended AS (
    SELECT changed.*, $1::uuid AS ledger_id, $2::uuid AS delivery_id, $3::text AS attempt_outcome,
      $4::text AS attempt_error_code, $5::text AS attempt_error_message
    FROM changed
  )`;

/** One transition out of RUNNING, or a cancellation. */
export interface JobEnd {
  /** Compare-and-set on `job` that returns `job.*`; its parameters start at `firstParameter`. */
  update: string;
  parameters: readonly unknown[];
  /** How the attempt ended, if one was running. */
  outcome: AttemptOutcome;
  /** The attempt's error, if it counts as failed. */
  failure?: JobFailure;
  /** Whether to send a webhook. True by default. */
  told?: boolean;
}

/** The number of the first parameter that the SQL of a JobEnd may use. */
export const firstParameter = 6;

/**
 * Makes the transition in a single statement, so that all of it commits or nothing does, and then announces it.
 *
 * @returns the changed job, or null if the compare-and-set failed and nothing happened.
 */
export async function endJob(context: JobsContext, { update, parameters, outcome, failure, told = true }: JobEnd): Promise<Job | null> {
  const expressions = [`changed AS (${update})`, endedOne, consequences];
  const [row] = await context.database.hot.query<JobRow & { slot_freed: boolean; ran: number | null }>(
    `WITH ${expressions.join(',')}
     SELECT ${jobColumns('changed')}, EXISTS (SELECT FROM gone WHERE slot IS NOT NULL) AS slot_freed,
       (SELECT extract(epoch FROM now() - started_at)::float8 FROM gone) AS ran FROM changed`,
    [newId(), told ? newId() : null, outcome, failure?.code ?? null, failure?.message ?? null, ...parameters],
  );
  if (row === undefined) return null;
  const job = jobFromRow(row);
  context.observer.ended({ job, outcome, code: failure?.code ?? null, ranSeconds: row.ran });
  context.announcer.jobChanged(job);
  announceDelivery(context.announcer, job);
  if (row.slot_freed) context.announcer.slotFreed(job.workspaceId);
  return job;
}

/** Wakes the webhook sender if the job's end may have recorded a delivery. An extra wake-up does no harm. */
export function announceDelivery(announcer: Announcer, job: Job): void {
  if (job.webhookUrl !== null && isFinal(job.status)) announcer.deliveryNoted();
}
