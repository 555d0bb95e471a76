import { defineEntity, p } from '@mikro-orm/core';
import type { JsonObject } from '../../json.ts';

/*
 * Logs stand apart from their jobs: no transition reads or writes them, and a job that has none has no row here. Like the
 * other tables of a job they have no foreign key to it; deleteLogs removes them.
 */

/** A line. Lines are inserted and deleted, never changed. */
export const JobLogEntity = defineEntity({
  name: 'JobLog',
  tableName: 'job_log',
  properties: {
    jobId: p.uuid().primary(),
    /** From 1, without gaps, along the job. */
    sequence: p.integer().primary(),
    attempt: p.integer(),
    /** How severe it is: the place of its name in `logLevels`. */
    level: p.smallint(),
    at: p.datetime(),
    message: p.text(),
    fields: p.json<JsonObject>().nullable(),
  },
});

/** How many lines a job has written. Its lock is what puts the lines of one job in order, and nothing else takes it. */
export const JobLogCounterEntity = defineEntity({
  name: 'JobLogCounter',
  tableName: 'job_log_counter',
  properties: {
    jobId: p.uuid().primary(),
    workspaceId: p.uuid(),
    /** The sequence of the newest line; 0 before the first. */
    last: p.integer().default(0),
    /**
     * Lines up to this one are deleted. Older ones than are kept may still be there, and are not shown. -1 once all of them are
     * being deleted, or are, because the job is about to be: see deleteLogs.
     */
    trimmed: p.integer().default(0),
  },
});
