import { defineEntity, p } from '@mikro-orm/core';
import { dialects } from '../../workspaces/dialect.ts';
import { initialStatus, jobStatuses, sqlIs } from './state-machine.ts';

/*
 * No table here has a foreign key to `job` or from it: the checks would cost every creation and claim, jobs are deleted
 * by retention alone (which takes their children along), and `job` stays partitionable by ranges of its id.
 */

/**
 * One job is one row, and every surface is a projection of it. Updated often, so no index covers what a progress
 * report changes, and the lease, renewed by every heartbeat, is a row of its own.
 */
export const JobEntity = defineEntity({
  name: 'Job',
  tableName: 'job',
  properties: {
    /** UUIDv7 made by the application; createdAt is its millisecond. */
    id: p.uuid().primary(),
    workspaceId: p.uuid(),
    type: p.text(),
    status: p.enum(() => jobStatuses).default(initialStatus),
    /** False while it waits for runAt or for the end of a backoff: such rows must not clog the head of the queue. */
    ready: p.boolean().default(true),
    version: p.integer().default(1),
    input: p.json(),
    progressStep: p.text().nullable(),
    progressMessage: p.text().nullable(),
    progressPercentage: p.double().nullable(),
    /** The attempt's highest percentage: what is shown never goes below it, not even after a null in between. */
    progressPeak: p.double().default(0),
    output: p.json().nullable(),
    errorCode: p.text().nullable(),
    errorMessage: p.text().nullable(),
    tags: p.array().columnType('text[]').defaultRaw(`'{}'`),
    priority: p.integer().default(0),
    attempt: p.integer().default(0),
    failedAttempts: p.integer().default(0),
    maxAttempts: p.integer(),
    creditsCharged: p.integer(),
    creditsRefunded: p.integer().default(0),
    webhookUrl: p.text().nullable(),
    clientReference: p.text().nullable(),
    dialect: p.enum(() => dialects).default('NATIVE'),
    artifactId: p.uuid().nullable(),
    artifactExpiresAt: p.datetime().nullable(),
    retryOfId: p.uuid().nullable(),
    cancelReason: p.text().nullable(),
    runAt: p.datetime().nullable(),
    /** When it became, or becomes, eligible: creation, runAt, or the end of a backoff. */
    dueAt: p.datetime().defaultRaw('now()'),
    /** dueAt less 60 s for each point of priority: a head start, so that ageing never changes the order. */
    dispatchAt: p.datetime().defaultRaw('now()'),
    startedAt: p.datetime().nullable(),
    finishedAt: p.datetime().nullable(),
    statusChangedAt: p.datetime().defaultRaw('now()'),
    updatedAt: p.datetime().defaultRaw('now()'),
  },
  indexes: [
    { name: 'job_workspace_index', properties: ['workspaceId', 'id'] },
    { name: 'job_workspace_status_index', properties: ['workspaceId', 'status', 'id'] },
    { name: 'job_workspace_type_index', properties: ['workspaceId', 'type', 'id'] },
    {
      name: 'job_dispatch_index',
      properties: ['workspaceId', 'type', 'dispatchAt', 'id'],
      where: withoutTable(sqlIs.claimable),
    },
    { name: 'job_waiting_index', properties: ['dueAt'], where: withoutTable(sqlIs.waiting) },
  ],
});

/**
 * The log of status changes, creation included: one row for each, inserted by the statement that makes it. No transaction
 * changes one job's status twice; the key relies on it. It has what the job's own row loses with later changes, and no
 * more: see changes.ts, which rebuilds the job as it was. Rows go after a week.
 *
 * The transaction's number and not one of our own counting, because numbers are drawn in another order than they become
 * visible in. The key is the only index: it is also how old rows are found.
 */
export const JobChangeEntity = defineEntity({
  name: 'JobChange',
  tableName: 'job_change',
  properties: {
    workspaceId: p.uuid().primary(),
    /** The transaction that made the change. */
    xid: p.string().columnType('xid8').defaultRaw('pg_current_xact_id()').primary(),
    jobId: p.uuid().primary(),
    changedAt: p.datetime().defaultRaw('now()'),
    /** Null where the job was created, and where it ended. */
    dueAt: p.datetime().nullable(),
    version: p.integer().default(1),
    attempt: p.integer().default(0),
    failedAttempts: p.integer().default(0),
    /** A copy of the job's own, which is checked there. */
    status: p.text().default(initialStatus),
    /** What an attempt left behind that did not end the job. */
    progressStep: p.text().nullable(),
    progressMessage: p.text().nullable(),
    progressPercentage: p.double().nullable(),
  },
});

/** A job's tags once more, for lists by one tag in the order of ids. */
export const JobTagEntity = defineEntity({
  name: 'JobTag',
  tableName: 'job_tag',
  properties: {
    workspaceId: p.uuid().primary(),
    tag: p.text().primary(),
    jobId: p.uuid().primary(),
  },
});

export const JobAttemptEntity = defineEntity({
  name: 'JobAttempt',
  tableName: 'job_attempt',
  properties: {
    jobId: p.uuid().primary(),
    /** 1 for the first; released attempts have their number too. */
    number: p.integer().primary(),
    workspaceId: p.uuid(),
    workerId: p.text(),
    /** Remembered after the lease is gone, so that a late writer is told what became of its job. */
    token: p.uuid(),
    startedAt: p.datetime(),
    endedAt: p.datetime().nullable(),
    /** Whether it counts against maxAttempts: not while it runs, not when it was released or succeeded. */
    failed: p.boolean().default(false),
    errorCode: p.text().nullable(),
    errorMessage: p.text().nullable(),
  },
});

/** Who works on a running job, and until when. Narrow, and without an index on the expiry: heartbeats stay cheap. */
export const LeaseEntity = defineEntity({
  name: 'Lease',
  tableName: 'lease',
  properties: {
    jobId: p.uuid().primary(),
    workspaceId: p.uuid(),
    attempt: p.integer(),
    token: p.uuid(),
    expiresAt: p.datetime(),
    /** End of the attempt's time, however often the lease is renewed. */
    deadlineAt: p.datetime(),
    /** Seconds that one renewal gives. */
    seconds: p.integer(),
    /** The workspace's slot that this attempt holds; null where the workspace has no limit. */
    slot: p.integer().nullable(),
  },
});

/** One row for each job that a limited workspace may run at once: taking one with SKIP LOCKED makes the limit hard. */
export const SlotEntity = defineEntity({
  name: 'Slot',
  tableName: 'slot',
  properties: {
    workspaceId: p.uuid().primary(),
    n: p.integer().primary(),
    jobId: p.uuid().nullable(),
  },
});

/** What a key has done in the last 24 hours. */
export const IdempotencyKeyEntity = defineEntity({
  name: 'IdempotencyKey',
  tableName: 'idempotency_key',
  properties: {
    workspaceId: p.uuid().primary(),
    /** JOB for creations and retries, GRANT for grants of credits: their keys do not meet. */
    scope: p.enum(['JOB', 'GRANT']).primary(),
    key: p.text().primary(),
    /** SHA-256 of the canonical request. */
    requestHash: p.text(),
    jobId: p.uuid().nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
  },
  indexes: [{ name: 'idempotency_key_created_index', properties: ['createdAt'] }],
});

/** An index predicate stands alone: Postgres stores it without the table's name. */
function withoutTable(predicate: string): string {
  return predicate.replaceAll('job.', '');
}
