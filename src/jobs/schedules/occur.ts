import { columnsOf, type Row } from '../../database/columns.ts';
import type { Queryable } from '../../database/queryable.ts';
import { describeIssue, type ErrorCode, type FieldIssue } from '../../errors.ts';
import { byNobody, record } from '../../workspaces/audit/record.ts';
import { prepareJob } from '../create/create.ts';
import { insertJobs } from '../create/insert.ts';
import { lockUploads } from '../create/named-uploads.ts';
import type { NewJob } from '../create/new-job.ts';
import type { JobsContext } from '../model/context.ts';
import type { Job, JobFailure } from '../model/job.ts';
import { occurrencesOf } from './cron.ts';
import { ScheduleEntity } from './entities.ts';
import { originOf, requestOf, type Schedule } from './schedule.ts';
import { standingOf } from './standing.ts';

/** The most occurrences in one transaction. */
export const batchSize = 100;

/** A refusal that lasts is told to the audit again after so long. */
const notedMilliseconds = 3_600_000;

const columns = columnsOf(ScheduleEntity, {});

/** Occurrences, and what became of them. */
interface Occurred {
  /** How many there were. */
  count: number;
  jobs: Job[];
}

type DueRow = Row<typeof ScheduleEntity> & { now: string; refusal_noted_at: string | null };

interface Due {
  schedule: Schedule;
  now: Date;
  refusalNotedAt: Date | null;
  /** Whether the last job of the schedule has not ended. */
  unfinished: boolean;
}

/** What an occurrence comes to. */
interface Plan extends Due {
  /** When it was due. Of several that were missed, the last. */
  occurrence: Date;
  next: Date | null;
  outcome: NewJob | Refusal;
}

interface Refusal {
  failure: JobFailure;
  /** What the audit says; null for what is not a refusal. */
  code: ErrorCode | null;
}

const takeDue = `
  SELECT ${columns.select('schedule')}, schedule.refusal_noted_at, now() AS now
  FROM schedule WHERE schedule.workspace_id = $1 AND schedule.next_run_at <= now()
  ORDER BY schedule.next_run_at, schedule.id LIMIT ${batchSize} FOR UPDATE OF schedule SKIP LOCKED`;

const settle = `
  UPDATE schedule SET next_run_at = planned.next_run_at, last_run_at = planned.last_run_at, last_error_code = planned.code,
    last_error_message = planned.message, refusal_noted_at = planned.noted_at
  FROM jsonb_to_recordset($2::jsonb) AS planned(id uuid, next_run_at timestamptz, last_run_at timestamptz, code text,
    message text, noted_at timestamptz)
  WHERE schedule.id = planned.id AND schedule.workspace_id = $1`;

/**
 * Carries out the occurrences of a workspace that are due: creates their jobs and moves their schedules on, all in the given
 * transaction. Schedules that another process has taken are left to it. Locks schedules, then the workspace.
 *
 * @param room how many jobs the queue takes; null to believe the workspace's row
 * @throws the database's own error if the credits or the queue do not suffice after all; then nothing has happened
 */
export async function occur(context: JobsContext, transaction: Queryable, workspaceId: string, room: number | null): Promise<Occurred> {
  const rows = await transaction.query<DueRow>(takeDue, [workspaceId]);
  if (rows.length === 0) return { count: 0, jobs: [] };
  const { credits, unfinished } = await standingOf(transaction, workspaceId, rows.map(({ id }) => id));
  const budget = { credits, room: room ?? Infinity };
  const due = rows.map((row) => readDue(row, unfinished)).map((taken) => ({ taken, outcome: outcomeOf(context, taken) }));
  const issues = await lockUploads(transaction, workspaceId, due.flatMap(({ outcome }) => ('failure' in outcome ? [] : outcome)));
  const plans = due.map(({ taken, outcome }) => planOf(taken, afforded(context, withUploads(outcome, issues), budget)));
  const fresh = plans.flatMap(({ outcome }) => ('failure' in outcome ? [] : outcome));
  const allowed = context.limits.maxQueueLength;
  const jobs = fresh.length === 0 ? [] : await insertJobs(transaction, { workspaceId, jobs: fresh, allowed });
  await transaction.query(settle, [workspaceId, JSON.stringify(plans.map(toRow))]);
  await noteRefusals(transaction, plans);
  return { count: rows.length, jobs };
}

function readDue(row: DueRow, unfinished: ReadonlySet<string>): Due {
  const refusalNotedAt = row.refusal_noted_at === null ? null : new Date(row.refusal_noted_at);
  return { schedule: columns.read(row), now: new Date(row.now), refusalNotedAt, unfinished: unfinished.has(row.id) };
}

function planOf(taken: Due, outcome: NewJob | Refusal): Plan {
  const { schedule, now } = taken;
  const due = schedule.nextRunAt ?? now;
  try {
    const times = occurrencesOf(schedule.cron, schedule.timeZone);
    const last = times.upTo(now) ?? due;
    return { ...taken, occurrence: last > due ? last : due, next: times.after(now), outcome };
  } catch (error) {
    // A version before this one took what this one does not. It keeps no other schedule waiting.
    return { ...taken, occurrence: due, next: null, outcome: refusal('VALIDATION_ERROR', `cron: ${String(error)}`) };
  }
}

function outcomeOf(context: JobsContext, { schedule, unfinished }: Due): NewJob | Refusal {
  if (schedule.overlap === 'SKIP' && unfinished) {
    return { failure: { code: 'OVERLAP', message: 'The job before had not ended, and overlap is SKIP.' }, code: null };
  }
  const job = prepareJob(context, requestOf(schedule), originOf(schedule), null);
  return Array.isArray(job) ? refusedBy(job) : job;
}

function withUploads(outcome: NewJob | Refusal, issues: ReadonlyMap<string, FieldIssue[]>): NewJob | Refusal {
  const theirs = 'failure' in outcome ? undefined : issues.get(outcome.id);
  return theirs === undefined ? outcome : refusedBy(theirs);
}

/** Takes what the job costs from the budget. */
function afforded(context: JobsContext, job: NewJob | Refusal, budget: { credits: number; room: number }): NewJob | Refusal {
  if ('failure' in job) return job;
  if (job.credits > budget.credits) {
    return refusal('INSUFFICIENT_CREDITS', `The job costs ${job.credits} credits and the workspace had ${budget.credits}.`);
  }
  if (budget.room < 1) return refusal('QUEUE_FULL', `The workspace had ${context.limits.maxQueueLength} pending jobs, its limit.`);
  budget.credits -= job.credits;
  budget.room -= 1;
  return job;
}

function refusedBy(issues: readonly FieldIssue[]): Refusal {
  return refusal('VALIDATION_ERROR', issues.map(describeIssue).join('; '));
}

function refusal(code: ErrorCode, message: string): Refusal {
  return { failure: { code, message: message.slice(0, 1_000) }, code };
}

function toRow({ schedule, occurrence, next, outcome, ...plan }: Plan): object {
  const failure = 'failure' in outcome ? outcome.failure : null;
  return {
    id: schedule.id,
    next_run_at: next,
    last_run_at: occurrence,
    code: failure?.code ?? null,
    message: failure?.message ?? null,
    noted_at: 'failure' in outcome && outcome.code !== null ? (isNoted({ schedule, outcome, ...plan }) ? plan.refusalNotedAt : plan.now) : null,
  };
}

/** Whether the audit knows of this refusal: it is told when one begins, and of one that lasts once an hour. */
function isNoted({ schedule, now, refusalNotedAt, outcome }: Omit<Plan, 'occurrence' | 'next'>): boolean {
  if (!('failure' in outcome) || outcome.code !== schedule.lastError?.code || refusalNotedAt === null) return false;
  return now.getTime() - refusalNotedAt.getTime() < notedMilliseconds;
}

async function noteRefusals(transaction: Queryable, plans: readonly Plan[]): Promise<void> {
  const notes = plans.flatMap((plan) => {
    const { schedule, occurrence, outcome } = plan;
    if (!('failure' in outcome) || outcome.code === null || isNoted(plan)) return [];
    const details = { name: schedule.name, occurrence: occurrence.toISOString(), message: outcome.failure.message };
    const target = { type: 'Schedule', id: schedule.id } as const;
    return { workspaceId: schedule.workspaceId, action: 'schedule.occur', by: byNobody, target, outcome: outcome.code, details } as const;
  });
  if (notes.length > 0) await record(transaction, ...notes);
}
