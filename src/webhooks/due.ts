import type { Database } from '../database/database.ts';
import { inReadyOrder, sqlBecomes, sqlIs } from './entities.ts';
import { mostTries } from './series.ts';

/** The most rows that one statement moves. The next look follows within a second. */
const batch = 1_000;

/** The error of a delivery whose last try was lost with its process. */
const lost = 'The process that made the last try ended before it knew the outcome.';

const statement = `
  WITH due AS (
    SELECT id FROM webhook_delivery WHERE ${sqlIs.waiting} AND due_at <= now()
    ORDER BY due_at LIMIT ${batch} FOR UPDATE SKIP LOCKED
  ), moved AS (
    UPDATE webhook_delivery SET ready = tries < ${mostTries}, sending = false,
      ${sqlBecomes.failedWhen(`tries >= ${mostTries}`)},
      last_error = CASE WHEN tries >= ${mostTries} THEN '${lost}' ELSE last_error END
    WHERE id = ANY (ARRAY(SELECT id FROM due))
    RETURNING id, workspace_id, ready
  )
  SELECT EXISTS (SELECT FROM moved WHERE ready)
      -- Not EXISTS: it ignores ORDER BY, and so would not use the index.
      OR coalesce((SELECT true FROM webhook_delivery WHERE ${sqlIs.ready} ORDER BY ${inReadyOrder} LIMIT 1), false) AS ready,
    ARRAY(SELECT id FROM moved WHERE NOT ready)::text[] AS given_up`;

/**
 * Marks due deliveries as ready: their backoff has passed, or their lease expired because its process is gone. A lost
 * try counts as a try, so a delivery that kills its process is not retried forever.
 *
 * @returns whether any delivery is ready, and the ids of the deliveries that were given up.
 */
export async function makeDueReady(database: Database): Promise<{ ready: boolean; givenUp: string[] }> {
  const [row] = await database.hot.query<{ ready: boolean; given_up: string[] }>(statement, []);
  return { ready: row?.ready ?? false, givenUp: row?.given_up ?? [] };
}
