import { failedAttempt } from './attempt-failure.ts';
import type { JobsContext } from '../model/context.ts';
import { endJob, firstParameter, type JobEnd } from './ending.ts';
import type { Job } from '../model/job.ts';
import { sqlIs } from '../model/state-machine.ts';

/** How attempts end without word from their worker. */
const lapses = {
  expired: {
    outcome: 'EXPIRED',
    failure: { code: 'LEASE_EXPIRED', message: 'The worker stopped reporting and its lease expired.' },
  },
  timedOut: {
    outcome: 'TIMEOUT',
    failure: { code: 'TIMEOUT', message: 'The attempt took longer than its job type allows.' },
  },
} as const satisfies Record<string, Pick<JobEnd, 'outcome' | 'failure'>>;

/** The most attempts in one sweep. The next sweep follows within a second. */
const batch = 500;

/**
 * Ends the attempts whose lease has expired or that have timed out: RUNNING → PENDING with a backoff, or → FAILED and
 * refunded. Processes may sweep concurrently; only one of them ends each attempt.
 *
 * @returns the jobs that this call moved.
 * @throws AggregateError if some attempts could not be ended. All others were.
 */
export async function expireLeases(context: JobsContext): Promise<Job[]> {
  const lapsed = await context.database.hot.query<{ job_id: string; attempt: number; timed_out: boolean }>(
    `SELECT job_id, attempt, deadline_at <= now() AS timed_out FROM lease
     WHERE expires_at <= now() ORDER BY expires_at LIMIT ${batch}`,
  );
  const moved: Job[] = [];
  const failures: unknown[] = [];
  for (const { job_id: jobId, attempt, timed_out: timedOut } of lapsed) {
    try {
      const job = await expire(context, jobId, attempt, timedOut ? lapses.timedOut : lapses.expired);
      if (job !== null) moved.push(job);
    } catch (error) {
      // An attempt that cannot be ended must not hold up the others. The next sweep tries it again.
      failures.push(error);
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, `${failures.length} expired attempts could not be ended`);
  return moved;
}

// Both rows are locked with SKIP LOCKED. If a heartbeat or completion holds one of them, the worker is alive, and
// waiting for it while holding the other row could deadlock.
function expire(context: JobsContext, jobId: string, attempt: number, lapse: Pick<JobEnd, 'outcome' | 'failure'>): Promise<Job | null> {
  const $ = firstParameter;
  return endJob(context, {
    update: `
      UPDATE job SET ${failedAttempt({ code: '$4::text', message: '$5::text' })}
      FROM (
        SELECT job.id FROM lease JOIN job ON job.id = lease.job_id
        WHERE lease.job_id = $${$}::uuid AND lease.attempt = $${$ + 1}::int AND lease.expires_at <= now()
          AND job.attempt = lease.attempt AND ${sqlIs.running}
        FOR UPDATE OF job, lease SKIP LOCKED
      ) AS lapsed
      WHERE job.id = lapsed.id
      RETURNING job.*`,
    parameters: [jobId, attempt],
    ...lapse,
  });
}
