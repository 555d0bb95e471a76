/*
 * A job with a concurrency key is parked while the key has no seat for it: it stands in the same order as ever, but a
 * hundred thousand years later. So ten thousand jobs of a full key are behind the last job that may start, where no claim
 * looks, and claims read the index of the queue as if there were no keys. ../keys/settle.ts moves as many of them to their
 * true place as the key has seats.
 */

/** How much later a parked job is dispatched. In hours, which are the same in every time zone. */
const parked = `interval '876582000 hours'`;

/** Later than any job that is not parked: the latest runAt is in the year 9999. */
const parkedFrom = `timestamptz '10000-02-01 00:00:00+00'`;

/** SQL: whether a job is in the queue that claims read. */
export const isInLine = `job.dispatch_at < ${parkedFrom}`;

export const isParked = `job.dispatch_at >= ${parkedFrom}`;

/** SQL for a job's place in the queue. */
export function sqlPlace(due: string, job: string): string {
  return `${due} - make_interval(mins => ${job}.priority)`;
}

/** SQL for the place of a job that begins to wait: one with a key is parked. */
export function sqlDispatchAt(due: string, job: string): string {
  return `${sqlPlace(due, job)} + CASE WHEN ${job}.concurrency_key IS NULL THEN interval '0' ELSE ${parked} END`;
}

/** SQL for the place of a parked job. */
export function sqlParkedPlace(due: string, job: string): string {
  return `${sqlPlace(due, job)} + ${parked}`;
}
