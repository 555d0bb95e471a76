import type { Database } from '../../database/database.ts';
import type { Queryable } from '../../database/queryable.ts';
import { binder, type Window, windowOrder } from '../../database/keyset.ts';
import type { Job } from '../model/job.ts';
import { type JobRow, jobColumns, jobFromRow, partOfJob } from '../model/rows.ts';
import { type Bind, type Conditions, conditionsOf, isUnfiltered, type JobFilter } from './filter.ts';
import { areShort, inCommon, mostLookedAt } from './in-common.ts';
import { allJobs, idsOfTags, jobsOfTag, newest, nextJobs, nextOf, ofEntries, sparseTag, type Walk, type WalkOf, walksOf } from './walks.ts';

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
  const conditions = conditionsOf(workspaceId, filter);
  const page = async (walks: readonly WalkOf[]) => {
    const parameters: unknown[] = [];
    const bind = binder(parameters);
    const workspace = `${bind(workspaceId)}::uuid`;
    const statement = merged(walks.map((walk) => walk(workspace, bind)), { select, conditions, window, bind });
    if (statement === null) return [];
    // The unfiltered list has only a few statement texts, each with one good plan, so it may use the hot pool.
    const rows = await (isUnfiltered(filter) ? hot : reads).query<JobRow>(statement, parameters);
    return rows.map(read);
  };
  const [only] = conditions.asked.tags;
  if (only === undefined || conditions.asked.tags.length > 1 || conditions.narrowed) {
    const walks = await listsFor(reads, workspaceId, conditions, window);
    const common = inCommon(conditions, window);
    if (common === null) return page(walks);
    const [walk] = walks;
    const near = walk === undefined || walks.length > 1 ? null : await page([nextOf(walk, conditions, window, mostLookedAt)]);
    if (near?.length === window.limit) return near;
    return (await areShort(reads, workspaceId, walks, conditions, window)) ? (near ?? page(walks)) : page([common]);
  }
  // One tag and no other filter: first scan the next jobs, which is cheapest if the tag's jobs are close together.
  const together = await page([nextJobs(conditions, window)]);
  return together.length === window.limit ? together : page([jobsOfTag(only)]);
}

const idAlone = partOfJob(new Set(['id'] as const));

/** A stretch of a walk along the ids of jobs. */
interface Stretch {
  /** Exclusive; null from the first on. */
  after: string | null;
  /** Inclusive. */
  upTo: string;
  limit: number;
  /** More conditions on an id column. */
  where: (id: string, bind: Bind) => string[];
}

/** The ids of the jobs that match a filter, in order, from a stretch of ids. */
export async function listJobIds(
  reads: Queryable,
  workspaceId: string,
  filter: JobFilter,
  { after, upTo, limit, where }: Stretch,
): Promise<string[]> {
  const all = conditionsOf(workspaceId, filter);
  const ofId: Conditions['ofId'] = (id, bind) => [...all.ofId(id, bind), `${id} <= ${bind(upTo)}::uuid`, ...where(id, bind)];
  const conditions = { ...all, ofId };
  const window: Window = { above: after, below: null, direction: 'ASC', limit };
  const parameters: unknown[] = [];
  const bind = binder(parameters);
  const workspace = `${bind(workspaceId)}::uuid`;
  const walks = (await listsFor(reads, workspaceId, conditions, window)).map((walk) => walk(workspace, bind));
  const statement = merged(walks, { select: idAlone.select, conditions, window, bind });
  return statement === null ? [] : (await reads.query<{ id: string }>(statement, parameters)).map(({ id }) => id);
}

async function listsFor(reads: Queryable, workspaceId: string, conditions: Conditions, window: Window): Promise<WalkOf[]> {
  const tag = await sparseTag(reads, workspaceId, conditions, window);
  return tag === null ? walksOf(conditions, window.direction) : [jobsOfTag(tag)];
}

interface Page {
  select: (of: string) => string;
  conditions: Conditions;
  window: Window;
  bind: Bind;
}

/** The statement for a page of one list, or of several: the first of each, of which the page is the first. Null if there is none. */
function merged(walks: readonly Walk[], page: Page): string | null {
  const { window, bind } = page;
  const [only, ...others] = walks;
  if (only === undefined) return null;
  if (others.length === 0) return first(only, page);
  const { offset = 0, limit } = window;
  const ofEach = { ...page, window: { ...window, offset: 0, limit: limit + offset } };
  const lists = walks.map((walk) => `(${first(walk, ofEach)})`).join(' UNION ALL ');
  return `SELECT DISTINCT ON (job.id) job.* FROM (${lists}) AS job ${windowOrder('job.id', window, bind)}`;
}

function first(walk: Walk, page: Page): string {
  return `SELECT ${page.select('job')} FROM ${walk.from} WHERE ${whereOf(walk, page)} ${windowOrder(walk.id, page.window, page.bind)}`;
}

function whereOf(walk: Walk, { conditions, window, bind }: Pick<Page, 'conditions' | 'window' | 'bind'>): string {
  return [ofEntries(walk, conditions, window, bind), ...conditions.ofJob(bind, walk.covers)].join(' AND ');
}

/** SQL for the milliseconds that the statement has taken, without the wait for a connection. */
const elapsed = `(extract(epoch FROM clock_timestamp() - statement_timestamp()) * 1000)::float8`;

/** A count, and what it cost. */
export interface Counted {
  count: number;
  /** How long the database worked for it. */
  milliseconds: number;
}

const nothing: Counted = { count: 0, milliseconds: 0 };

/** Counts the jobs that match the filter. It reads all of them, so call it only if the number is needed. */
export async function countJobs(database: Queryable, workspaceId: string, filter: JobFilter): Promise<Counted> {
  const conditions = conditionsOf(workspaceId, filter);
  const tag = await sparseTag(database, workspaceId, conditions, newest);
  const parameters: unknown[] = [];
  const bind = binder(parameters);
  const workspace = `${bind(workspaceId)}::uuid`;
  const lists = walksWithout(conditions, tag).map((walk) => {
    const list = walk(workspace, bind);
    return `SELECT ${list.id} FROM ${list.from} WHERE ${whereOf(list, { conditions, window: newest, bind })}`;
  });
  return lists.length === 0 ? nothing : counted(database, `(${lists.join(conditions.asked.anyTags === null ? ' UNION ALL ' : ' UNION ')}) AS found`, parameters);
}

/** A count needs no order, so Postgres may choose the join. Lists of workers may have a job twice, and so may those of several tags. */
function walksWithout(conditions: Conditions, tag: string | null): WalkOf[] {
  if (tag !== null) return [(workspace, bind) => ({ ...jobsOfTag(tag)(workspace, bind), from: 'job_tag JOIN job ON job.id = job_tag.job_id' })];
  const { workerIds, clientReference } = conditions.asked;
  return workerIds === null || clientReference !== null ? walksOf(conditions, 'DESC') : [allJobs];
}

/** Counts the jobs that match the filter, but no further than to `most`. It reads jobs only where lists do not have all that is asked. */
export async function countJobsTo(database: Queryable, workspaceId: string, filter: JobFilter, most: number): Promise<Counted> {
  const conditions = conditionsOf(workspaceId, filter);
  const { asked, narrowed } = conditions;
  const window: Window = { ...newest, limit: most };
  const ofTags = asked.tags.length > 0 && !narrowed;
  const tags = ofTags ? await rarestFirst(database, workspaceId, conditions) : [];
  const read = ofTags ? tags.slice(0, 1).map(jobsOfTag) : await listsFor(database, workspaceId, conditions, window);
  const common = inCommon(conditions, window);
  const isLong = common !== null && !(await areShort(database, workspaceId, read, conditions, window));
  const walks = isLong ? [common] : ofTags ? [idsOfTags(tags)] : read;
  const parameters: unknown[] = [];
  const bind = binder(parameters);
  const workspace = `${bind(workspaceId)}::uuid`;
  const lists = walks.map((walk) => {
    const { from, ids = from, id, where, covers } = walk(workspace, bind);
    const rest = ofTags ? [] : conditions.ofJob(bind, covers);
    const all = ['true', ...where, ...conditions.ofId(id, bind), ...rest].join(' AND ');
    return `(SELECT ${id} AS id FROM ${rest.length === 0 ? ids : from} WHERE ${all} ${windowOrder(id, window, bind)})`;
  });
  if (lists.length === 0) return nothing;
  // Lists of workers may have a job twice.
  return counted(database, `(SELECT id FROM (${lists.join(' UNION ')}) AS found LIMIT ${bind(most)}::int) AS found`, parameters);
}

async function rarestFirst(database: Queryable, workspaceId: string, conditions: Conditions): Promise<string[]> {
  const { tags } = conditions.asked;
  const rarest = tags.length === 1 ? null : await sparseTag(database, workspaceId, conditions, newest, false);
  return rarest === null ? tags : [rarest, ...tags.filter((tag) => tag !== rarest)];
}

async function counted(database: Queryable, from: string, parameters: readonly unknown[]): Promise<Counted> {
  const [row] = await database.query<Counted>(`SELECT count(*)::int AS count, ${elapsed} AS milliseconds FROM ${from}`, parameters);
  return row ?? nothing;
}
