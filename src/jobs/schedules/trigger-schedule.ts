import { columnsOf, type Row } from '../../database/columns.ts';
import type { Queryable } from '../../database/queryable.ts';
import { InsufficientCreditsError, NotFoundError, QueueFullError, ValidationError } from '../../errors.ts';
import { type Actor, record } from '../../workspaces/audit/record.ts';
import { prepareJob } from '../create/create.ts';
import { announceCreated, insertJobs } from '../create/insert.ts';
import { lockUploads } from '../create/named-uploads.ts';
import type { QueueRoom } from '../create/queue-room.ts';
import type { JobsContext } from '../model/context.ts';
import type { Job } from '../model/job.ts';
import { ScheduleEntity } from './entities.ts';
import { originOf, requestOf } from './schedule.ts';
import { standingOf } from './standing.ts';
import { withRoom } from './with-room.ts';

const columns = columnsOf(ScheduleEntity, {});

/** Whoever creates a job of the schedule holds this lock until it is committed. */
const take = `SELECT ${columns.select('schedule')} FROM schedule WHERE workspace_id = $1 AND id = $2 FOR UPDATE`;

/**
 * Creates a job of a schedule now, paused or not, as an occurrence would. The next occurrence stays what it is.
 *
 * @throws NotFoundError, InsufficientCreditsError, QueueFullError; ValidationError if its job would be refused, and where overlap
 *   is SKIP and the job before has not ended
 */
export async function triggerSchedule(
  context: JobsContext,
  queue: QueueRoom,
  { workspaceId, id }: { workspaceId: string; id: string },
  by: Actor,
): Promise<Job> {
  const job = await withRoom(context, queue, { workspaceId, wanted: 1 }, async (transaction, room) => {
    const created = await createNow(context, transaction, { workspaceId, id }, room);
    const target = { type: 'Schedule', id } as const;
    await record(transaction, { workspaceId, action: 'schedule.trigger', by, target, details: { jobId: created.id } });
    return created;
  });
  announceCreated(context, [job]);
  return job;
}

async function createNow(
  context: JobsContext,
  transaction: Queryable,
  { workspaceId, id }: { workspaceId: string; id: string },
  room: number | null,
): Promise<Job> {
  const [row] = await transaction.query<Row<typeof ScheduleEntity>>(take, [workspaceId, id]);
  if (row === undefined) throw new NotFoundError('Schedule');
  const schedule = columns.read(row);
  const { credits, unfinished } = await standingOf(transaction, workspaceId, [schedule.id]);
  if (schedule.overlap === 'SKIP' && unfinished.has(schedule.id)) throw overlaps;
  const fresh = prepareJob(context, requestOf(schedule), originOf(schedule), null);
  if (Array.isArray(fresh)) throw new ValidationError(fresh);
  if (fresh.credits > credits) throw new InsufficientCreditsError(fresh.credits, credits);
  const issues = (await lockUploads(transaction, workspaceId, [fresh])).get(fresh.id);
  if (issues !== undefined) throw new ValidationError(issues);
  const allowed = context.limits.maxQueueLength;
  if (room !== null && room < 1) throw new QueueFullError(allowed);
  const [job] = await insertJobs(transaction, { workspaceId, jobs: [fresh], allowed });
  if (job === undefined) throw new Error('a creation resolved without its job');
  return job;
}

const overlaps = new ValidationError([
  { path: ['id'], message: 'is a schedule whose last job has not ended, and its overlap is SKIP. Wait, cancel that job, or set overlap to ALLOW' },
]);
