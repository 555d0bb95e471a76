import { z } from 'zod';
import { firstIdOf } from '../../database/ids.ts';
import { parseInput } from '../../input.ts';
import { type Dialect, dialects } from '../../workspaces/dialect.ts';
import { type JobPhase, jobPhases, jobStatuses, type JobStatus, sqlPhase } from '../model/state-machine.ts';

/** Which jobs of a workspace to list. A field that is null or omitted does not filter. An empty list matches nothing, but for tags. */
export interface JobFilter {
  /** At most 100. */
  ids?: readonly string[] | null | undefined;
  statuses?: readonly JobStatus[] | null | undefined;
  /** At most 100. */
  types?: readonly string[] | null | undefined;
  /** At most 20. Jobs must have all of them. */
  tags?: readonly string[] | null | undefined;
  /** At most 20. Jobs must have one of them, or several. */
  anyTags?: readonly string[] | null | undefined;
  /** Exclusive, to the millisecond, as are all of these. */
  createdAfter?: Date | null | undefined;
  createdBefore?: Date | null | undefined;
  /** These two have no index: jobs that match the rest are looked at one by one. */
  finishedAfter?: Date | null | undefined;
  finishedBefore?: Date | null | undefined;
  /** At most 100. */
  errorCodes?: readonly string[] | null | undefined;
  /** Workers of whom one has had, or has, an attempt. At most 100. */
  workerIds?: readonly string[] | null | undefined;
  /** Surfaces that jobs came through. */
  dialects?: readonly Dialect[] | null | undefined;
  /** The submitter's own name for the job, exactly. */
  clientReference?: string | null | undefined;
  /** Schedules of which one created them. At most 100. */
  scheduleIds?: readonly string[] | null | undefined;
  /** The job that they retry. */
  retryOf?: string | null | undefined;
  /** Statuses as the REST dialects show them. At least one. */
  phases?: readonly JobPhase[] | null | undefined;
  /** Jobs that came through this surface or have one of these types. */
  native?: { dialect: Dialect; types: readonly string[] } | null | undefined;
}

export const filterSchema = z.object({
  ids: z.array(z.uuid()).max(100).nullish(),
  statuses: z.array(z.enum(jobStatuses)).max(100).nullish(),
  types: z.array(z.string().max(100)).max(100).nullish(),
  tags: z.array(z.string().max(100)).max(20).nullish(),
  anyTags: z.array(z.string().max(100)).max(20).nullish(),
  createdAfter: z.date().nullish(),
  createdBefore: z.date().nullish(),
  finishedAfter: z.date().nullish(),
  finishedBefore: z.date().nullish(),
  errorCodes: z.array(z.string().max(100)).max(100).nullish(),
  workerIds: z.array(z.string().max(200)).max(100).nullish(),
  dialects: z.array(z.enum(dialects)).max(100).nullish(),
  clientReference: z.string().max(1_000).nullish(),
  scheduleIds: z.array(z.uuid()).max(100).nullish(),
  retryOf: z.uuid().nullish(),
  phases: z.array(z.enum(jobPhases)).min(1).nullish(),
  native: z.object({ dialect: z.enum(dialects), types: z.array(z.string()) }).nullish(),
});

export function isUnfiltered(filter: JobFilter): boolean {
  return Object.values(filter).every((value) => value == null);
}

export type Bind = (value: unknown) => string;

/** Fields for whose values there are lists in id order. */
const listed = ['statuses', 'types', 'errorCodes', 'workerIds', 'dialects', 'scheduleIds', 'anyTags'] as const;

export type Listed = (typeof listed)[number];

/** What a list of jobs may have in common. */
export type Covered = Listed | 'tags';

/** A filter as conditions in SQL. */
export interface Conditions {
  /** Lists without repetitions, where given. */
  asked: { tags: string[]; clientReference: string | null; retryOf: string | null } & { [Key in Listed]: NonNullable<z.output<typeof filterSchema>[Key]> | null };
  /** Conditions on an id column. */
  ofId: (id: string, bind: Bind) => string[];
  /** Conditions on the job row. @param covered fields that are met already */
  ofJob: (bind: Bind, covered?: readonly Covered[]) => string[];
  /** Whether there are conditions on the job row other than tags. */
  narrowed: boolean;
}

/** Throws ValidationError for an invalid filter. */
export function conditionsOf(workspaceId: string, filter: JobFilter): Conditions {
  const { ids, tags, createdAfter, createdBefore, ...ofRow } = parseInput(filterSchema, filter);
  const { finishedAfter, finishedBefore, phases, native, retryOf = null, clientReference = null } = ofRow;
  const asked = {
    tags: [...new Set(tags)],
    clientReference,
    retryOf,
    statuses: distinct(ofRow.statuses),
    types: distinct(ofRow.types),
    errorCodes: distinct(ofRow.errorCodes),
    workerIds: distinct(ofRow.workerIds),
    dialects: distinct(ofRow.dialects),
    scheduleIds: distinct(ofRow.scheduleIds),
    anyTags: distinct(ofRow.anyTags),
  };
  const ofListed: Record<Listed, (values: readonly string[], bind: Bind) => string> = {
    statuses: oneOf('job.status'),
    types: oneOf('job.type'),
    errorCodes: oneOf('job.error_code'),
    workerIds: (workers, bind) => workedOnBy(bind(workspaceId), bind(workers)),
    dialects: oneOf('job.dialect'),
    scheduleIds: oneOf('job.schedule_id', 'uuid'),
    anyTags: (borne, bind) => `job.tags && ${bind(borne)}::text[]`,
  };
  return {
    asked,
    narrowed: Object.values(ofRow).some((condition) => condition != null),
    ofId: (id, bind) => [
      ...(ids == null ? [] : [`${id} = ANY(${bind(ids)}::uuid[])`]),
      // The first 48 bits of an id are its creation time in milliseconds.
      ...(createdAfter == null ? [] : [`${id} >= ${bind(firstIdOf(createdAfter.getTime() + 1))}::uuid`]),
      ...(createdBefore == null ? [] : [`${id} < ${bind(firstIdOf(createdBefore.getTime()))}::uuid`]),
    ],
    ofJob: (bind, covered = []) => [
      ...listed.flatMap((field) => {
        const values = asked[field];
        return values === null || covered.includes(field) ? [] : [ofListed[field](values, bind)];
      }),
      ...(asked.tags.length === 0 || covered.includes('tags') ? [] : [`job.tags @> ${bind(asked.tags)}::text[]`]),
      ...(clientReference === null ? [] : [`job.client_reference = ${bind(clientReference)}`]),
      ...(retryOf === null ? [] : [`job.retry_of_id = ${bind(retryOf)}::uuid`]),
      // Readers see milliseconds, and the column has microseconds.
      ...(finishedAfter == null ? [] : [`job.finished_at >= ${bind(new Date(finishedAfter.getTime() + 1).toISOString())}::timestamptz`]),
      ...(finishedBefore == null ? [] : [`job.finished_at < ${bind(finishedBefore.toISOString())}::timestamptz`]),
      ...(phases == null ? [] : [`(${phases.map((phase) => sqlPhase[phase]).join(' OR ')})`]),
      ...(native == null ? [] : [`(job.dialect = ${bind(native.dialect)} OR job.type = ANY(${bind(native.types)}::text[]))`]),
    ],
  };
}

function oneOf(column: string, type: 'text' | 'uuid' = 'text') {
  return (values: readonly string[], bind: Bind) => `${column} = ANY(${bind(values)}::${type}[])`;
}

function distinct<Value>(values: readonly Value[] | null | undefined): Value[] | null {
  return values == null ? null : [...new Set(values)];
}

/** SQL for a job that one of the workers has had an attempt at, or has one. A running attempt is its lease. */
function workedOnBy(workspace: string, workers: string): string {
  const of = (table: string) =>
    `SELECT ${table}.job_id FROM ${table} WHERE ${table}.workspace_id = ${workspace}::uuid AND ${table}.worker_id = ANY(${workers}::text[])`;
  return `job.id IN (${of('job_attempt')} UNION ALL ${of('lease')})`;
}
