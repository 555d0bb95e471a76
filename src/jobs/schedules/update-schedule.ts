import { LockMode } from '@mikro-orm/core';
import { z } from 'zod';
import { queryableOf } from '../../database/database.ts';
import { NotFoundError } from '../../errors.ts';
import { parseInput } from '../../input.ts';
import { type Actor, record } from '../../workspaces/audit/record.ts';
import type { JobsContext } from '../model/context.ts';
import { presentOf } from './clock.ts';
import { refusingTakenName } from './create-schedule.ts';
import { occurrencesOf } from './cron.ts';
import { ScheduleEntity } from './entities.ts';
import { requireUploads, type ScheduleFields, settingsOf } from './schedule-request.ts';
import type { Schedule } from './schedule.ts';

/** What is left out stays as it was; what is null becomes what a new schedule has where it is not given. */
export interface ScheduleUpdate extends Partial<Omit<ScheduleFields, 'name' | 'cron'>> {
  /** These two cannot be null. */
  name?: string | null | undefined;
  cron?: string | null | undefined;
  /** A paused schedule has no occurrences. Those that it missed are not made up for. */
  paused?: boolean | null | undefined;
}

const pausing = z.object({ paused: z.boolean().optional() });

/** Of these alone it depends whether a job would be refused. */
const ofJobs = ['input', 'tags', 'priority', 'webhookUrl', 'maxAttempts', 'concurrencyKey', 'concurrencyLimit'] as const;

/**
 * Changes a schedule. The next occurrence moves only if the cron expression, the time zone or the pause changes.
 *
 * @throws NotFoundError; ValidationError as createSchedule
 */
export async function updateSchedule(
  context: JobsContext,
  workspaceId: string,
  id: string,
  update: ScheduleUpdate,
  by: Actor,
): Promise<Schedule> {
  const { paused } = parseInput(pausing, { paused: update.paused });
  const given = Object.fromEntries(Object.entries(update).filter(([, value]) => value !== undefined));
  const updated = context.database.transactional(async (em) => {
    // Waits for an occurrence that is being carried out.
    const schedule = await em.findOne(ScheduleEntity, { id, workspaceId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
    if (schedule === null) throw new NotFoundError('Schedule');
    // A schedule of a type that is gone can still be paused.
    const checksJob = ofJobs.some((field) => field in given);
    const settings = settingsOf(context, { ...schedule, ...given }, { checksJob });
    if (checksJob) await requireUploads(context, queryableOf(em), workspaceId, settings);
    const isMoved = settings.cron !== schedule.cron || settings.timeZone !== schedule.timeZone;
    const isResumed = paused === false && schedule.paused;
    em.assign(schedule, { ...settings, paused: paused ?? schedule.paused });
    const database = queryableOf(em);
    if (schedule.paused) schedule.nextRunAt = null;
    else if (isMoved || isResumed) schedule.nextRunAt = occurrencesOf(schedule.cron, schedule.timeZone).after(await presentOf(database));
    const details = { name: schedule.name, changed: Object.keys(given), ...(paused === undefined ? {} : { paused }) };
    await record(database, { workspaceId, action: 'schedule.update', by, target: { type: 'Schedule', id }, details });
    return schedule;
  });
  return refusingTakenName(updated);
}

/** Deletes a schedule. Its jobs stay. Throws NotFoundError. */
export async function deleteSchedule({ database }: JobsContext, workspaceId: string, id: string, by: Actor): Promise<void> {
  await database.transactional(async (em) => {
    const schedule = await em.findOne(ScheduleEntity, { id, workspaceId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
    if (schedule === null) throw new NotFoundError('Schedule');
    em.remove(schedule);
    const target = { type: 'Schedule', id } as const;
    await record(queryableOf(em), { workspaceId, action: 'schedule.delete', by, target, details: { name: schedule.name } });
  });
}
