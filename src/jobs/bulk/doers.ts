import type { Queryable } from '../../database/queryable.ts';
import { InsufficientCreditsError, type LonghaulError, QueueFullError } from '../../errors.ts';
import { prepareJob } from '../create/create.ts';
import { announceCreated, insertJobs } from '../create/insert.ts';
import { lockUploads } from '../create/named-uploads.ts';
import type { NewJob } from '../create/new-job.ts';
import type { QueueRoom } from '../create/queue-room.ts';
import { retryOf } from '../create/retry.ts';
import { cancelLocked } from '../end/cancel.ts';
import { deleteLogs } from '../logs/delete.ts';
import type { JobsContext } from '../model/context.ts';
import type { Job } from '../model/job.ts';
import { type JobRow, jobColumns, jobFromRow } from '../model/rows.ts';
import { isFinal, isRetryable } from '../model/state-machine.ts';
import { deleteEnded, type RemoveFile } from '../retention/delete-jobs.ts';
import { readFilter } from './criteria.ts';
import type { BulkActionKind } from './entities.ts';
import type { Doer, TakenAction } from './step.ts';

export interface DoerParts {
  context: JobsContext;
  room: QueueRoom;
  removeFile: RemoveFile;
}

/** What each kind of action does to a few hundred jobs at a time. */
export function createDoers({ context, room, removeFile }: DoerParts): Record<BulkActionKind, Doer> {
  return {
    CANCEL: {
      size: 500,
      act: async (transaction, action, ids) => {
        const { locked, gone, passedOver } = await lock(transaction, action, ids);
        const jobs = locked.filter(({ status }) => !isFinal(status));
        const announce = await cancelLocked(context, transaction, { workspaceId: action.workspace_id, jobs, reason: action.reason });
        const refusals = [...refused('ALREADY_FINISHED', locked.length - jobs.length), ...refused('NOT_FOUND', gone)];
        return { seen: ids.length - passedOver, done: jobs.length, refusals, error: null, announce };
      },
    },
    DELETE: {
      size: 500,
      prepare: (_action, ids) => deleteLogs(context.database.hot, ids),
      act: async (transaction, action, ids) => {
        const { locked, gone, passedOver } = await lock(transaction, action, ids);
        const ended = locked.filter(({ status }) => isFinal(status)).map(({ id }) => id);
        const files = await deleteEnded(transaction, ended);
        const refusals = [...refused('NOT_FINISHED', locked.length - ended.length), ...refused('NOT_FOUND', gone)];
        const announce = async () => {
          for (const file of files) await removeFile(file);
        };
        return { seen: ids.length - passedOver, done: ended.length, refusals, error: null, announce };
      },
    },
    RETRY: {
      size: 200,
      prepare: async ({ workspace_id: workspaceId }, ids) => void (await room.findRoom(workspaceId, ids.length)),
      act: async (transaction, { workspace_id: workspaceId }, ids) => {
        const rows = await transaction.query<JobRow>(
          `SELECT ${jobColumns('job')} FROM job WHERE job.id = ANY ($1::uuid[]) AND job.workspace_id = $2`,
          [ids, workspaceId],
        );
        const { credits, room: free, allowed } = await lockWorkspace(transaction, context, workspaceId);
        const prepared = new Map(rows.map((row) => [row.id, prepareRetry(context, jobFromRow(row))]));
        const issues = await lockUploads(transaction, workspaceId, [...prepared.values()].flatMap((retry) => (isJob(retry) ? retry : [])));
        for (const [id, retry] of prepared) if (isJob(retry) && issues.has(retry.id)) prepared.set(id, 'VALIDATION_ERROR');
        const retries = planRetries(ids, prepared, { credits, free, allowed });
        const created = retries.jobs.length === 0 ? [] : await insertJobs(transaction, { workspaceId, jobs: retries.jobs, allowed });
        const { seen, refusals, error } = retries;
        return { seen, done: created.length, refusals, error, announce: () => announceCreated(context, created) };
      },
    },
  };
}

type LockedJob = Pick<Job, 'id' | 'attempt' | 'status' | 'dialect'>;

interface Locked {
  locked: LockedJob[];
  /** How many were deleted after they were found. */
  gone: number;
  /** How many the filter does not match any more. */
  passedOver: number;
}

/**
 * Locks jobs in the order in which everybody does. Whoever holds one now goes on first, and what he has made of it is seen: a job
 * that was claimed meanwhile is none that waits. Of what a filter asks, only the status and the error can cease to hold.
 */
async function lock(transaction: Queryable, { workspace_id: workspaceId, criteria }: TakenAction, ids: readonly string[]): Promise<Locked> {
  const { statuses = null } = readFilter(criteria);
  const locked = await transaction.query<LockedJob>(
    `SELECT job.id, job.attempt, job.dialect, job.status FROM job
     WHERE job.id = ANY ($1::uuid[]) AND job.workspace_id = $2
       AND ($3::text[] IS NULL OR job.status = ANY ($3::text[]))
     ORDER BY job.id FOR UPDATE`,
    [ids, workspaceId, statuses],
  );
  const found = new Set(locked.map(({ id }) => id));
  const missing = ids.filter((id) => !found.has(id));
  const changed =
    missing.length === 0 ? [] : await transaction.query('SELECT FROM job WHERE id = ANY ($1::uuid[]) AND workspace_id = $2', [missing, workspaceId]);
  return { locked, gone: missing.length - changed.length, passedOver: changed.length };
}

function refused(code: LonghaulError['code'], count: number): string[] {
  return Array.from({ length: count }, () => code);
}

async function lockWorkspace(transaction: Queryable, { limits }: JobsContext, workspaceId: string) {
  const allowed = limits.maxQueueLength;
  const [row] = await transaction.query<{ credits: number; room: number }>(
    'SELECT credits, $2::int - pending_at_most AS room FROM workspace WHERE id = $1 FOR UPDATE',
    [workspaceId, allowed],
  );
  return { credits: row?.credits ?? 0, room: row?.room ?? 0, allowed };
}

/** What a job is retried with, or why it cannot be. */
type Retry = NewJob | LonghaulError['code'];

function isJob(retry: Retry): retry is NewJob {
  return typeof retry === 'object';
}

/** The retries that there are credits and room for, in order, up to the first for which there are not. */
function planRetries(
  ids: readonly string[],
  prepared: ReadonlyMap<string, Retry>,
  { credits, free, allowed }: { credits: number; free: number; allowed: number },
) {
  const jobs: NewJob[] = [];
  const refusals: LonghaulError['code'][] = [];
  let left = credits;
  let error: LonghaulError | null = null;
  for (const id of ids) {
    const retry = prepared.get(id) ?? 'NOT_FOUND';
    if (isJob(retry)) {
      if (retry.credits > left) error = new InsufficientCreditsError(retry.credits, left);
      else if (jobs.length >= free) error = new QueueFullError(allowed);
      if (error !== null) break;
      jobs.push(retry);
      left -= retry.credits;
    } else refusals.push(retry);
  }
  return { jobs, refusals, seen: jobs.length + refusals.length, error };
}

function prepareRetry(context: JobsContext, old: Job): Retry {
  if (!isRetryable(old.status)) return 'NOT_RETRYABLE';
  const { request, origin } = retryOf(old);
  const prepared = prepareJob(context, request, origin, null);
  return Array.isArray(prepared) ? 'VALIDATION_ERROR' : prepared;
}
