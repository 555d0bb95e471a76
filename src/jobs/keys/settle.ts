import type { Database } from '../../database/database.ts';
import type { Work } from '../feed/announcer.ts';
import { isInLine, isParked, sqlParkedPlace, sqlPlace } from '../model/parking.ts';
import { sqlIs } from '../model/state-machine.ts';

/** The most keys in one transaction. */
const batch = 100;

/** The most jobs of one key and type that stand in line: as many as one claim may start. */
const longestLine = 100;

/* Whoever has changed a key, and has not committed, marks it anew, so it need not be waited for. */
const lock = `
  SELECT workspace_id, key FROM concurrency_key WHERE unsettled ORDER BY workspace_id, key LIMIT ${batch} FOR UPDATE SKIP LOCKED`;

/** The key of job_concurrency_index. */
const inOrder = 'ORDER BY job.workspace_id, job.concurrency_key, job.ready, job.type, job.dispatch_at, job.id';

function ready(of: string): string {
  return `${sqlIs.claimable} AND job.workspace_id = ${of}.workspace_id AND job.concurrency_key = ${of}.key`;
}

/*
 * For each type with jobs of the key: those that stand in line, and the first of those that are parked, in their true order.
 * As many as there are free seats stay in line or join it, of each type, because nobody knows which type is claimed next: a
 * type that is paused, or that no worker takes, keeps no other from the seats. The others are parked.
 *
 * What runs is counted from the leases, so that an attempt that a version without keys has ended gives its seat back too.
 *
 * A job that somebody has locked is left alone, and its key unsettled. The lateral look-ups have an order and a limit of their
 * own to keep them from being flattened into joins.
 */
const settle = `
  WITH RECURSIVE settling AS MATERIALIZED (
    SELECT key.workspace_id, key.key, its.taken, least(key.seats - its.taken, ${longestLine}) AS free
    FROM unnest($1::uuid[], $2::text[]) AS asked(workspace_id, key)
    JOIN concurrency_key AS key ON key.workspace_id = asked.workspace_id AND key.key = asked.key
    CROSS JOIN LATERAL (
      SELECT count(*)::int AS taken FROM lease WHERE lease.workspace_id = key.workspace_id AND lease.concurrency_key = key.key
    ) AS its
  ), line AS (
    SELECT settling.*, first.type FROM settling CROSS JOIN LATERAL (
      SELECT job.type FROM job WHERE ${ready('settling')} ${inOrder} LIMIT 1
    ) AS first
    UNION ALL
    SELECT line.workspace_id, line.key, line.taken, line.free, following.type FROM line CROSS JOIN LATERAL (
      SELECT job.type FROM job WHERE ${ready('line')} AND job.type > line.type ${inOrder} LIMIT 1
    ) AS following
  ), near AS MATERIALIZED (
    SELECT line.*, job.id, job.parked, row_number() OVER (PARTITION BY line.workspace_id, line.key, line.type ORDER BY job.place, job.id) AS rank
    FROM line CROSS JOIN LATERAL (
      (SELECT job.id, false AS parked, ${sqlPlace('job.due_at', 'job')} AS place FROM job
       WHERE ${ready('line')} AND job.type = line.type AND ${isInLine} ${inOrder} LIMIT 1000)
      UNION ALL
      (SELECT job.id, true, ${sqlPlace('job.due_at', 'job')} FROM job
       WHERE ${ready('line')} AND job.type = line.type AND ${isParked} ${inOrder} LIMIT greatest(line.free, 0))
    ) AS job
  ), misplaced AS MATERIALIZED (
    SELECT near.*, locked.id IS NOT NULL AS movable FROM near LEFT JOIN LATERAL (
      SELECT job.id FROM job WHERE job.id = near.id AND ${sqlIs.claimable} FOR UPDATE SKIP LOCKED
    ) AS locked ON true
    WHERE near.parked <> (near.rank > near.free)
  ), moved AS (
    UPDATE job SET dispatch_at = CASE WHEN misplaced.parked THEN ${sqlPlace('job.due_at', 'job')} ELSE ${sqlParkedPlace('job.due_at', 'job')} END
    FROM misplaced WHERE job.id = misplaced.id AND misplaced.movable
      AND job.id = ANY (ARRAY(SELECT id FROM misplaced WHERE movable))
  ), forgotten AS (
    DELETE FROM concurrency_key AS key USING settling
    WHERE key.workspace_id = settling.workspace_id AND key.key = settling.key AND settling.taken = 0 AND (
      SELECT true FROM job WHERE ${sqlIs.pending} AND job.workspace_id = key.workspace_id AND job.concurrency_key = key.key ${inOrder} LIMIT 1
    ) IS NULL
    RETURNING key.workspace_id, key.key
  ), settled AS (
    UPDATE concurrency_key AS key SET taken = settling.taken, unsettled = EXISTS (
        SELECT FROM misplaced WHERE misplaced.workspace_id = key.workspace_id AND misplaced.key = key.key AND NOT misplaced.movable
      )
    FROM settling WHERE key.workspace_id = settling.workspace_id AND key.key = settling.key
      AND NOT EXISTS (SELECT FROM forgotten WHERE forgotten.workspace_id = key.workspace_id AND forgotten.key = key.key)
  )
  SELECT DISTINCT workspace_id AS "workspaceId", type FROM near WHERE rank <= free`;

/**
 * Settles the keys whose jobs have changed: as many of each type's jobs stand in line as the key has free seats, and the
 * others are parked. Two statements, because the second has to see what was committed before the first had its locks.
 *
 * @returns how many keys, and what may be claimed now
 */
export function settleKeys(database: Database): Promise<{ keys: number; work: Work[] }> {
  return database.transaction(async (transaction) => {
    const keys = await transaction.query<{ workspace_id: string; key: string }>(lock);
    if (keys.length === 0) return { keys: 0, work: [] };
    const work = await transaction.query<Work>(settle, [keys.map((one) => one.workspace_id), keys.map(({ key }) => key)]);
    return { keys: keys.length, work };
  });
}

export const keysInOneSettling = batch;
