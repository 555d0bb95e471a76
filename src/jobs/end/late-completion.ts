import { Batches } from '../../concurrency/batches.ts';
import type { JobsContext, LateCompletion, AskedCompletion } from '../model/context.ts';
import { type JobRow, jobColumns, jobFromRow } from '../model/rows.ts';
import { sqlIs, transitions } from '../model/state-machine.ts';
import { completionBatch } from './completion-batch.ts';

/*
 * Completions that hold no lease: what became of their attempts, in one statement. An attempt that has ended is in
 * job_attempt, one whose lease has expired but was not swept is still its lease. Outputs are compared as jsonb: key order and
 * number formatting do not matter.
 */
const statement = `
  SELECT asked.ordinal, ${jobColumns('job')}, job.attempt = past.number AS is_newest,
    past.holds AND job.attempt = past.number AND ${sqlIs.running} AS is_held,
    job.status = '${transitions.complete.to}' AND job.attempt = past.number
      AND job.output IS NOT DISTINCT FROM coalesce(asked.output, 'null')
      AND asked.files = (
        SELECT coalesce(jsonb_agg(jsonb_build_object('id', artifact.id, 'name', artifact.name) ORDER BY artifact.position), '[]')
        FROM artifact WHERE artifact.job_id = job.id AND artifact.workspace_id = job.workspace_id
      ) AS is_repeated
  FROM jsonb_to_recordset($1::jsonb) AS asked(ordinal int, job_id uuid, token uuid, scope uuid, output jsonb, files jsonb)
  CROSS JOIN LATERAL (
    SELECT number, false AS holds FROM job_attempt WHERE job_attempt.job_id = asked.job_id AND job_attempt.token = asked.token
    UNION ALL
    SELECT attempt, expires_at > now() FROM lease WHERE lease.job_id = asked.job_id AND lease.token = asked.token
  ) AS past
  -- The limit keeps this from being a join, for which all jobs might be read.
  CROSS JOIN LATERAL (
    SELECT * FROM job WHERE job.id = asked.job_id AND (asked.scope IS NULL OR job.workspace_id = asked.scope) LIMIT 1
  ) AS job`;

async function findLate({ database }: Pick<JobsContext, 'database'>, completions: readonly AskedCompletion[]): Promise<(LateCompletion | null)[]> {
  const rows = await database.hot.query<JobRow & { ordinal: number; is_newest: boolean; is_held: boolean; is_repeated: boolean }>(statement, [
    `[${completions.map(toJson).join(',')}]`,
  ]);
  const found: (LateCompletion | null)[] = completions.map(() => null);
  for (const row of rows) found[row.ordinal] = { job: jobFromRow(row), isNewest: row.is_newest, isHeld: row.is_held, isRepeated: row.is_repeated };
  return found;
}

/** The output is JSON already. */
function toJson({ ref, scope, output, files }: AskedCompletion, ordinal: number): string {
  return `${JSON.stringify({ ordinal, job_id: ref.jobId, token: ref.token, scope, files }).slice(0, -1)},"output":${output}}`;
}

/** Creates the look-ups of this process. */
export function createLateCompletions(parts: Pick<JobsContext, 'database'>): JobsContext['lateCompletions'] {
  return new Batches((completions) => findLate(parts, completions), completionBatch);
}
