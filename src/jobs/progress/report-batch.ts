import { notYet, type Outcome } from '../../concurrency/batches.ts';
import type { JobsContext } from '../model/context.ts';
import type { WorkspaceScope } from '../model/workspace-scope.ts';
import type { LeaseRef } from '../claim/lease-token.ts';
import { sqlIs } from '../model/state-machine.ts';

/** A report to write. It has only the fields that the worker sent. */
export interface ProgressPatch extends LeaseRef {
  scope: WorkspaceScope;
  step?: string | null;
  message?: string | null;
  percentage?: number | null;
  /** The highest percentage of the reports merged into this one. */
  peak?: number;
  /** JSON text. */
  checkpoint?: string | null;
}

interface WrittenRow {
  ordinal: number;
  expires_at: string | null;
  held: boolean;
  /** Null if the lease is lost, or another transaction holds a lock on its job. */
  worker_id: string | null;
  /** Both null if the report changed nothing. */
  workspace_id: string | null;
  version: number | null;
}

/**
 * Omitted fields keep their value. The peak is kept separately, so that 40 cannot follow 60 after a null in between.
 */
const next = {
  step: 'CASE WHEN report.has_step THEN report.step ELSE job.progress_step END',
  message: 'CASE WHEN report.has_message THEN report.message ELSE job.progress_message END',
  percentage: `CASE
    WHEN NOT report.has_percentage THEN job.progress_percentage
    WHEN report.percentage IS NOT NULL THEN greatest(report.percentage, report.peak, job.progress_peak) END`,
  peak: 'greatest(report.percentage, report.peak, job.progress_peak)',
};

/*
 * One statement for many jobs. It locks rows in id order with SKIP LOCKED, so a batch never waits: a completion or
 * cancellation in flight delays only the report of its own job, and two batches cannot deadlock.
 *
 * A heartbeat, or a report that changes nothing, updates only the lease; version and updated_at stay the same. A lease is
 * renewed only if that adds a tenth of its length, so that a chatty worker does not write it with each report.
 *
 * The lock of the job guards the lease and the checkpoint too: whoever writes them has the lock of its job.
 *
 * @param checkpoints CTEs that write them, for a batch that has some
 */
const statement = (checkpoints: string) => `
  WITH report AS (
    SELECT * FROM jsonb_to_recordset($1::jsonb) AS report(
      ordinal int, job_id uuid, token uuid, scope uuid,
      has_step boolean, step text, has_message boolean, message text, has_percentage boolean, percentage float8, peak float8,
      has_checkpoint boolean, checkpoint jsonb)
  ),
  held AS MATERIALIZED (
    SELECT report.*, its.* FROM (SELECT * FROM report ORDER BY job_id) AS report
    CROSS JOIN LATERAL (
      SELECT lease.workspace_id, lease.attempt, lease.worker_id, lease.expires_at, make_interval(secs => lease.seconds / 10.0) AS tenth,
        least(now() + make_interval(secs => lease.seconds), lease.deadline_at) AS renewed_until
      FROM lease
      WHERE lease.job_id = report.job_id AND lease.token = report.token AND lease.expires_at > now()
        AND (report.scope IS NULL OR report.scope = lease.workspace_id) LIMIT 1
    ) AS its
    CROSS JOIN LATERAL (
      SELECT FROM job WHERE job.id = report.job_id AND job.attempt = its.attempt AND ${sqlIs.running} FOR UPDATE SKIP LOCKED
    ) AS locked
  ),
  written AS (
    UPDATE job SET progress_step = ${next.step}, progress_message = ${next.message},
      progress_percentage = ${next.percentage}, progress_peak = ${next.peak},
      version = job.version + 1, updated_at = now()
    FROM held AS report
    WHERE job.id = report.job_id AND job.id = ANY (ARRAY(SELECT job_id FROM held))
      AND (job.progress_step, job.progress_message, job.progress_percentage)
        IS DISTINCT FROM (${next.step}, ${next.message}, ${next.percentage})
    RETURNING job.id, job.workspace_id, job.version
  ),
  renewed AS (
    UPDATE lease SET expires_at = held.renewed_until FROM held
    WHERE lease.job_id = held.job_id AND lease.job_id = ANY (ARRAY(SELECT job_id FROM held))
      AND held.expires_at NOT BETWEEN held.renewed_until - held.tenth AND held.renewed_until
    RETURNING lease.job_id, lease.expires_at
  )${checkpoints}
  SELECT report.ordinal, coalesce(renewed.expires_at, held.expires_at) AS expires_at, held.worker_id, written.workspace_id, written.version,
    held.ordinal IS NOT NULL OR EXISTS (
      SELECT FROM lease JOIN job ON job.id = lease.job_id AND job.attempt = lease.attempt AND ${sqlIs.running}
      WHERE lease.job_id = report.job_id AND lease.token = report.token AND lease.expires_at > now()
        AND (report.scope IS NULL OR report.scope = lease.workspace_id)
    ) AS held
  FROM report
  LEFT JOIN held USING (ordinal)
  LEFT JOIN renewed ON renewed.job_id = held.job_id
  LEFT JOIN written ON written.id = held.job_id`;

/** Of two workers that report on one job with different keys, the later one counts. */
const checkpoints = `,
  latest AS (
    SELECT DISTINCT ON (job_id) job_id, workspace_id, checkpoint FROM held WHERE has_checkpoint ORDER BY job_id, ordinal DESC
  ),
  kept AS (
    INSERT INTO job_checkpoint (job_id, workspace_id, value)
    SELECT job_id, workspace_id, checkpoint FROM latest WHERE checkpoint IS NOT NULL
    ON CONFLICT (job_id) DO UPDATE SET value = excluded.value WHERE job_checkpoint.value <> excluded.value
  ),
  cleared AS (
    DELETE FROM job_checkpoint USING latest WHERE job_checkpoint.job_id = latest.job_id AND latest.checkpoint IS NULL
  )`;

const statements = { plain: statement(''), withCheckpoints: statement(checkpoints) };

/**
 * Writes a batch of reports, at most one per token and scope, and announces the changes.
 *
 * @returns one outcome per report: the new expiry of its lease, null if the lease is lost, or `notYet` if another
 *   transaction holds a lock on the job or lease.
 */
export async function writeReports(context: JobsContext, patches: readonly ProgressPatch[]): Promise<Outcome<Date | null>[]> {
  const hasCheckpoints = patches.some(({ checkpoint }) => checkpoint !== undefined);
  const rows = await context.database.hot.query<WrittenRow>(
    hasCheckpoints ? statements.withCheckpoints : statements.plain,
    [`[${patches.map(toJson).join(',')}]`],
  );
  const outcomes: Outcome<Date | null>[] = patches.map(() => null);
  for (const { ordinal, expires_at: expiresAt, held, worker_id: workerId, workspace_id: workspaceId, version } of rows) {
    const patch = patches[ordinal];
    if (patch === undefined || !held) continue;
    outcomes[ordinal] = expiresAt === null ? notYet : new Date(expiresAt);
    if (workerId !== null) context.workforce.reported(patch.scope, workerId);
    if (workspaceId !== null && version !== null) {
      context.announcer.jobProgressed({ id: patch.jobId, workspaceId, version });
    }
  }
  return outcomes;
}

/** Splices the checkpoint in as text: it is already JSON and may be large. */
function toJson(patch: ProgressPatch, ordinal: number): string {
  const fields = JSON.stringify({
    ordinal,
    job_id: patch.jobId,
    token: patch.token,
    scope: patch.scope,
    has_step: patch.step !== undefined,
    step: patch.step ?? null,
    has_message: patch.message !== undefined,
    message: patch.message ?? null,
    has_percentage: patch.percentage !== undefined,
    percentage: patch.percentage ?? null,
    peak: patch.peak ?? null,
    has_checkpoint: patch.checkpoint !== undefined,
  });
  return patch.checkpoint == null ? fields : `${fields.slice(0, -1)},"checkpoint":${patch.checkpoint}}`;
}
