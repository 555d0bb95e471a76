import { Batches } from '../../concurrency/batches.ts';
import { newId } from '../../database/ids.ts';
import type { JobsContext, ReadyCompletion } from '../model/context.ts';
import { announceDelivery, consequences } from './ending.ts';
import type { Job } from '../model/job.ts';
import { type JobRow, jobColumns, jobFromRow } from '../model/rows.ts';
import { sqlIs, transitions } from '../model/state-machine.ts';

/** How long a result file is kept after its job ends. */
export const artifactHours = 24;

/*
 * One statement for many jobs, each fenced by its own lease. It locks rows in id order, so that two batches cannot
 * deadlock. A completion refunds nothing, so it locks no workspace.
 *
 * The artifact row is inserted from the changed job, so a completion that lost its lease records no artifact. The
 * expiry is in whole seconds because the signed URL carries seconds and must be the same on every read.
 */
const statement = `
  WITH asked AS (
    SELECT * FROM jsonb_to_recordset($1::jsonb) AS asked(
      ordinal int, job_id uuid, token uuid, scope uuid, output jsonb, delivery_id uuid,
      artifact_id uuid, filename text, media_type text, bytes bigint, sha256 text)
  ),
  held AS MATERIALIZED (
    SELECT asked.ordinal, job.id, job.attempt
    FROM asked
    JOIN lease ON lease.job_id = asked.job_id AND lease.token = asked.token AND lease.expires_at > now()
    JOIN job ON job.id = lease.job_id AND job.attempt = lease.attempt AND ${sqlIs.running}
    WHERE asked.scope IS NULL OR asked.scope = job.workspace_id
    ORDER BY job.id
    FOR UPDATE OF job
  ),
  changed AS (
    UPDATE job SET status = '${transitions.complete.to}', version = job.version + 1,
      output = coalesce(asked.output, 'null'), artifact_id = asked.artifact_id,
      artifact_expires_at = CASE WHEN asked.artifact_id IS NOT NULL
        THEN date_trunc('second', now()) + interval '${artifactHours} hours' END,
      finished_at = now(), status_changed_at = now(), updated_at = now()
    FROM held JOIN asked USING (ordinal)
    WHERE job.id = held.id AND job.id = ANY (ARRAY(SELECT id FROM held))
      AND job.attempt = held.attempt AND ${sqlIs.running}
    RETURNING job.*, asked.ordinal, asked.delivery_id
  ),
  ended AS (
    SELECT changed.*, NULL::uuid AS ledger_id, '${transitions.complete.to}' AS attempt_outcome,
      NULL::text AS attempt_error_code, NULL::text AS attempt_error_message
    FROM changed
  ),
  ${consequences},
  filed AS (
    INSERT INTO artifact (id, workspace_id, job_id, filename, media_type, bytes, sha256, expires_at)
    SELECT changed.artifact_id, changed.workspace_id, changed.id,
      asked.filename, asked.media_type, asked.bytes, asked.sha256, changed.artifact_expires_at
    FROM changed JOIN asked USING (ordinal) WHERE asked.artifact_id IS NOT NULL
  )
  SELECT ${jobColumns('changed')}, changed.ordinal, gone.slot IS NOT NULL AS slot_freed,
    extract(epoch FROM now() - gone.started_at)::float8 AS ran
  FROM changed LEFT JOIN gone ON gone.job_id = changed.id`;

/** The dependencies of completions. */
type CompletionParts = Pick<JobsContext, 'database' | 'announcer' | 'observer'>;

/** Completes and announces the jobs whose leases still hold. Returns null for the others. */
async function writeCompletions(
  { database, announcer, observer }: CompletionParts,
  completions: readonly ReadyCompletion[],
): Promise<(Job | null)[]> {
  const rows = await database.hot.query<JobRow & { ordinal: number; slot_freed: boolean; ran: number | null }>(
    statement,
    [`[${completions.map(toJson).join(',')}]`],
  );
  const jobs: (Job | null)[] = completions.map(() => null);
  for (const row of rows) {
    const job = jobFromRow(row);
    jobs[row.ordinal] = job;
    announcer.jobChanged(job);
    announceDelivery(announcer, job);
    observer.ended({ job, outcome: transitions.complete.to, code: null, ranSeconds: row.ran });
    if (row.slot_freed) announcer.slotFreed(job.workspaceId);
  }
  return jobs;
}

/**
 * Splices the output in as text: it is already JSON and may be large, so parsing and printing it again would be waste.
 */
function toJson({ ref, scope, output, artifact }: ReadyCompletion, ordinal: number): string {
  const fields = {
    ordinal,
    job_id: ref.jobId,
    token: ref.token,
    scope,
    delivery_id: newId(),
    artifact_id: artifact?.id ?? null,
    filename: artifact?.filename ?? null,
    media_type: artifact?.mediaType ?? null,
    bytes: artifact?.bytes ?? null,
    sha256: artifact?.sha256 ?? null,
  };
  return `${JSON.stringify(fields).slice(0, -1)},"output":${output}}`;
}

/** Creates the completion batches of this process. */
export function createCompletions(parts: CompletionParts): JobsContext['completions'] {
  return new Batches((completions) => writeCompletions(parts, completions), { lanes: 4, size: 100 });
}
