import { queryableOf } from '../../database/database.ts';
import { newId } from '../../database/ids.ts';
import { sqlState } from '../../database/unavailable.ts';
import { ValidationError } from '../../errors.ts';
import { type Actor, record } from '../../workspaces/audit/record.ts';
import type { JobsContext } from '../model/context.ts';
import { presentOf } from './clock.ts';
import { occurrencesOf } from './cron.ts';
import { ScheduleEntity } from './entities.ts';
import { requireUploads, type ScheduleRequest, settingsOf } from './schedule-request.ts';
import type { Schedule } from './schedule.ts';

/** How many schedules a workspace may have. */
const mostSchedules = 10_000;

/** Advisory lock key space. Distinct from those in src/database/process-lock.ts and src/jobs/create/queue-room.ts. */
const lockSpace = 0x10_5c;

/**
 * Creates a schedule, whose first occurrence is the next one from now on.
 *
 * @throws ValidationError, also if its jobs would be refused now, its name is taken, or the workspace has too many
 */
export async function createSchedule(context: JobsContext, workspaceId: string, asked: ScheduleRequest, by: Actor): Promise<Schedule> {
  const settings = settingsOf(context, asked);
  const { name, cron, timeZone, type } = settings;
  const created = context.database.transactional(async (em) => {
    const database = queryableOf(em);
    // Those that are created together would not see each other.
    await database.query('SELECT pg_advisory_xact_lock($1::int, hashtext($2::text))', [lockSpace, workspaceId]);
    if ((await em.count(ScheduleEntity, { workspaceId })) >= mostSchedules) throw tooMany;
    await requireUploads(context, database, workspaceId, settings);
    const nextRunAt = occurrencesOf(cron, timeZone).after(await presentOf(database));
    const schedule = em.create(ScheduleEntity, {
      ...settings, id: newId(), workspaceId, paused: false, nextRunAt, lastRunAt: null, lastError: null, refusalNotedAt: null,
    });
    const target = { type: 'Schedule', id: schedule.id } as const;
    await record(database, { workspaceId, action: 'schedule.create', by, target, details: { name, cron, timeZone, type } });
    return schedule;
  });
  return refusingTakenName(created);
}

/** The result of work that stores a name. Throws ValidationError if another schedule of the workspace has it. */
export async function refusingTakenName<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    if (sqlState(error) !== uniqueViolation) throw error;
    throw new ValidationError([{ path: ['name'], message: 'is the name of another schedule of this workspace' }]);
  }
}

const uniqueViolation = '23505';

const tooMany = new ValidationError([
  { path: [], message: `The workspace has ${mostSchedules} schedules, and may have no more. Delete one first` },
]);
