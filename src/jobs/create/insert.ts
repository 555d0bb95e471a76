import type { Queryable } from '../../database/queryable.ts';
import { sqlState } from '../../database/unavailable.ts';
import { insertNamedUploads } from './named-uploads.ts';
import type { NewJob } from './new-job.ts';
import type { JobsContext } from '../model/context.ts';
import type { Job } from '../model/job.ts';
import { type JobRow, jobColumns, jobFromRow } from '../model/rows.ts';
import { sqlDispatchAt } from '../model/parking.ts';
import { initialStatus } from '../model/state-machine.ts';

/*
 * One statement for a whole batch of one workspace. Locks follow the global order: idempotency keys (sorted), then the
 * workspace's balance and queue, and concurrency keys (sorted), last and therefore held for the shortest time. A taken
 * key, a negative balance or a full queue violates a constraint, and the whole statement writes nothing. Of a queue that is
 * full before it begins, no dead rows are left either: then nothing is incoming.
 */
const statement = (limits: string) => `
  WITH incoming AS (
    SELECT * FROM jsonb_to_recordset($2::jsonb) AS incoming(
      ordinal int, id uuid, ledger_id uuid, type text, input jsonb, priority int, run_at timestamptz, tags text[],
      webhook_url text, max_attempts int, credits int, key text, request_hash text,
      dialect text, client_reference text, retry_of_id uuid, schedule_id uuid, concurrency_key text,
      concurrency_limit int, by_token boolean)
    WHERE (SELECT pending_at_most FROM workspace WHERE id = $1::uuid) + jsonb_array_length($2::jsonb) <= $3::int
  ),
  keyed AS (
    INSERT INTO idempotency_key (workspace_id, scope, key, request_hash, job_id)
    SELECT $1::uuid, 'JOB', key, request_hash, id FROM incoming WHERE key IS NOT NULL ORDER BY key
    RETURNING 1
  ),
  created AS (
    INSERT INTO job (id, workspace_id, type, status, ready, input, tags, priority, max_attempts, credits_charged,
      webhook_url, client_reference, dialect, retry_of_id, schedule_id, run_at, due_at, dispatch_at,
      concurrency_key, concurrency_limit)
    SELECT id, $1::uuid, type, '${initialStatus}', run_at IS NULL OR run_at <= now(), input, tags, priority,
      max_attempts, credits, webhook_url, client_reference, dialect, retry_of_id, schedule_id, run_at,
      greatest(run_at, now()), ${sqlDispatchAt('greatest(run_at, now())', 'incoming')},
      concurrency_key, concurrency_limit
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
  )${limits}
  SELECT ${jobColumns('created')} FROM created ORDER BY created.id`;

/** The limit of a key is that of its last job. What an access token retries sets none where the key has one. */
const limited = `,
  its AS (
    SELECT concurrency_key AS key, (array_agg(concurrency_limit ORDER BY ordinal DESC) FILTER (WHERE by_token IS NOT TRUE))[1] AS asked,
      (array_agg(concurrency_limit ORDER BY ordinal DESC))[1] AS last
    FROM incoming WHERE concurrency_key IS NOT NULL AND (SELECT count(*) FROM charged) >= 0
    GROUP BY concurrency_key
  ),
  limited AS (
    INSERT INTO concurrency_key (workspace_id, key, seats)
    SELECT $1::uuid, its.key, coalesce(its.asked, its.last) FROM its ORDER BY its.key
    ON CONFLICT (workspace_id, key) DO UPDATE SET unsettled = true,
      seats = coalesce((SELECT its.asked FROM its WHERE its.key = concurrency_key.key), concurrency_key.seats)
  )`;

const statements = { withKeys: statement(limited), withoutKeys: statement('') };

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
 * Inserts jobs with their keys, tags and charges, all or none. Throws the database's own error. Jobs that name uploads are inserted
 * in a transaction that has locked those.
 *
 * @param allowed how many pending jobs the workspace may have
 */
export async function insertJobs(
  database: Queryable,
  { workspaceId, jobs, allowed }: { workspaceId: string; jobs: readonly NewJob[]; allowed: number },
): Promise<Job[]> {
  const rows = await database.query<JobRow>(
    jobs.some(({ concurrencyKey }) => concurrencyKey !== null) ? statements.withKeys : statements.withoutKeys,
    [workspaceId, JSON.stringify(jobs.map(toRow)), allowed],
  );
  await insertNamedUploads(database, workspaceId, jobs);
  return rows.map(jobFromRow);
}

/** Tells workers and watchers of new jobs. Call it after the commit. */
export function announceCreated({ announcer, concurrencyKeys }: Pick<JobsContext, 'announcer' | 'concurrencyKeys'>, jobs: readonly Job[]): void {
  for (const job of jobs) {
    // Both times are the database's.
    if (job.concurrencyKey === null && job.dueAt <= job.updatedAt) announcer.workAvailable(job);
    announcer.workspaceChanged(job.workspaceId);
    concurrencyKeys.changed(job);
  }
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
    client_reference: job.clientReference,
    retry_of_id: job.origin.retryOfId ?? null,
    schedule_id: job.origin.scheduleId ?? null,
    // Left out where they are null: most jobs have none.
    concurrency_key: job.concurrencyKey ?? undefined,
    concurrency_limit: job.concurrencyLimit ?? undefined,
    by_token: job.origin.submitter == null ? undefined : true,
  };
}
