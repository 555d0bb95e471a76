import type { Queryable } from '../../database/queryable.ts';
import type { FieldIssue } from '../../errors.ts';
import type { JobsContext } from '../model/context.ts';
import { breaks, brokenConstraint, insertJobs } from './insert.ts';
import type { Job } from '../model/job.ts';
import { lockUploads } from './named-uploads.ts';
import type { NewJob } from './new-job.ts';
import { sqlIs } from '../model/state-machine.ts';

/** Advisory lock key space. Distinct from those in src/database/process-lock.ts. */
const lockSpace = 0x10_4b;

/** Either all jobs were created, or none: `room` says how many would have fitted, `issues` what is wrong, by the ids of jobs. */
type Placed = { jobs: Job[] } | { room: number } | { issues: Map<string, FieldIssue[]> };

/**
 * Keeps the pending jobs of a workspace within MAX_QUEUE_LENGTH, over all processes. The workspace's row says how many there
 * are at most: each creation adds its jobs to that, in its own statement, and a check constraint refuses what exceeds the
 * limit. Only then the pending jobs are counted, and those that have left the queue since the last count are taken off. So
 * a count is paid for by as many creations as it finds room for, and one that finds the queue full by nobody but its caller.
 *
 * An attempt that comes back to the queue is not refused, and is noticed at the next count.
 */
export class QueueRoom {
  readonly #context: JobsContext;

  constructor(context: JobsContext) {
    this.#context = context;
  }

  /** Inserts the jobs, all or none. Throws the database's own error, as `insertJobs` does. */
  async insert(workspaceId: string, jobs: readonly NewJob[]): Promise<Placed> {
    const { database, limits } = this.#context;
    const allowed = limits.maxQueueLength;
    for (;;) {
      try {
        if (jobs.every(({ uploads }) => uploads.length === 0)) return { jobs: await insertJobs(database.hot, { workspaceId, jobs, allowed }) };
        return await database.transaction(async (transaction): Promise<Placed> => {
          const issues = await lockUploads(transaction, workspaceId, jobs);
          return issues.size > 0 ? { issues } : { jobs: await insertJobs(transaction, { workspaceId, jobs, allowed }) };
        });
      } catch (error) {
        if (!breaks(error, brokenConstraint.room)) throw error;
        const room = await this.findRoom(workspaceId, jobs.length);
        if (jobs.length > room) return { room };
        // Others may take the room first; then it is looked for again.
      }
    }
  }

  /** How many jobs there is room for. Counts unless the workspace's row already says that `wanted` of them fit. */
  findRoom(workspaceId: string, wanted: number): Promise<number> {
    const { database, limits } = this.#context;
    const allowed = limits.maxQueueLength;
    return database.transaction(async (transaction) => {
      // One count at a time, or two would take the same jobs off. Creations go on meanwhile.
      await transaction.query('SELECT pg_advisory_xact_lock($1::int, hashtext($2::text))', [lockSpace, workspaceId]);
      const [known] = await transaction.query<{ room: number }>(
        'SELECT $2::int - pending_at_most AS room FROM workspace WHERE id = $1',
        [workspaceId, allowed],
      );
      if (known === undefined || known.room >= wanted) return known?.room ?? 0;
      // Both figures are of one snapshot, in which each creation is in both or in neither.
      const [found] = await transaction.query<{ gone: number }>(
        `SELECT pending_at_most - (SELECT count(*)::int FROM ${pendingJobs('workspace.pending_at_most')}) AS gone
         FROM workspace WHERE id = $1`,
        [workspaceId],
      );
      const [after] = await transaction.query<{ room: number }>(
        `UPDATE workspace SET pending_at_most = pending_at_most - $3::int,
           pending_allowed = greatest($2::int, pending_at_most - $3::int)
         WHERE id = $1 RETURNING $2::int - pending_at_most AS room`,
        [workspaceId, allowed, found?.gone ?? 0],
      );
      return after?.room ?? 0;
    });
  }
}

/** The pending jobs of workspace `$1`, up to a limit. Reads one index entry per job. */
function pendingJobs(limit: string): string {
  return `(SELECT FROM job WHERE job.workspace_id = $1 AND ${sqlIs.pending} LIMIT ${limit}) AS pending`;
}

/** Counts the workspace's pending jobs, up to MAX_QUEUE_LENGTH. */
export async function countPending(
  database: Queryable,
  maxQueueLength: number,
  workspaceId: string,
): Promise<number> {
  const [row] = await database.query<{ pending: number }>(`SELECT count(*)::int AS pending FROM ${pendingJobs('$2::int')}`, [
    workspaceId,
    maxQueueLength,
  ]);
  return row?.pending ?? 0;
}
