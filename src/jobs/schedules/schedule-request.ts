import { z } from 'zod';
import type { Queryable } from '../../database/queryable.ts';
import { type FieldIssue, ValidationError } from '../../errors.ts';
import { maxIssues, parseInput } from '../../input.ts';
import type { JsonObject } from '../../json.ts';
import { prepareJob } from '../create/create.ts';
import { lockUploads } from '../create/named-uploads.ts';
import type { JobsContext } from '../model/context.ts';
import { cronIssues } from './cron.ts';
import { type ScheduleOverlap, scheduleOverlaps } from './entities.ts';
import { type JobTemplate, originOf, requestOf, type Schedule } from './schedule.ts';

/** What a schedule is made of, apart from its type. What is null is as if it was not given. */
export interface ScheduleFields {
  /** 1 to 200 characters, unique in the workspace. */
  name: string;
  /** Five fields, or six with seconds first. */
  cron: string;
  /** An IANA name. UTC by default. */
  timeZone?: string | null | undefined;
  /** SKIP by default. */
  overlap?: ScheduleOverlap | null | undefined;
  /** These as in a JobRequest. */
  input?: JsonObject | null | undefined;
  tags?: string[] | null | undefined;
  priority?: number | null | undefined;
  webhookUrl?: string | null | undefined;
  maxAttempts?: number | null | undefined;
  concurrencyKey?: string | null | undefined;
  concurrencyLimit?: number | null | undefined;
}

export interface ScheduleRequest extends ScheduleFields {
  type: string;
}

type ScheduleSettings = JobTemplate & Pick<Schedule, 'name' | 'cron' | 'timeZone' | 'overlap'>;

const ownFields = z.object({
  name: z.string().min(1).max(200),
  cron: z.string().min(1).max(200),
  timeZone: z.string().min(1).max(100).nullish(),
  overlap: z.enum(scheduleOverlaps).nullish(),
});

/**
 * The settings of a schedule that is asked for: checked, and with what is the default.
 *
 * @param options `checksJob`: whether its jobs have to be accepted, as they are made now. Default: true
 * @throws ValidationError, also if its jobs would be refused
 */
export function settingsOf(context: JobsContext, asked: ScheduleRequest, { checksJob = true } = {}): ScheduleSettings {
  const own = parseInput(ownFields, asked);
  const { type, input, tags, priority, webhookUrl, maxAttempts, concurrencyKey, concurrencyLimit } = asked;
  const settings = {
    name: own.name,
    cron: own.cron.trim(),
    timeZone: own.timeZone ?? 'UTC',
    overlap: own.overlap ?? 'SKIP',
    type,
    input: input ?? {},
    tags: [...new Set(tags)],
    priority: priority ?? 0,
    webhookUrl: webhookUrl ?? null,
    maxAttempts: maxAttempts ?? null,
    concurrencyKey: concurrencyKey ?? null,
    concurrencyLimit: concurrencyLimit ?? null,
  } satisfies ScheduleSettings;
  const issues = [...cronIssues(settings.cron, settings.timeZone), ...(checksJob ? jobIssues(context, settings) : [])];
  if (issues.length > 0) throw new ValidationError(issues.slice(0, maxIssues));
  return settings;
}

/** Why a job of this template would be refused now, whatever the credits and the queue are. */
function jobIssues(context: JobsContext, template: JobTemplate): FieldIssue[] {
  const job = prepareJob(context, requestOf(template), originOf({ id: '' }), null);
  return Array.isArray(job) ? job : [];
}

/** @throws ValidationError if a job of this template would name uploads that it cannot have now */
export async function requireUploads(context: JobsContext, transaction: Queryable, workspaceId: string, template: JobTemplate): Promise<void> {
  const job = prepareJob(context, requestOf(template), originOf({ id: '' }), null);
  if (Array.isArray(job)) return;
  const issues = (await lockUploads(transaction, workspaceId, [job])).get(job.id);
  if (issues !== undefined) throw new ValidationError(issues);
}
