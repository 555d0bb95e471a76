import type { Database } from '../../database/database.ts';
import type { Queryable } from '../../database/queryable.ts';
import type { JsonObject } from '../../json.ts';
import type { JobsContext } from '../model/context.ts';
import type { JobFailure } from '../model/job.ts';
import { listJobIds } from '../read/list.ts';
import { readFilter } from './criteria.ts';
import { type BulkActionKind, bulkStatus, sqlIsRunning } from './entities.ts';

/** Ids of jobs that one step looks at, at most, whether they match or not: what it reads stays little, however few match. */
const stretch = 10_000;

/** What one step does to its jobs, inside its transaction. */
interface Done {
  /** How many of the jobs it has looked at: those that the filter still matches. With an error, from the first on. */
  seen: number;
  done: number;
  /** The code of each refusal. */
  refusals: readonly string[];
  /** Why it cannot go on; null if it can. */
  error: JobFailure | null;
  /** Called after the commit. */
  announce: () => void | Promise<void>;
}

/** What an action does to jobs. */
export interface Doer {
  /** The most jobs of one step. */
  size: number;
  /** Before the transaction. */
  prepare?: (action: TakenAction, ids: readonly string[]) => Promise<void>;
  act: (transaction: Queryable, action: TakenAction, ids: readonly string[]) => Promise<Done>;
}

/** What a step needs to know of its action. */
export interface TakenAction {
  id: string;
  workspace_id: string;
  kind: BulkActionKind;
  criteria: JsonObject;
  reason: string | null;
  settled_id: string;
  last_id: string;
  passed_id: string | null;
}

const next = `
  SELECT id, workspace_id, kind, criteria, reason, settled_id, last_id, passed_id FROM bulk_action
  WHERE ${sqlIsRunning} AND due_at <= now() ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED`;

/** Nobody else makes this step: who comes too late finds the row locked, or that the walk has gone on. */
const take = `
  SELECT refused FROM bulk_action
  WHERE id = $1 AND ${sqlIsRunning} AND passed_id IS NOT DISTINCT FROM $2::uuid FOR UPDATE SKIP LOCKED`;

const advance = `
  UPDATE bulk_action SET passed_id = $2::uuid, seen = seen + $3::int, done = done + $4::int, refused = $5::jsonb, status = $6::text,
    error_code = $7::text, error_message = $8::text, version = version + 1, due_at = clock_timestamp(),
    finished_at = CASE WHEN $6::text <> '${bulkStatus.running}' THEN now() END
  WHERE id = $1`;

const delay = `UPDATE bulk_action SET due_at = now() + interval '5 s' WHERE id = $1 AND ${sqlIsRunning}`;

/** A step that was made. */
export interface Step {
  id: string;
}

/**
 * Makes one step of the action whose turn it is: finds the next jobs and acts on them. Processes may call it concurrently.
 *
 * @returns null if no action is due, or another process was faster
 */
export async function makeStep(context: JobsContext, doers: Record<BulkActionKind, Doer>): Promise<Step | null> {
  const { database } = context;
  const [action] = await database.hot.query<TakenAction>(next);
  if (action === undefined) return null;
  try {
    return (await step(database, action, doers[action.kind])) ? { id: action.id } : null;
  } catch (error) {
    // What is wrong with this action holds up no other.
    await database.hot.query(delay, [action.id]);
    throw error;
  }
}

async function step(database: Database, action: TakenAction, doer: Doer): Promise<boolean> {
  const { ids, passed, isLast } = await look(database, action, doer.size);
  await doer.prepare?.(action, ids);
  const made = await database.transaction(async (transaction) => {
    const [taken] = await transaction.query<{ refused: Record<string, number> }>(take, [action.id, action.passed_id]);
    if (taken === undefined) return null;
    const done = await doer.act(transaction, action, ids);
    const refused = { ...taken.refused };
    for (const code of done.refusals) refused[code] = (refused[code] ?? 0) + 1;
    await transaction.query(advance, [
      action.id,
      done.error === null ? passed : (ids[done.seen - 1] ?? action.passed_id),
      done.seen,
      done.done,
      JSON.stringify(refused),
      done.error !== null ? bulkStatus.failed : isLast ? bulkStatus.completed : bulkStatus.running,
      done.error?.code ?? null,
      done.error?.message ?? null,
    ]);
    return done;
  });
  await made?.announce();
  return made !== null;
}

/** What a step has found. */
interface Found {
  ids: string[];
  /** How far the walk comes with it. */
  passed: string | null;
  /** Whether it comes to its end. */
  isLast: boolean;
}

/** The next jobs that match, of those that existed when the action started. */
async function look({ reads }: Database, action: TakenAction, limit: number): Promise<Found> {
  const { workspace_id: workspaceId, passed_id: after, last_id: last } = action;
  const [end] = await reads.query<{ id: string }>(
    `SELECT id FROM job WHERE workspace_id = $1 AND ($2::uuid IS NULL OR id > $2::uuid) AND id <= $3::uuid
     ORDER BY workspace_id, id OFFSET ${stretch - 1} LIMIT 1`,
    [workspaceId, after, last],
  );
  const upTo = end?.id ?? last;
  const ids = await listJobIds(reads, workspaceId, readFilter(action.criteria), {
    after,
    upTo,
    limit,
    where: (id, bind) => [
      `(${id} < ${bind(action.settled_id)}::uuid OR ${id} IN (SELECT unnest(recent_ids) FROM bulk_action WHERE id = ${bind(action.id)}::uuid))`,
    ],
  });
  const isFull = ids.length === limit;
  return { ids, passed: isFull ? (ids.at(-1) ?? null) : upTo, isLast: !isFull && upTo === last };
}
