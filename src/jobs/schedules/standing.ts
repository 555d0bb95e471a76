import type { Queryable } from '../../database/queryable.ts';
import { sqlIs } from '../model/state-machine.ts';

/** What the next jobs of schedules depend on, apart from the schedules. */
interface Standing {
  /** The balance of the workspace. */
  credits: number;
  /** The ids of the schedules whose newest job has not ended. */
  unfinished: ReadonlySet<string>;
}

const look = `
  SELECT workspace.credits, coalesce((
    SELECT jsonb_agg(taken.id) FROM unnest($2::uuid[]) AS taken(id)
    WHERE (SELECT NOT (${sqlIs.final}) FROM job WHERE job.schedule_id = taken.id ORDER BY job.id DESC LIMIT 1)), '[]') AS unfinished
  FROM workspace WHERE workspace.id = $1`;

/**
 * How schedules stand that the transaction has locked. A statement of its own: the one that locks a schedule may have begun before
 * whoever held the lock committed a job, and would not see it.
 */
export async function standingOf(transaction: Queryable, workspaceId: string, locked: readonly string[]): Promise<Standing> {
  const [row] = await transaction.query<{ credits: number; unfinished: string[] }>(look, [workspaceId, locked]);
  return { credits: row?.credits ?? 0, unfinished: new Set(row?.unfinished) };
}
