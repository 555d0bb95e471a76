import { Loop } from '../../concurrency/loop.ts';
import type { Log } from '../../log.ts';
import { announceCreated } from '../create/insert.ts';
import { QueueRoom } from '../create/queue-room.ts';
import type { JobsContext } from '../model/context.ts';
import { batchSize, occur } from './occur.ts';
import { withRoom } from './with-room.ts';

/** In case the process that knows of a new schedule has died. */
const pollMilliseconds = 5_000;

/** How soon to look again for what another process has taken. */
const takenMilliseconds = 1_000;

/** The longest time that a timer takes. */
const longestWait = 2 ** 31 - 1;

/** How many workspaces one look finds. */
const mostWorkspaces = 1_000;

const look = `
  SELECT coalesce((SELECT jsonb_agg(DISTINCT due.workspace_id) FROM (
      SELECT schedule.workspace_id FROM schedule WHERE schedule.next_run_at <= now()
      ORDER BY schedule.next_run_at LIMIT ${mostWorkspaces}) AS due), '[]') AS due,
    (SELECT extract(epoch FROM min(schedule.next_run_at) - clock_timestamp()) * 1000
     FROM schedule WHERE schedule.next_run_at > now())::float8 AS wait`;

/**
 * Carries out the occurrences of schedules. Each process has one, and they share the work: a schedule that is due is taken by
 * one of them, under a lock. It wakes when the next occurrence is due, by the database's clock.
 */
export class Scheduler {
  readonly #context: JobsContext;
  readonly room: QueueRoom;
  readonly loop: Loop;
  #timer: NodeJS.Timeout | null = null;

  constructor(context: JobsContext, log: Log) {
    this.#context = context;
    this.room = new QueueRoom(context);
    this.loop = new Loop({ name: 'creating the jobs of schedules', work: () => this.#run(), pollMilliseconds, log });
  }

  start(): void {
    this.loop.start();
    this.loop.wake();
  }

  /** May be called twice. */
  async stop(): Promise<void> {
    await this.loop.stop();
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  async #run(): Promise<'more' | void> {
    const [found] = await this.#context.database.hot.query<{ due: string[]; wait: number | null }>(look);
    const { due = [], wait = null } = found ?? {};
    if (due.length === 0) return this.#sleep(wait);
    const failures: unknown[] = [];
    let occurred = 0;
    for (const workspaceId of due) {
      try {
        occurred += await this.#occurIn(workspaceId);
      } catch (error) {
        failures.push(error);
      }
    }
    // What failed is tried again with the next poll, and not at once.
    if (failures.length > 0) throw failures.length === 1 ? failures[0] : new AggregateError(failures, 'several workspaces failed');
    if (occurred > 0) return 'more';
    // Another process has taken all of it. It may die.
    return this.#sleep(Math.min(wait ?? takenMilliseconds, takenMilliseconds));
  }

  /** Carries out what is due in a workspace, until nothing is left. Returns how many occurrences that were. */
  async #occurIn(workspaceId: string): Promise<number> {
    const context = this.#context;
    for (let occurred = 0; ; ) {
      const { count, jobs } = await withRoom(context, this.room, { workspaceId, wanted: batchSize }, (transaction, room) =>
        occur(context, transaction, workspaceId, room),
      );
      announceCreated(context, jobs);
      if (count === 0) return occurred;
      occurred += count;
    }
  }

  #sleep(wait: number | null): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = wait === null ? null : setTimeout(() => this.loop.wake(), Math.min(Math.max(Math.ceil(wait), 1), longestWait));
  }
}
