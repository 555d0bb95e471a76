import { z } from 'zod';
import type { Queryable } from '../../database/database.ts';
import { firstIdOf } from '../../database/ids.ts';
import { binder, type Window, windowOrder, withinWindow } from '../../database/keyset.ts';
import { parseInput } from '../../input.ts';
import { type Dialect, dialects } from '../../workspaces/dialect.ts';
import type { Job } from '../model/job.ts';
import { type JobRow, jobColumns, jobFromRow } from '../model/rows.ts';
import { type JobPhase, jobPhases, jobStatuses, type JobStatus, sqlPhase } from '../model/state-machine.ts';

/** Which jobs of a workspace. What is null or left out does not narrow. */
export interface JobFilter {
  ids?: readonly string[] | null | undefined;
  statuses?: readonly JobStatus[] | null | undefined;
  /** At most 100. */
  types?: readonly string[] | null | undefined;
  /** Jobs that bear every one of these; at most 20. */
  tags?: readonly string[] | null | undefined;
  createdAfter?: Date | null | undefined;
  createdBefore?: Date | null | undefined;
  /** As a REST dialect shows them; at least one. */
  phases?: readonly JobPhase[] | null | undefined;
  /** Jobs that came through this surface, or whose type is one of these. */
  native?: { dialect: Dialect; types: readonly string[] } | null | undefined;
}

export const filterSchema = z.object({
  ids: z.array(z.uuid()).max(100).nullish(),
  statuses: z.array(z.enum(jobStatuses)).max(100).nullish(),
  types: z.array(z.string().max(100)).max(100).nullish(),
  tags: z.array(z.string().max(100)).max(20).nullish(),
  createdAfter: z.date().nullish(),
  createdBefore: z.date().nullish(),
  phases: z.array(z.enum(jobPhases)).min(1).nullish(),
  native: z.object({ dialect: z.enum(dialects), types: z.array(z.string()) }).nullish(),
});

/** Jobs of a workspace in the order of their ids. Throws ValidationError for a filter that cannot be. */
export async function listJobs(
  database: Queryable,
  workspaceId: string,
  filter: JobFilter,
  window: Window,
): Promise<Job[]> {
  const { from, where, parameters, id } = conditions(workspaceId, filter);
  const bind = binder(parameters);
  const conditionsAndBounds = [...where, ...withinWindow(id, window, bind)].join(' AND ');
  const rows = await database.query<JobRow>(
    `SELECT ${jobColumns('job')} FROM ${from} WHERE ${conditionsAndBounds} ${windowOrder(id, window, bind)}`,
    parameters,
    // The list of all jobs has one text and one good plan.
    isUnfiltered(filter) ? 'prepared' : undefined,
  );
  return rows.map(jobFromRow);
}

/** How many jobs the filter leaves. Reads them all: ask only where the number is wanted. */
export async function countJobs(database: Queryable, workspaceId: string, filter: JobFilter): Promise<number> {
  const { from, where, parameters } = conditions(workspaceId, filter);
  const [row] = await database.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM ${from} WHERE ${where.join(' AND ')}`,
    parameters,
  );
  return row?.count ?? 0;
}

interface Conditions {
  from: string;
  where: string[];
  parameters: unknown[];
  /** The column that the index in use has in order. */
  id: string;
}

/*
 * No filter, one status, one type and one tag are each answered in index order; whatever else is asked narrows what
 * that index yields.
 */
function conditions(workspaceId: string, asked: JobFilter): Conditions {
  const filter = parseInput(filterSchema, asked);
  const parameters: unknown[] = [];
  const bind = binder(parameters);
  const where = [`job.workspace_id = ${bind(workspaceId)}::uuid`];
  const { ids, statuses, types, tags, createdAfter, createdBefore, phases, native } = filter;
  if (ids != null) where.push(`job.id = ANY(${bind(ids)}::uuid[])`);
  if (statuses != null) where.push(oneOf('job.status', statuses, bind));
  if (types != null) where.push(oneOf('job.type', types, bind));
  // An id's first 48 bits are its creation's millisecond.
  if (createdAfter != null) where.push(`job.id >= ${bind(firstIdOf(createdAfter.getTime() + 1))}::uuid`);
  if (createdBefore != null) where.push(`job.id < ${bind(firstIdOf(createdBefore.getTime()))}::uuid`);
  if (phases != null) where.push(`(${phases.map((phase) => sqlPhase[phase]).join(' OR ')})`);
  if (native != null) where.push(`(job.dialect = ${bind(native.dialect)} OR job.type = ANY(${bind(native.types)}::text[]))`);
  let from = 'job';
  let id = 'job.id';
  const [firstTag, ...otherTags] = [...new Set(tags)];
  if (firstTag !== undefined) {
    from = `job_tag JOIN job ON job.id = job_tag.job_id`;
    id = 'job_tag.job_id';
    where.push(`job_tag.workspace_id = ${bind(workspaceId)}::uuid`, `job_tag.tag = ${bind(firstTag)}`);
    if (otherTags.length > 0) where.push(`job.tags @> ${bind(otherTags)}::text[]`);
  }
  return { from, where, parameters, id };
}

function oneOf(column: string, values: readonly string[], bind: (value: unknown) => string): string {
  const [only, ...others] = [...new Set(values)];
  // An equality keeps the index in the order of ids; = ANY with one element does not always.
  return only !== undefined && others.length === 0 ? `${column} = ${bind(only)}` : `${column} = ANY(${bind(values)}::text[])`;
}

function isUnfiltered(filter: JobFilter): boolean {
  return Object.values(filter).every((value) => value == null);
}
