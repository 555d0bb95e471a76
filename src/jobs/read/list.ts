import { z } from 'zod';
import type { Database } from '../../database/database.ts';
import type { Queryable } from '../../database/queryable.ts';
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
  { hot, reads }: Pick<Database, 'hot' | 'reads'>,
  workspaceId: string,
  filter: JobFilter,
  window: Window,
): Promise<Job[]> {
  const asked = conditions(filter);
  const { tags, ofId, ofJob } = asked;
  const page = async (walk: (workspace: string, bind: Bind) => Walk) => {
    const parameters: unknown[] = [];
    const bind = binder(parameters);
    const { from, id, where } = walk(`${bind(workspaceId)}::uuid`, bind);
    // The list of all jobs has few texts, each with one good plan.
    const rows = await (isUnfiltered(filter) ? hot : reads).query<JobRow>(
      `SELECT ${jobColumns('job')} FROM ${from}
       WHERE ${[...where, ...ofId(id, bind), ...withinWindow(id, window, bind), ...ofJob(bind)].join(' AND ')}
       ${windowOrder(id, window, bind)}`,
      parameters,
    );
    return rows.map(jobFromRow);
  };
  const [only] = tags;
  if (only === undefined || tags.length > 1 || asked.narrowed) {
    const tag = await sparseTag(reads, workspaceId, { tags, ofId, window });
    return page((workspace, bind) => (tag === null ? allJobs(workspace) : jobsOfTag(workspace, bind(tag))));
  }
  // By one tag alone: a page of its list is never long, and shorter still where its jobs lie together.
  const together = await page((workspace, bind) => nextJobs(workspace, asked, window, bind));
  return together.length === window.limit ? together : page((workspace, bind) => jobsOfTag(workspace, bind(only)));
}

/** How many jobs the filter leaves. Reads them all: ask only where the number is wanted. */
export async function countJobs(database: Queryable, workspaceId: string, filter: JobFilter): Promise<number> {
  const { tags, ofId, ofJob } = conditions(filter);
  const tag = await sparseTag(database, workspaceId, { tags, ofId, window: newest });
  const parameters: unknown[] = [];
  const bind = binder(parameters);
  const workspace = `${bind(workspaceId)}::uuid`;
  // Nothing is to be in order here, so that Postgres may join as it likes.
  const { from, id, where } = tag === null ? allJobs(workspace) : jobsOfTag(workspace, bind(tag), 'job_tag JOIN job ON job.id = job_tag.job_id');
  const [row] = await database.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM ${from} WHERE ${[...where, ...ofId(id, bind), ...ofJob(bind)].join(' AND ')}`,
    parameters,
  );
  return row?.count ?? 0;
}

type Bind = (value: unknown) => string;

interface Conditions {
  tags: string[];
  /** On a column of ids. */
  ofId: (id: string, bind: Bind) => string[];
  /** On the row of a job. */
  ofJob: (bind: Bind) => string[];
  /** Whether there are any on the row but for tags. */
  narrowed: boolean;
}

function conditions(asked: JobFilter): Conditions {
  const { ids, statuses, types, tags, createdAfter, createdBefore, phases, native } = parseInput(filterSchema, asked);
  const wanted = [...new Set(tags)];
  return {
    tags: wanted,
    narrowed: [statuses, types, phases, native].some((condition) => condition != null),
    ofId: (id, bind) => [
      ...(ids == null ? [] : [`${id} = ANY(${bind(ids)}::uuid[])`]),
      // An id's first 48 bits are its creation's millisecond.
      ...(createdAfter == null ? [] : [`${id} >= ${bind(firstIdOf(createdAfter.getTime() + 1))}::uuid`]),
      ...(createdBefore == null ? [] : [`${id} < ${bind(firstIdOf(createdBefore.getTime()))}::uuid`]),
    ],
    ofJob: (bind) => [
      ...(statuses == null ? [] : [oneOf('job.status', statuses, bind)]),
      ...(types == null ? [] : [oneOf('job.type', types, bind)]),
      ...(wanted.length === 0 ? [] : [`job.tags @> ${bind(wanted)}::text[]`]),
      ...(phases == null ? [] : [`(${phases.map((phase) => sqlPhase[phase]).join(' OR ')})`]),
      ...(native == null ? [] : [`(job.dialect = ${bind(native.dialect)} OR job.type = ANY(${bind(native.types)}::text[]))`]),
    ],
  };
}

/** What is walked in the order of ids; the other conditions narrow what it yields. */
interface Walk {
  from: string;
  id: string;
  where: string[];
}

/** No filter, one status and one type have an index each that is in this order. */
function allJobs(workspace: string): Walk {
  return { from: 'job', id: 'job.id', where: [`job.workspace_id = ${workspace}`] };
}

/** The next jobs, some times as many as the page has. */
function nextJobs(workspace: string, { ofId }: Conditions, window: Window, bind: Bind): Walk {
  const { direction, limit, offset = 0 } = window;
  const bounds = [...ofId('job.id', bind), ...withinWindow('job.id', window, bind)];
  const where = [`job.workspace_id = ${workspace}`, ...bounds].join(' AND ');
  const next = `SELECT * FROM job WHERE ${where} ORDER BY job.id ${direction} LIMIT ${bind(sparse * (limit + offset))}::int`;
  return { from: `(${next}) AS job`, id: 'job.id', where: [] };
}

/**
 * The list of one tag, each of its jobs by its id. OFFSET 0 keeps Postgres from walking all jobs beside it: it would, for
 * a tag that is frequent in other workspaces or at other times.
 */
const oneByOne = 'job_tag CROSS JOIN LATERAL (SELECT * FROM job WHERE job.id = job_tag.job_id OFFSET 0) AS job';

function jobsOfTag(workspace: string, tag: string, from = oneByOne): Walk {
  return { from, id: 'job_tag.job_id', where: [`job_tag.workspace_id = ${workspace}`, `job_tag.tag = ${tag}`] };
}

/** How far lists are compared, at least: entries of each tag. */
const probed = 100;

const newest: Window = { above: null, below: null, direction: 'DESC', limit: probed };

/** A tag is sparse where its next entries are spread over more than so many times as many jobs. */
const sparse = 4;

/**
 * Which tag's list a page is to be taken from: the one whose next entries reach furthest. Null where even that one is
 * dense: jobs that lie together cost less in the order of all jobs than each by its id. Looked up rather than left to
 * statistics, which know no workspace and no place in a list.
 */
async function sparseTag(
  database: Queryable,
  workspaceId: string,
  { tags, ofId, window }: Pick<Conditions, 'tags' | 'ofId'> & { window: Window },
): Promise<string | null> {
  if (tags.length === 0) return null;
  const parameters: unknown[] = [];
  const bind = binder(parameters);
  const workspace = `${bind(workspaceId)}::uuid`;
  const count = Math.max(probed, window.limit);
  const nth = (table: string, id: string, where: readonly string[], entries: number) =>
    `(SELECT ${id} FROM ${table} WHERE ${[...where, ...ofId(id, bind), ...withinWindow(id, window, bind)].join(' AND ')}
      ORDER BY ${id} ${window.direction} OFFSET ${entries - 1} LIMIT 1)`;
  const ofTag = nth('job_tag', 'job_tag.job_id', [`job_tag.workspace_id = ${workspace}`, 'job_tag.tag = asked.tag'], count);
  const ofAll = nth('job', 'job.id', [`job.workspace_id = ${workspace}`], sparse * count);
  const [furthest, further] = window.direction === 'ASC' ? ['DESC', '>'] : ['ASC', '<'];
  const [row] = await database.query<{ tag: string | null }>(
    `WITH furthest AS MATERIALIZED (
       SELECT tag, ${ofTag} AS reach FROM unnest(${bind(tags)}::text[]) AS asked(tag) ORDER BY reach ${furthest} NULLS FIRST LIMIT 1
     )
     SELECT CASE WHEN reach IS NULL OR reach ${further} ${ofAll} THEN tag END AS tag FROM furthest`,
    parameters,
  );
  return row?.tag ?? null;
}

function oneOf(column: string, values: readonly string[], bind: Bind): string {
  const [only, ...others] = [...new Set(values)];
  // An equality keeps the index in the order of ids; = ANY with one element does not always.
  return only !== undefined && others.length === 0 ? `${column} = ${bind(only)}` : `${column} = ANY(${bind(values)}::text[])`;
}

function isUnfiltered(filter: JobFilter): boolean {
  return Object.values(filter).every((value) => value == null);
}
