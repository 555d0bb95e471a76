import { z } from 'zod';
import type { Database } from '../../database/database.ts';
import type { Queryable } from '../../database/queryable.ts';
import { firstIdOf } from '../../database/ids.ts';
import { binder, type Window, windowOrder, withinWindow } from '../../database/keyset.ts';
import { parseInput } from '../../input.ts';
import { type Dialect, dialects } from '../../workspaces/dialect.ts';
import type { Job } from '../model/job.ts';
import { type JobRow, jobColumns, jobFromRow, partOfJob } from '../model/rows.ts';
import { isRunning, type JobPhase, jobPhases, jobStatuses, type JobStatus, sqlPhase } from '../model/state-machine.ts';

/** Which jobs of a workspace to list. A field that is null or omitted does not filter. */
export interface JobFilter {
  ids?: readonly string[] | null | undefined;
  statuses?: readonly JobStatus[] | null | undefined;
  /** At most 100. */
  types?: readonly string[] | null | undefined;
  /** At most 20. Jobs must have all of them. */
  tags?: readonly string[] | null | undefined;
  createdAfter?: Date | null | undefined;
  createdBefore?: Date | null | undefined;
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
  createdAfter: z.date().nullish(),
  createdBefore: z.date().nullish(),
  phases: z.array(z.enum(jobPhases)).min(1).nullish(),
  native: z.object({ dialect: z.enum(dialects), types: z.array(z.string()) }).nullish(),
});

/**
 * Lists jobs of a workspace in id order. Throws ValidationError for an invalid filter.
 *
 * @param properties reads only these and the id: what else a Job has is missing; null reads whole jobs. Pass the same set for
 *   the same properties, because what it makes of one is remembered with it
 */
export async function listJobs(
  { hot, reads }: Pick<Database, 'hot' | 'reads'>,
  workspaceId: string,
  filter: JobFilter,
  window: Window,
  properties: ReadonlySet<keyof Job> | null = null,
): Promise<Job[]> {
  const { select, read } = properties === null ? { select: jobColumns, read: jobFromRow } : partOfJob(properties);
  const asked = conditions(filter);
  const { tags, ofId, ofJob } = asked;
  const page = async (walk: (workspace: string, bind: Bind) => Walk) => {
    const parameters: unknown[] = [];
    const bind = binder(parameters);
    const { from, id, where } = walk(`${bind(workspaceId)}::uuid`, bind);
    // The unfiltered list has only a few statement texts, each with one good plan, so it may use the hot pool.
    const rows = await (isUnfiltered(filter) ? hot : reads).query<JobRow>(
      `SELECT ${select('job')} FROM ${from}
       WHERE ${[...where, ...ofId(id, bind), ...withinWindow(id, window, bind), ...ofJob(bind)].join(' AND ')}
       ${windowOrder(id, window, bind)}`,
      parameters,
    );
    return rows.map(read);
  };
  const [only] = tags;
  if (only === undefined || tags.length > 1 || asked.narrowed) {
    const tag = await sparseTag(reads, workspaceId, { tags, ofId, window });
    return page((workspace, bind) => (tag === null ? withoutTag(workspace, asked) : jobsOfTag(workspace, bind(tag))));
  }
  // One tag and no other filter: first scan the next jobs, which is cheapest if the tag's jobs are close together.
  const together = await page((workspace, bind) => nextJobs(workspace, asked, window, bind));
  return together.length === window.limit ? together : page((workspace, bind) => jobsOfTag(workspace, bind(only)));
}

/** SQL for the milliseconds that the statement has taken, without the wait for a connection. */
const elapsed = `(extract(epoch FROM clock_timestamp() - statement_timestamp()) * 1000)::float8`;

/** An exact count, and what it cost. */
export interface Counted {
  count: number;
  /** How long the database worked for it. */
  milliseconds: number;
}

/** Counts the jobs that match the filter. It reads all of them, so call it only if the number is needed. */
export async function countJobs(database: Queryable, workspaceId: string, filter: JobFilter): Promise<Counted> {
  const asked = conditions(filter);
  const { tags, ofId, ofJob } = asked;
  const tag = await sparseTag(database, workspaceId, { tags, ofId, window: newest });
  const parameters: unknown[] = [];
  const bind = binder(parameters);
  const workspace = `${bind(workspaceId)}::uuid`;
  // A count needs no order, so Postgres may choose the join.
  const { from, id, where } = tag === null ? withoutTag(workspace, asked) : jobsOfTag(workspace, bind(tag), 'job_tag JOIN job ON job.id = job_tag.job_id');
  const [row] = await database.query<Counted>(
    `SELECT count(*)::int AS count, ${elapsed} AS milliseconds FROM ${from} WHERE ${[...where, ...ofId(id, bind), ...ofJob(bind)].join(' AND ')}`,
    parameters,
  );
  return row ?? { count: 0, milliseconds: 0 };
}

type Bind = (value: unknown) => string;

interface Conditions {
  tags: string[];
  /** Conditions on an id column. */
  ofId: (id: string, bind: Bind) => string[];
  /** Conditions on the job row. */
  ofJob: (bind: Bind) => string[];
  /** Whether there are conditions on the job row other than tags. */
  narrowed: boolean;
  /** Whether only running jobs are asked for. */
  running: boolean;
}

function conditions(asked: JobFilter): Conditions {
  const { ids, statuses, types, tags, createdAfter, createdBefore, phases, native } = parseInput(filterSchema, asked);
  const wanted = [...new Set(tags)];
  return {
    tags: wanted,
    running: statuses != null && statuses.length > 0 && statuses.every(isRunning),
    narrowed: [statuses, types, phases, native].some((condition) => condition != null),
    ofId: (id, bind) => [
      ...(ids == null ? [] : [`${id} = ANY(${bind(ids)}::uuid[])`]),
      // The first 48 bits of an id are its creation time in milliseconds.
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

/** The table to scan in id order. The other conditions filter its rows. */
interface Walk {
  from: string;
  id: string;
  where: string[];
}

/**
 * Scans the jobs themselves. Lists with no filter, one type, or one status other than RUNNING each have an index in this
 * order. Running jobs are found through their leases: a narrow table with no others.
 */
function withoutTag(workspace: string, { running }: Conditions): Walk {
  if (running) return { from: eachOf('lease'), id: 'lease.job_id', where: [`lease.workspace_id = ${workspace}`] };
  return { from: 'job', id: 'job.id', where: [`job.workspace_id = ${workspace}`] };
}

/** Scans only the next jobs: a few times as many as the page holds. */
function nextJobs(workspace: string, { ofId }: Conditions, window: Window, bind: Bind): Walk {
  const { direction, limit, offset = 0 } = window;
  const bounds = [...ofId('job.id', bind), ...withinWindow('job.id', window, bind)];
  const where = [`job.workspace_id = ${workspace}`, ...bounds].join(' AND ');
  const next = `SELECT * FROM job WHERE ${where} ORDER BY job.id ${direction} LIMIT ${bind(sparse * (limit + offset))}::int`;
  return { from: `(${next}) AS job`, id: 'job.id', where: [] };
}

/**
 * Scans a table of job ids and looks up each job. OFFSET 0 keeps Postgres from merging it with a scan of all jobs, as it
 * would for a tag that is frequent in other workspaces or at other times.
 */
function eachOf(table: 'job_tag' | 'lease'): string {
  return `${table} CROSS JOIN LATERAL (SELECT * FROM job WHERE job.id = ${table}.job_id OFFSET 0) AS job`;
}

/** Scans the list of one tag. */
function jobsOfTag(workspace: string, tag: string, from = eachOf('job_tag')): Walk {
  return { from, id: 'job_tag.job_id', where: [`job_tag.workspace_id = ${workspace}`, `job_tag.tag = ${tag}`] };
}

/** How many entries of each tag's list are compared, at least. */
const probed = 100;

const newest: Window = { above: null, below: null, direction: 'DESC', limit: probed };

/** A tag is sparse if its next entries spread over more than this many times as many jobs. */
const sparse = 4;

/**
 * Chooses the tag whose list a page is read from: the one whose next entries reach furthest. Null if even that tag is
 * dense, because scanning adjacent jobs costs less than looking up each by id. It measures this rather than rely on
 * planner statistics, which do not know the workspace or the position in a list.
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
  // Equality preserves the id order of the index. `= ANY` with one element does not always.
  return only !== undefined && others.length === 0 ? `${column} = ${bind(only)}` : `${column} = ANY(${bind(values)}::text[])`;
}

function isUnfiltered(filter: JobFilter): boolean {
  return Object.values(filter).every((value) => value == null);
}
