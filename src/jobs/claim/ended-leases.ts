import type { Queryable } from '../../database/queryable.ts';
import type { Job } from '../model/job.ts';
import { type JobRow, jobColumnsWhere, jobFromRow } from '../model/rows.ts';
import { type ImposedOutcome, imposedOutcomes } from '../model/state-machine.ts';

/** An attempt. */
export interface Ref {
  jobId: string;
  attempt: number;
}

interface Holder {
  apiKeyId: string;
  workerId: string;
}

/** An attempt that ended without its worker's word. */
export interface Ended extends Ref {
  /** Null once another attempt has begun. */
  job: Job | null;
  workerId: string;
  /** The secret of its lease. */
  token: string;
  outcome: ImposedOutcome;
}

/** The leases of these workers, and perhaps of others with one of these keys and one of these names. */
export async function readHeld(database: Queryable, holders: readonly Holder[]): Promise<(Ref & Holder)[]> {
  const rows = await database.query<{ job_id: string; attempt: number; api_key_id: string; worker_id: string }>(
    'SELECT job_id, attempt, api_key_id, worker_id FROM lease WHERE api_key_id = ANY($1::uuid[]) AND worker_id = ANY($2::text[])',
    [[...new Set(holders.map(({ apiKeyId }) => apiKeyId))], [...new Set(holders.map(({ workerId }) => workerId))]],
  );
  return rows.map((row) => ({ jobId: row.job_id, attempt: row.attempt, apiKeyId: row.api_key_id, workerId: row.worker_id }));
}

type EndedRow = { ended_job_id: string; ended_attempt: number; worker_id: string; token: string; outcome: ImposedOutcome } & (
  | JobRow
  | { id: null }
);

/** Those of these attempts that ended without their workers' word. The caller knows whose they were. */
export async function readEnded(database: Queryable, refs: readonly Ref[]): Promise<Ended[]> {
  const rows = await database.query<EndedRow>(
    `SELECT ended.job_id AS ended_job_id, ended.number AS ended_attempt, ended.worker_id, ended.token, ended.outcome,
       ${jobColumnsWhere('job', 'job.attempt = ended.number')}
     FROM unnest($1::uuid[], $2::int[]) AS named(job_id, number)
     JOIN job_attempt AS ended ON ended.job_id = named.job_id AND ended.number = named.number
     LEFT JOIN job ON job.id = ended.job_id
     WHERE ended.outcome IN (${imposedOutcomes.map((outcome) => `'${outcome}'`).join(', ')})`,
    [refs.map(({ jobId }) => jobId), refs.map(({ attempt }) => attempt)],
  );
  return rows.map((row) => ({
    jobId: row.ended_job_id,
    attempt: row.ended_attempt,
    job: row.id === null ? null : jobFromRow(row),
    workerId: row.worker_id,
    token: row.token,
    outcome: row.outcome,
  }));
}
