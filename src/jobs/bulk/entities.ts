import { defineEntity, p } from '@mikro-orm/core';
import type { JsonObject } from '../../json.ts';
import { JobFailureEntity } from '../model/entities.ts';

export const bulkActionKinds = ['CANCEL', 'RETRY', 'DELETE'] as const;

export type BulkActionKind = (typeof bulkActionKinds)[number];

/** How far an action is. Jobs have statuses of their own, some of the same name. */
export const bulkStatus = { running: 'RUNNING', completed: 'COMPLETED', stopped: 'STOPPED', failed: 'FAILED' } as const;

const bulkActionStatuses = [bulkStatus.running, bulkStatus.completed, bulkStatus.stopped, bulkStatus.failed] as const;

export type BulkActionStatus = (typeof bulkActionStatuses)[number];

/** SQL for an action that is still carried out. A literal, so that the planner can match the partial index. */
export const sqlIsRunning = `bulk_action.status = '${bulkStatus.running}'`;

/** A number of jobs that was counted up to a limit. */
const JobCountEntity = defineEntity({
  name: 'JobCount',
  embeddable: true,
  properties: { value: p.integer(), exact: p.boolean() },
});

/**
 * One thing done to many jobs. The row is also its queue entry: where the walk along the ids of jobs has come to, and what has
 * come of it, are written by the transaction that makes the step. So any process can go on, and each job is acted on once.
 */
export const BulkActionEntity = defineEntity({
  name: 'BulkAction',
  tableName: 'bulk_action',
  properties: {
    id: p.uuid().primary(),
    workspaceId: p.uuid(),
    kind: p.enum(bulkActionKinds),
    /** As it was asked for. */
    filter: p.json<JsonObject>(),
    /** The same as the domain takes it: ids of jobs as UUIDs. */
    criteria: p.json<JsonObject>().hidden(),
    reason: p.text().strictNullable(),
    /** What the filter matched at the start. */
    total: p.embedded(JobCountEntity),

    /**
     * Which jobs existed at the start: all before `settledId`, which is some seconds older, and of those after it `recentIds`. Ids
     * alone do not tell: clocks differ by milliseconds, and a creation commits some time after its id was made.
     */
    settledId: p.uuid().hidden(),
    recentIds: p.array().columnType('uuid[]').$type<string[]>().hidden(),
    /** The last of all these. */
    lastId: p.uuid().hidden(),

    /** What it may still be asked for with: see start.ts. */
    idempotencyKey: p.text().strictNullable().hidden(),
    requestHash: p.text().strictNullable().hidden(),

    status: p.enum(bulkActionStatuses).default(bulkStatus.running),
    /** Grows with every step. */
    version: p.integer().default(1),
    /** The last job that was looked at, or passed by. */
    passedId: p.uuid().strictNullable().hidden(),
    /** When its next step is due: actions take turns. */
    dueAt: p.datetime().defaultRaw('now()').hidden(),
    seen: p.integer().default(0),
    done: p.integer().default(0),
    /** How many jobs were refused, by the code of the error. */
    refused: p.json<Record<string, number>>().defaultRaw(`'{}'`),
    error: p.embedded(JobFailureEntity).strictNullable(),
    finishedAt: p.datetime().strictNullable(),
    /** Whether the change log has nothing more of the jobs that it has deleted. */
    changesRemoved: p.boolean().default(false).hidden(),
  },
  indexes: [
    { name: 'bulk_action_workspace_index', properties: ['workspaceId', 'id'] },
    { name: 'bulk_action_changes_index', properties: ['id'], where: `kind = 'DELETE' AND NOT changes_removed` },
    { name: 'bulk_action_due_index', properties: ['dueAt', 'id'], where: sqlIsRunning.replace('bulk_action.', '') },
  ],
  uniques: [{ name: 'bulk_action_key_unique', properties: ['workspaceId', 'idempotencyKey'], where: 'idempotency_key IS NOT NULL' }],
});
