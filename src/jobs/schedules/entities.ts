import { defineEntity, p } from '@mikro-orm/core';
import type { JsonObject } from '../../json.ts';
import { JobFailureEntity } from '../model/entities.ts';

export const scheduleOverlaps = ['ALLOW', 'SKIP'] as const;

export type ScheduleOverlap = (typeof scheduleOverlaps)[number];

/**
 * Creates jobs again and again. An occurrence is the row's `nextRunAt`: the transaction that creates its job also moves that
 * on, under a lock on the row. So an occurrence is carried out once, or stays due until some process does it.
 */
export const ScheduleEntity = defineEntity({
  name: 'Schedule',
  tableName: 'schedule',
  properties: {
    id: p.uuid().primary(),
    workspaceId: p.uuid(),
    name: p.text(),
    cron: p.text(),
    timeZone: p.text(),
    overlap: p.enum(scheduleOverlaps),
    paused: p.boolean().default(false),

    /** What each of its jobs is made of, as in a JobRequest. */
    type: p.text(),
    input: p.json<JsonObject>(),
    tags: p.array().columnType('text[]').defaultRaw(`'{}'`),
    priority: p.integer().default(0),
    webhookUrl: p.text().strictNullable(),
    maxAttempts: p.integer().strictNullable(),
    concurrencyKey: p.text().strictNullable(),
    concurrencyLimit: p.integer().strictNullable(),

    /** Null while paused, and if there is none. */
    nextRunAt: p.datetime().strictNullable(),
    /** The last occurrence that came, whether it created a job or not. */
    lastRunAt: p.datetime().strictNullable(),
    /** Why the last occurrence created no job. */
    lastError: p.embedded(JobFailureEntity).strictNullable(),
    /** When the audit was last told of a refusal; null if the last occurrence was not refused. */
    refusalNotedAt: p.datetime().strictNullable().hidden(),
  },
  uniques: [{ name: 'schedule_name_unique', properties: ['workspaceId', 'name'] }],
  indexes: [
    { name: 'schedule_workspace_index', properties: ['workspaceId', 'id'] },
    { name: 'schedule_due_index', properties: ['nextRunAt'], where: 'next_run_at IS NOT NULL' },
    { name: 'schedule_workspace_due_index', properties: ['workspaceId', 'nextRunAt', 'id'], where: 'next_run_at IS NOT NULL' },
  ],
});
