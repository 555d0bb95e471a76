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
import type { BulkActionKind } from './entities.ts';
import type { Doer } from './step.ts';

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
      act: async (transaction, { workspace_id: workspaceId, reason }, ids) => {
        const locked = await lock(transaction, workspaceId, ids);
        const jobs = locked.filter(({ status }) => !isFinal(status));
        const announce = await cancelLocked(context, transaction, { workspaceId, jobs, reason });
        const refusals = [...refused('ALREADY_FINISHED', locked.length - jobs.length), ...gone(ids, locked)];
        return { seen: ids.length, done: jobs.length, refusals, error: null, announce };
      },
    },
    DELETE: {
      size: 500,
      prepare: (_action, ids) => deleteLogs(context.database.hot, ids),
      act: async (transaction, { workspace_id: workspaceId }, ids) => {
        const locked = await lock(transaction, workspaceId, ids);
        const ended = locked.filter(({ status }) => isFinal(status)).map(({ id }) => id);
        const files = await deleteEnded(transaction, ended);
        const refusals = [...refused('NOT_FINISHED', locked.length - ended.length), ...gone(ids, locked)];
        const announce = async () => {
          for (const file of files) await removeFile(file);
        };
        return { seen: ids.length, done: ended.length, refusals, error: null, announce };
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

/** Locks jobs in the order in which everybody does. Whoever holds one now goes on first, and what he has made of it is seen. */
function lock(transaction: Queryable, workspaceId: string, ids: readonly string[]): Promise<LockedJob[]> {
  return transaction.query<LockedJob>(
    `SELECT job.id, job.attempt, job.dialect, job.status FROM job
     WHERE job.id = ANY ($1::uuid[]) AND job.workspace_id = $2 ORDER BY job.id FOR UPDATE`,
    [ids, workspaceId],
  );
}

function refused(code: LonghaulError['code'], count: number): string[] {
  return Array.from({ length: count }, () => code);
}

/** Jobs that were deleted after they were found. */
function gone(ids: readonly string[], found: readonly unknown[]): string[] {
  return refused('NOT_FOUND', ids.length - found.length);
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
