import { defineEntity, p } from '@mikro-orm/core';

/*
 * Everything here is counted from the log of changes (`job_change`), by a sweep: no transition writes a row for it. Nothing
 * is subtracted when a job is deleted, because only jobs that have ended are, and how many ended is kept for ever.
 */

/** The steps of statistics. Each change is counted in one point of each of them. */
export const statisticsSteps = ['MINUTE', 'HOUR', 'DAY'] as const;

export type StatisticsStep = (typeof statisticsSteps)[number];

/** How far the log of a workspace is counted. */
export const CountedLogEntity = defineEntity({
  name: 'CountedLog',
  tableName: 'counted_log',
  properties: {
    workspaceId: p.uuid().primary(),
    /** A change is counted if this snapshot sees its transaction. */
    snapshot: p.string().columnType('pg_snapshot'),
    countedAt: p.datetime().defaultRaw('now()'),
    /** Only changes after this are looked at. Those before came with a dump, and have the transaction ids of another server. */
    since: p.datetime().defaultRaw(`'-infinity'`),
  },
});

/** How many jobs of a type are in a status, or, of a final one, ever came to it. */
export const JobTotalEntity = defineEntity({
  name: 'JobTotal',
  tableName: 'job_total',
  properties: {
    workspaceId: p.uuid().primary(),
    type: p.text().primary(),
    /** A copy of the job's status. The check constraint is on `job`. */
    status: p.text().primary(),
    jobs: p.bigint('number'),
  },
});

/** What happened in one step of time. */
export const JobStatisticEntity = defineEntity({
  name: 'JobStatistic',
  tableName: 'job_statistic',
  properties: {
    workspaceId: p.uuid().primary(),
    step: p.enum(statisticsSteps).primary(),
    /** Where the step begins. */
    at: p.datetime().primary(),
    /** Empty for all types together. */
    type: p.text().primary(),
    created: p.integer().default(0),
    completed: p.integer().default(0),
    failed: p.integer().default(0),
    cancelled: p.integer().default(0),
    failedAttempts: p.integer().default(0),
    /** Histograms of how long attempts waited and ran: see histogram.ts. */
    waits: p.array().columnType('int[]').$type<number[]>().defaultRaw(`'{}'`),
    runs: p.array().columnType('int[]').$type<number[]>().defaultRaw(`'{}'`),
  },
});
