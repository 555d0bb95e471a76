import type { EntityManager } from '@mikro-orm/core';
import type { Shown } from '../../database/columns.ts';
import { inWindow, type Window } from '../../database/keyset.ts';
import type { JobOrigin, JobRequest } from '../create/job-request.ts';
import { ScheduleEntity } from './entities.ts';

/** A schedule's row, as surfaces show it. */
export type Schedule = Shown<typeof ScheduleEntity>;

/** What its jobs are made of. */
export type JobTemplate = Pick<
  Schedule,
  'type' | 'input' | 'tags' | 'priority' | 'webhookUrl' | 'maxAttempts' | 'concurrencyKey' | 'concurrencyLimit'
>;

/** The request for one of its jobs. */
export function requestOf(template: JobTemplate): JobRequest {
  const { type, input, tags, priority, webhookUrl, maxAttempts, concurrencyKey, concurrencyLimit } = template;
  return { type, input, tags, priority, webhookUrl, maxAttempts, concurrencyKey, concurrencyLimit };
}

/** Where its jobs come from. */
export function originOf({ id }: Pick<Schedule, 'id'>): JobOrigin {
  return { dialect: 'NATIVE', scheduleId: id };
}

/** Lists the schedules of a workspace. */
export function listSchedules(em: EntityManager, workspaceId: string, window: Window): Promise<Schedule[]> {
  const { where, options } = inWindow(window);
  return em.find(ScheduleEntity, { workspaceId, ...where }, options);
}

/** Finds those of these schedules that belong to the workspace. */
export function findSchedules(em: EntityManager, workspaceId: string, ids: readonly string[]): Promise<Schedule[]> {
  return em.find(ScheduleEntity, { id: { $in: [...ids] }, workspaceId });
}
