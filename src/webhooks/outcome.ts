import type { Database } from '../database/database.ts';
import { sqlBecomes, sqlIs } from './entities.ts';
import { gone, type Outcome } from './sender.ts';
import { pauseAfter } from './series.ts';
import type { Try } from './take.ts';

/** The fence: nobody has redelivered it and no other process has taken it since this try started. */
const inForce = `id = $1::uuid AND workspace_id = $2::uuid AND attempt = $3::int AND ${sqlIs.pending}`;

/**
 * Records the outcome of a try: delivered, retried after a backoff, or given up. Does nothing if the try is fenced off.
 *
 * @returns whether the delivery was given up.
 */
export async function noteOutcome(database: Database, one: Try, { status, problem, retryAfter }: Outcome): Promise<boolean> {
  const pause = status === gone ? null : pauseAfter(one.tries, retryAfter);
  const rows = await database.hot.query<{ given_up: boolean }>(
    `UPDATE webhook_delivery SET attempt_count = attempt_count + 1, last_response_status = $4::int,
       last_error = $5::text, ready = false, sending = false,
       due_at = now() + make_interval(secs => coalesce($6::float8, 0)),
       ${sqlBecomes.deliveredWhen('$5::text IS NULL', '$6::float8 IS NULL')},
       delivered_at = CASE WHEN $5::text IS NULL THEN now() END
     WHERE ${inForce}
     RETURNING $5::text IS NOT NULL AND $6::float8 IS NULL AS given_up`,
    [one.deliveryId, one.workspaceId, one.attempt, status, problem, pause],
  );
  return rows.some((row) => row.given_up);
}

/**
 * Puts back a try that was cut off because this process stops. It does not count, and another process may make it at
 * once.
 */
export async function putBack(database: Database, { deliveryId, workspaceId, attempt }: Try): Promise<void> {
  await database.hot.query(
    `UPDATE webhook_delivery SET ready = true, sending = false, due_at = now(), tries = tries - 1 WHERE ${inForce}`,
    [deliveryId, workspaceId, attempt],
  );
}
