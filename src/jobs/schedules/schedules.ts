import type { Loop } from '../../concurrency/loop.ts';
import type { Window } from '../../database/keyset.ts';
import type { Log } from '../../log.ts';
import type { Actor } from '../../workspaces/audit/record.ts';
import type { JobsContext } from '../model/context.ts';
import type { Job } from '../model/job.ts';
import { createSchedule } from './create-schedule.ts';
import { findSchedules, listSchedules, type Schedule } from './schedule.ts';
import type { ScheduleRequest } from './schedule-request.ts';
import { Scheduler } from './scheduler.ts';
import { triggerSchedule } from './trigger-schedule.ts';
import { deleteSchedule, type ScheduleUpdate, updateSchedule } from './update-schedule.ts';

/** The schedules of all workspaces. The function that each method calls documents what it throws. */
export class Schedules {
  readonly #context: JobsContext;
  readonly #scheduler: Scheduler;

  constructor(context: JobsContext, log: Log) {
    this.#context = context;
    this.#scheduler = new Scheduler(context, log);
  }

  /** Begins to carry out occurrences. */
  start(): void {
    this.#scheduler.start();
  }

  /** May be called twice. */
  stop(): Promise<void> {
    return this.#scheduler.stop();
  }

  get loop(): Loop {
    return this.#scheduler.loop;
  }

  /** Creates a schedule, whose first occurrence is the next one from now on. */
  async create(workspaceId: string, asked: ScheduleRequest, by: Actor): Promise<Schedule> {
    const schedule = await createSchedule(this.#context, workspaceId, asked, by);
    this.loop.wake();
    return schedule;
  }

  /** Changes a schedule. What is left out stays as it was. */
  async update(workspaceId: string, id: string, update: ScheduleUpdate, by: Actor): Promise<Schedule> {
    const schedule = await updateSchedule(this.#context, workspaceId, id, update, by);
    this.loop.wake();
    return schedule;
  }

  /** Deletes a schedule. Its jobs stay. */
  delete(workspaceId: string, id: string, by: Actor): Promise<void> {
    return deleteSchedule(this.#context, workspaceId, id, by);
  }

  /** Creates a job of a schedule now, paused or not. The next occurrence stays what it is. */
  trigger(workspaceId: string, id: string, by: Actor): Promise<Job> {
    return triggerSchedule(this.#context, this.#scheduler.room, { workspaceId, id }, by);
  }

  /** In order of ids. */
  list(workspaceId: string, window: Window): Promise<Schedule[]> {
    return listSchedules(this.#context.database.em(), workspaceId, window);
  }

  /** Those of these schedules that belong to the workspace. */
  find(workspaceId: string, ids: readonly string[]): Promise<Schedule[]> {
    return findSchedules(this.#context.database.em(), workspaceId, ids);
  }
}
