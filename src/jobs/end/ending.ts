import { newId } from '../../database/ids.ts';
import { sqlEndpoint } from './endpoint.ts';
import type { JobsContext } from '../model/context.ts';
import type { Job, JobFailure } from '../model/job.ts';
import { leaveKeys } from '../keys/leave.ts';
import { type JobRow, jobColumns, jobFromRow } from '../model/rows.ts';
import { type AttemptOutcome, initialStatus, isFinal, isImposed, sqlIs, transitions } from '../model/state-machine.ts';

/** Keeps the change log narrow: a final job does not change any more, so its own row still has the value. */
function unlessFinal(column: string): string {
  return `CASE WHEN ${sqlIs.final} THEN NULL ELSE job.${column} END`;
}

/** What is kept of a lease. */
const kept = ['token', 'due_at', 'started_at', 'worker_id', 'api_key_id', 'slot', 'concurrency_key'];

/** The columns of `ended` that are of a lease. */
export const leaseColumns = kept.map((column) => `lease.${column} AS lease_${column}`).join(', ');

/** The same, from a CTE that has them. */
export function leaseColumnsOf(cte: string): string {
  return kept.map((column) => `${cte}.lease_${column}`).join(', ');
}

/*
 * What happens with every end reads `ended` alone. It is joined with nothing: the planner expects a row or two, and for a
 * hundred it would compare each with each. For the same reason rows are found through arrays of ids.
 */
const always = `
  gone AS (
    DELETE FROM lease WHERE lease.job_id = ANY (ARRAY(SELECT id FROM ended WHERE lease_token IS NOT NULL))
  ),
  closed AS (
    INSERT INTO job_attempt (job_id, number, workspace_id, token, due_at, started_at, ended_at, outcome, worker_id,
      error_code, error_message)
    SELECT id, attempt, workspace_id, lease_token, lease_due_at, lease_started_at, now(), attempt_outcome, lease_worker_id,
      attempt_error_code, attempt_error_message
    FROM ended WHERE lease_token IS NOT NULL
  ),
  logged AS (
    INSERT INTO job_change (workspace_id, job_id, version, previous_status, status, type, attempt, failed_attempts,
      claimed_at, error_code, progress_step, progress_message, progress_percentage, due_at)
    SELECT job.workspace_id, job.id, job.version,
      CASE WHEN job.lease_token IS NULL THEN '${initialStatus}' ELSE '${transitions.claim.to}' END,
      job.status, job.type, job.attempt, job.failed_attempts, job.lease_started_at, job.attempt_error_code,
      ${unlessFinal('progress_step')}, ${unlessFinal('progress_message')}, ${unlessFinal('progress_percentage')},
      ${unlessFinal('due_at')}
    FROM ended AS job
  )`;

const slots = `
  freed AS (
    UPDATE slot SET job_id = NULL FROM ended
    WHERE slot.workspace_id = ended.workspace_id AND slot.n = ended.lease_slot AND slot.job_id = ended.id AND NOT slot.excess
  ),
  dropped AS (
    DELETE FROM slot USING ended
    WHERE slot.workspace_id = ended.workspace_id AND slot.n = ended.lease_slot AND slot.job_id = ended.id AND slot.excess
  )`;

const noted = `
  noted AS (
    INSERT INTO webhook_delivery (id, workspace_id, job_id, url, endpoint, event)
    SELECT job.delivery_id, job.workspace_id, job.id, job.webhook_url, ${sqlEndpoint('job.webhook_url')},
      'JOB_' || job.status
    FROM ended AS job WHERE ${sqlIs.final} AND job.webhook_url IS NOT NULL AND job.delivery_id IS NOT NULL
  )`;

const refunds = `
  refunded AS (
    UPDATE workspace SET credits = workspace.credits + total.credits
    FROM (
      SELECT workspace_id, sum(credits_refunded) AS credits FROM ended WHERE credits_refunded > 0 GROUP BY workspace_id
    ) AS total
    WHERE workspace.id = total.workspace_id
    RETURNING workspace.id, workspace.credits AS balance, total.credits AS total
  ),
  ledger AS (
    INSERT INTO credit_transaction (id, workspace_id, kind, amount, balance_after, job_id)
    SELECT ended.ledger_id, ended.workspace_id, 'REFUND', ended.credits_refunded,
      refunded.balance - refunded.total + sum(ended.credits_refunded) OVER (PARTITION BY ended.workspace_id ORDER BY ended.ledger_id), ended.id
    FROM ended JOIN refunded ON refunded.id = ended.workspace_id WHERE ended.credits_refunded > 0
  )`;

const leavers = 'SELECT workspace_id, concurrency_key, lease_concurrency_key AS seat FROM ended';

/**
 * CTEs for everything that must happen when a job ends or leaves its worker, in the same statement as the change: they
 * delete the lease, free its slot and its seat, record the attempt, refund credits through the ledger, record a
 * webhook delivery and log the change.
 *
 * Locks follow the global order: the jobs (in `changed`), then their workspace (in `refunded`), then their concurrency keys (in
 * `leaving`). Whoever refunds jobs of several workspaces in one statement would have to lock these in order; nobody does.
 *
 * They read the CTE `ended`: job rows, each with the leaseColumns of its attempt (null if none ran), a ledger_id (for a refund),
 * a delivery_id (null for no webhook), and the outcome and error of the attempt.
 */
export const consequences = [always, slots, noted, refunds, leaveKeys(`${leavers} WHERE (SELECT count(*) FROM refunded) >= 0`)].join(',');

/** For jobs that have COMPLETED: nothing is refunded, and no workspace locked. */
export const consequencesOfSuccess = [always, slots, noted, leaveKeys(leavers)].join(',');

/**
 * The same for jobs without a webhook, whose attempts had no slot and no seat. Postgres takes half of its time for a single end
 * to set up what the others need, and then does nothing with it.
 */
export const consequencesOfPlainSuccess = always;

/** `ended` for the jobs of `changed`: the lease as it was before this statement, if there was one. Its job is locked. */
export const ended = (facts: string) => `
  ended AS (
    SELECT changed.*, ${facts}, its.* FROM changed LEFT JOIN LATERAL (
      SELECT ${leaseColumns} FROM lease WHERE lease.job_id = changed.id LIMIT 1
    ) AS its ON true
  )`;

/** For the single row of `endJob`. */
const endedOne = ended(`$1::uuid AS ledger_id, $2::uuid AS delivery_id, $3::text AS attempt_outcome, $4::text AS attempt_error_code,
      $5::text AS attempt_error_message`);

/** What a statement with these CTEs says of each job that it changed. */
export interface EndFacts {
  slot_freed: boolean;
  /** Seconds that its attempt took; null if none was running. */
  ran: number | null;
  /** The key that held it; null if none was running, or a built-in worker held it. */
  holder: string | null;
}

/** SQL for the EndFacts of the jobs in `ended`: what follows their columns. */
export const endFacts = `
  ended.lease_slot IS NOT NULL AS slot_freed, extract(epoch FROM now() - ended.lease_started_at)::float8 AS ran,
  ended.lease_api_key_id AS holder FROM ended`;

/** One transition out of RUNNING. */
export interface JobEnd {
  /** Compare-and-set on `job` that returns `job.*`; its parameters start at `firstParameter`. */
  update: string;
  parameters: readonly unknown[];
  /** How the attempt ended, if one was running. */
  outcome: AttemptOutcome;
  /** The attempt's error, if it counts as failed. */
  failure?: JobFailure;
}

/** The number of the first parameter that the SQL of a JobEnd may use. */
export const firstParameter = 6;

/**
 * Makes the transition in a single statement, so that all of it commits or nothing does, and then announces it.
 *
 * @returns the changed job, or null if the compare-and-set failed and nothing happened.
 */
export async function endJob(context: JobsContext, { update, parameters, outcome, failure }: JobEnd): Promise<Job | null> {
  const expressions = [`changed AS (${update})`, endedOne, consequences];
  const [row] = await context.database.hot.query<JobRow & EndFacts>(
    `WITH ${expressions.join(',')} SELECT ${jobColumns('ended')}, ${endFacts}`,
    [newId(), newId(), outcome, failure?.code ?? null, failure?.message ?? null, ...parameters],
  );
  if (row === undefined) return null;
  const job = jobFromRow(row);
  announceEnd(context, job, { outcome, code: failure?.code ?? null, ...row });
  return job;
}

/** Tells all who wait for it that a job has ended or left its worker. Call it after the commit. */
export function announceEnd(
  { announcer, concurrencyKeys, observer }: Pick<JobsContext, 'announcer' | 'concurrencyKeys' | 'observer'>,
  job: Pick<Job, 'id' | 'workspaceId' | 'version' | 'attempt' | 'type' | 'status' | 'webhookUrl' | 'concurrencyKey'>,
  { outcome, code, slot_freed: slotFreed, ran, holder }: EndFacts & { outcome: AttemptOutcome; code: string | null },
): void {
  observer.ended({ job, outcome, code, ranSeconds: ran });
  announcer.jobChanged(job);
  // An extra wake-up does no harm.
  if (job.webhookUrl !== null && isFinal(job.status)) announcer.deliveryNoted();
  if (slotFreed) announcer.slotFreed(job.workspaceId);
  concurrencyKeys.changed(job);
  if (holder !== null && isImposed(outcome)) announcer.leaseLost(holder, job);
}
