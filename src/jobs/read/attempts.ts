import type { Queryable } from '../../database/queryable.ts';
import type { JobFailure } from '../model/job.ts';
import type { AttemptOutcome } from '../model/state-machine.ts';

/** One attempt at a job by one worker. */
export interface JobAttempt {
  jobId: string;
  /** From 1. */
  number: number;
  workerId: string;
  /** When the job was due for it. */
  dueAt: Date;
  startedAt: Date;
  endedAt: Date | null;
  /** Null while it runs. */
  outcome: AttemptOutcome | null;
  error: JobFailure | null;
}

interface AttemptRow {
  job_id: string;
  number: number;
  worker_id: string;
  due_at: string;
  started_at: string;
  ended_at: string | null;
  outcome: AttemptOutcome | null;
  error_code: string | null;
  error_message: string | null;
}

/** The attempts of these jobs, in order. A running one is shown from its lease. The caller must be allowed to see the jobs. */
export async function listAttempts(database: Queryable, jobIds: readonly string[]): Promise<JobAttempt[]> {
  const rows = await database.query<AttemptRow>(
    `SELECT job_id, number, worker_id, due_at, started_at, ended_at, outcome, error_code, error_message
     FROM job_attempt WHERE job_id = ANY($1::uuid[])
     UNION ALL
     SELECT job_id, attempt, worker_id, due_at, started_at, NULL, NULL, NULL, NULL FROM lease WHERE job_id = ANY($1::uuid[])
     ORDER BY job_id, number`,
    [jobIds],
  );
  return rows.map((row) => ({
    jobId: row.job_id,
    number: row.number,
    workerId: row.worker_id,
    dueAt: new Date(row.due_at),
    startedAt: new Date(row.started_at),
    endedAt: row.ended_at === null ? null : new Date(row.ended_at),
    outcome: row.outcome,
    error: row.error_code === null ? null : { code: row.error_code, message: row.error_message ?? '' },
  }));
}
