import type { Queryable } from '../../database/queryable.ts';
import { sqlState } from '../../database/unavailable.ts';
import type { NewJob } from './new-job.ts';
import type { Job } from '../model/job.ts';
import { type JobRow, jobColumns, jobFromRow } from '../model/rows.ts';
import { initialStatus } from '../model/state-machine.ts';

/*
 * One statement for a whole batch of one workspace. Locks follow the global order: idempotency keys (sorted), then the
 * workspace's balance and queue, last and therefore held for the shortest time. A taken key, a negative balance or a full
 * queue violates a constraint, and the whole statement writes nothing. Of a queue that is full before it begins, no dead
 * rows are left either: then nothing is incoming.
 */
const statement = `
  WITH incoming AS (
    SELECT * FROM jsonb_to_recordset($2::jsonb) AS incoming(
      ordinal int, id uuid, ledger_id uuid, type text, input jsonb, priority int, run_at timestamptz, tags text[],
      webhook_url text, max_attempts int, credits int, key text, request_hash text,
      dialect text, client_reference text, retry_of_id uuid)
    WHERE (SELECT pending_at_most FROM workspace WHERE id = $1::uuid) + jsonb_array_length($2::jsonb) <= $3::int
  ),
  keyed AS (
    INSERT INTO idempotency_key (workspace_id, scope, key, request_hash, job_id)
    SELECT $1::uuid, 'JOB', key, request_hash, id FROM incoming WHERE key IS NOT NULL ORDER BY key
    RETURNING 1
  ),
  created AS (
    INSERT INTO job (id, workspace_id, type, status, ready, input, tags, priority, max_attempts, credits_charged,
      webhook_url, client_reference, dialect, retry_of_id, run_at, due_at, dispatch_at)
    SELECT id, $1::uuid, type, '${initialStatus}', run_at IS NULL OR run_at <= now(), input, tags, priority,
      max_attempts, credits, webhook_url, client_reference, dialect, retry_of_id, run_at,
      greatest(run_at, now()), greatest(run_at, now()) - make_interval(mins => priority)
    -- Insert the keys first: if one is taken, no dead job rows are left for vacuum.
    FROM incoming WHERE (SELECT count(*) FROM keyed) >= 0 ORDER BY ordinal
    RETURNING job.*
  ),
  logged AS (
    INSERT INTO job_change (workspace_id, job_id, type) SELECT $1::uuid, id, type FROM created
  ),
  tagged AS (
    INSERT INTO job_tag (workspace_id, tag, job_id) SELECT $1::uuid, unnest(tags), id FROM incoming
  ),
  charged AS (
    UPDATE workspace SET credits = workspace.credits - total.credits,
      pending_at_most = workspace.pending_at_most + total.jobs,
      pending_allowed = CASE WHEN total.jobs = 0 THEN -1 ELSE $3::int END
    FROM (SELECT coalesce(sum(credits), 0) AS credits, count(*) AS jobs FROM incoming) AS total
    WHERE workspace.id = $1::uuid
    RETURNING workspace.credits AS balance, total.credits AS total
  ),
  ledger AS (
    INSERT INTO credit_transaction (id, workspace_id, kind, amount, balance_after, job_id)
    SELECT ledger_id, $1::uuid, 'CHARGE', -credits,
      charged.balance + charged.total - sum(credits) OVER (ORDER BY ordinal), id
    FROM incoming, charged WHERE credits > 0
  )
  SELECT ${jobColumns('created')} FROM created ORDER BY created.id`;

/** Constraints whose violation is an expected outcome. */
export const brokenConstraint = {
  key: 'idempotency_key_pkey',
  balance: 'workspace_credits_check',
  room: 'workspace_pending_check',
} as const;

/** Whether the error is the violation of a unique or check constraint with this name. */
export function breaks(error: unknown, constraint: string): boolean {
  const state = sqlState(error);
  return (
    (state === '23505' || state === '23514') &&
    error instanceof Error &&
    'constraint' in error &&
    error.constraint === constraint
  );
}

/**
 * Inserts jobs with their keys, tags and charges, all or none. Throws the database's own error.
 *
 * @param allowed how many pending jobs the workspace may have
 */
export async function insertJobs(
  database: Queryable,
  { workspaceId, jobs, allowed }: { workspaceId: string; jobs: readonly NewJob[]; allowed: number },
): Promise<Job[]> {
  const rows = await database.query<JobRow>(
    statement,
    [workspaceId, JSON.stringify(jobs.map(toRow)), allowed],
  );
  return rows.map(jobFromRow);
}

function toRow(job: NewJob, ordinal: number): object {
  return {
    ordinal,
    id: job.id,
    ledger_id: job.ledgerId,
    type: job.type,
    input: job.input,
    priority: job.priority,
    run_at: job.runAt?.toISOString() ?? null,
    tags: job.tags,
    webhook_url: job.webhookUrl,
    max_attempts: job.maxAttempts,
    credits: job.credits,
    key: job.key?.text ?? null,
    request_hash: job.key?.requestHash ?? null,
    dialect: job.origin.dialect,
    client_reference: job.origin.clientReference ?? null,
    retry_of_id: job.origin.retryOfId ?? null,
  };
}
