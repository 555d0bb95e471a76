import { sqlDispatchAt } from '../model/parking.ts';
import { sqlIs, transitions } from '../model/state-machine.ts';

/** Seconds before the second attempt. Doubles with each further attempt. */
const firstBackoffSeconds = 2;

/** The longest backoff between two attempts. */
const longestBackoffSeconds = 600;

interface SqlFailure {
  code: string;
  message: string;
  declaredFinal?: string;
  retryAfter?: string;
}

/**
 * SQL assignments for a failed attempt, reported or expired: another attempt after a backoff, or FAILED and refunded if
 * it was the last attempt or `declaredFinal` holds.
 *
 * The jitter of ±25% keeps jobs that failed together in an outage from all coming back at the same instant.
 *
 * All of a failure is SQL: the error's code and message, a condition that declares it final, and the seconds to wait in place
 * of the backoff, or null for the backoff.
 */
export function failedAttempt({ code, message, declaredFinal = 'false', retryAfter = 'NULL::int' }: SqlFailure): string {
  const last = `(${declaredFinal} OR job.failed_attempts + 1 >= job.max_attempts)`;
  const backoff = `make_interval(secs =>
    least(${longestBackoffSeconds}, ${firstBackoffSeconds} * power(2, least(job.failed_attempts, 16)))
    * (0.75 + random() / 2))`;
  const due = `now() + coalesce(make_interval(secs => ${retryAfter}), ${backoff})`;
  return `
    status = CASE WHEN ${last} THEN '${transitions.fail.to}' ELSE '${transitions.tryAgain.to}' END,
    version = job.version + 1,
    failed_attempts = job.failed_attempts + 1,
    error_code = CASE WHEN ${last} THEN ${code} END,
    error_message = CASE WHEN ${last} THEN ${message} END,
    credits_refunded = CASE WHEN ${last} THEN job.credits_charged ELSE 0 END,
    finished_at = CASE WHEN ${last} THEN now() END,
    ready = NOT ${last} AND ${retryAfter} IS NOT DISTINCT FROM 0,
    (due_at, dispatch_at) = (
      SELECT next.due, ${sqlDispatchAt('next.due', 'job')} FROM (SELECT ${due} AS due) AS next
    ),
    status_changed_at = now(),
    updated_at = now()`;
}

/** SQL assignments for a released attempt: the job may be claimed again at once. */
export const releasedAttempt = `
  status = '${transitions.release.to}',
  version = job.version + 1,
  ready = true,
  due_at = now(),
  dispatch_at = ${sqlDispatchAt('now()', 'job')},
  status_changed_at = now(),
  updated_at = now()`;

/** Waiting jobs that are due. */
export const isDue = `${sqlIs.waiting} AND job.due_at <= now()`;
