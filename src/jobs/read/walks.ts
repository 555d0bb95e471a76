import { binder, type Window, withinWindow } from '../../database/keyset.ts';
import type { Queryable } from '../../database/queryable.ts';
import { isRunning, jobStatuses, type JobStatus, sqlIs, transitions } from '../model/state-machine.ts';
import type { Bind, Conditions, Covered, Listed } from './filter.ts';

/** A list in id order to read jobs from: a table to scan, whose rows the other conditions filter. */
export interface Walk {
  from: string;
  id: string;
  where: string[];
  /** The same without the jobs, where nothing else is asked of them. */
  ids?: string;
  /** The fields of the filter that all of its jobs meet. */
  covers?: readonly Covered[];
}

/** Makes a walk of a statement. @param workspace SQL for the workspace */
export type WalkOf = (workspace: string, bind: Bind) => Walk;

/** More lists than this are not merged. */
const mostLists = 10;

/**
 * The lists that hold every job that is asked for, together. Jobs themselves have an index in id order for each status but
 * RUNNING, each type, each error code, each schedule, each reference of a submitter, and for each dialect those that have ended.
 * Running jobs are found through their leases, and those of a worker through its attempts: narrow tables with no others.
 */
export function walksOf(conditions: Conditions, direction: Window['direction']): WalkOf[] {
  const fields = listsByField(conditions, direction);
  // Retries of one job have an index, and are few.
  const [narrowest] = conditions.asked.retryOf === null ? fields : [];
  return (fields.find(matchesNothing) ?? narrowest)?.walks ?? [allJobs];
}

/** The lists that hold every job which meets one field. */
interface FieldLists {
  walks: WalkOf[];
  /** The field, if they hold no other jobs, and their ids are all that is read of them. */
  covers: Listed | null;
}

/** What narrows most comes first. */
export function listsByField({ asked }: Conditions, direction: Window['direction']): FieldLists[] {
  const { statuses, types, errorCodes, workerIds, dialects, anyTags, clientReference, scheduleIds } = asked;
  const lists: FieldLists[] = [];
  const add = (covers: Listed | null, walks: WalkOf[] | null) => void (walks === null || lists.push({ covers, walks }));
  add(null, clientReference === null ? null : [jobsOfReference(clientReference)]);
  add('scheduleIds', isShort(scheduleIds) ? scheduleIds.map((id) => jobsWith('scheduleIds', 'job.schedule_id', id)) : null);
  add('workerIds', isShort(workerIds) ? [...workerIds.map((worker) => attemptsOf(worker, direction)), leasesOf(workerIds)] : null);
  add('errorCodes', isShort(errorCodes) ? errorCodes.map((code) => jobsWith('errorCodes', 'job.error_code', code)) : null);
  add('anyTags', anyTags?.map((tag) => covering('anyTags', jobsOfTag(tag))) ?? null);
  // Most jobs have completed: of those, ids alone would take longer than the jobs of any other list.
  const areMost = statuses?.includes(transitions.complete.to) === true;
  add(areMost ? null : 'statuses', isShort(statuses) && statuses.length < jobStatuses.length ? statuses.map(jobsOfStatus) : null);
  add(null, isShort(dialects) ? [...dialects.map((dialect) => ended(jobsWith('dialects', 'job.dialect', dialect))), pending, running] : null);
  add('types', isShort(types) ? types.map((type) => jobsWith('types', 'job.type', type)) : null);
  return lists;
}

function jobsOfStatus(status: JobStatus): WalkOf {
  return isRunning(status) ? covering('statuses', running) : jobsWith('statuses', 'job.status', status);
}

export function matchesNothing({ walks }: FieldLists): boolean {
  return walks.length === 0;
}

function isShort<Value>(values: readonly Value[] | null): values is readonly Value[] {
  return values !== null && values.length <= mostLists;
}

export const allJobs: WalkOf = (workspace) => ({ from: 'job', id: 'job.id', where: [`job.workspace_id = ${workspace}`] });

function jobsWith(covers: Listed, column: string, value: string): WalkOf {
  return covering(covers, (workspace, bind) => also(allJobs(workspace, bind), `${column} = ${bind(value)}`));
}

/** The index has the beginning of a reference: that it is this one is a condition of the filter. */
function jobsOfReference(reference: string): WalkOf {
  return (workspace, bind) => also(allJobs(workspace, bind), beginsLike(bind(reference)));
}

function beginsLike(reference: string): string {
  return `left(job.client_reference, 255) = left(${reference}, 255)`;
}

function ended(jobs: WalkOf): WalkOf {
  return (workspace, bind) => also(jobs(workspace, bind), sqlIs.final);
}

const pending: WalkOf = (workspace, bind) => also(allJobs(workspace, bind), sqlIs.pending);

/** A job has a lease as long as it runs. */
const running: WalkOf = (workspace) => ({
  from: eachOf('lease'),
  ids: 'lease',
  id: 'lease.job_id',
  where: [`lease.workspace_id = ${workspace}`],
});

function leasesOf(workerIds: readonly string[]): WalkOf {
  return covering('workerIds', (workspace, bind) => also(running(workspace, bind), `lease.worker_id = ANY(${bind(workerIds)}::text[])`));
}

/** A worker may have had several attempts at a job. */
function attemptsOf(worker: string, direction: Window['direction']): WalkOf {
  return (workspace, bind) => {
    const own = `SELECT DISTINCT job_id FROM job_attempt WHERE workspace_id = ${workspace} AND worker_id = ${bind(worker)}`;
    const ids = `(${own} ORDER BY job_id ${direction}) AS attempted`;
    return { from: eachOf('attempted', ids), ids, id: 'attempted.job_id', where: [], covers: ['workerIds'] };
  };
}

function covering(covers: Listed, walk: WalkOf): WalkOf {
  return (workspace, bind) => ({ ...walk(workspace, bind), covers: [covers] });
}

function also(walk: Walk, condition: string): Walk {
  return { ...walk, where: [...walk.where, condition] };
}

/** The conditions on the entries of a list, without what is asked of their jobs. */
export function ofEntries({ id, where }: Walk, { ofId }: Pick<Conditions, 'ofId'>, window: Window, bind: Bind): string {
  return ['true', ...where, ...ofId(id, bind), ...withinWindow(id, window, bind)].join(' AND ');
}

/** Scans only the next entries of a list. */
export function nextOf(walk: WalkOf, conditions: Conditions, window: Window, entries: number): WalkOf {
  return (workspace, bind) => {
    const list = walk(workspace, bind);
    const { from, ids, id, covers = [] } = list;
    const all = ofEntries(list, conditions, window, bind);
    const next = (select: string, table: string) => `(SELECT ${select} FROM ${table} WHERE ${all} ORDER BY ${id} ${window.direction} LIMIT ${bind(entries)}::int)`;
    if (ids === undefined) return { from: `${next('*', from)} AS job`, id: 'job.id', where: [], covers };
    return { from: eachOf('next', `${next(`${id} AS job_id`, ids)} AS next`), id: 'next.job_id', where: [], covers };
  };
}

/** Scans only the next jobs: a few times as many as the page holds. */
export function nextJobs(conditions: Conditions, window: Window): WalkOf {
  return nextOf(allJobs, conditions, window, sparse * (window.limit + (window.offset ?? 0)));
}

/**
 * Scans a list of job ids and looks up each job. OFFSET 0 keeps Postgres from merging it with a scan of all jobs, as it
 * would for a tag that is frequent in other workspaces or at other times.
 */
export function eachOf(list: string, from = list): string {
  return `${from} CROSS JOIN LATERAL (SELECT * FROM job WHERE job.id = ${list}.job_id OFFSET 0) AS job`;
}

/** Scans the list of one tag. */
export function jobsOfTag(tag: string): WalkOf {
  return (workspace, bind) => {
    const where = [`job_tag.workspace_id = ${workspace}`, `job_tag.tag = ${bind(tag)}`];
    return { from: eachOf('job_tag'), ids: 'job_tag', id: 'job_tag.job_id', where };
  };
}

/** Scans the list of the first tag for jobs that the others have, too. */
export function idsOfTags(tags: readonly string[]): WalkOf {
  return (workspace, bind) => {
    const inList = (tag: string) =>
      `EXISTS (SELECT FROM job_tag AS other WHERE other.workspace_id = ${workspace} AND other.tag = ${bind(tag)} AND other.job_id = job_tag.job_id)`;
    const [first = '', ...others] = tags;
    const { id, where } = jobsOfTag(first)(workspace, bind);
    return { from: 'job_tag', id, where: [...where, ...others.map(inList)] };
  };
}

/** How many entries of each tag's list are compared, at least. */
const probed = 100;

export const newest: Window = { above: null, below: null, direction: 'DESC', limit: probed };

/** A tag is sparse if its next entries spread over more than this many times as many jobs. */
const sparse = 4;

/**
 * Chooses the tag whose list a page is read from: the one whose next entries reach furthest. Null if even that tag is
 * dense, because scanning adjacent jobs costs less than looking up each by id; with a reference, null if that one's jobs reach
 * further. It measures this rather than rely on planner statistics, which do not know the workspace or the position in a list.
 *
 * @param isSparse false for that tag even if it is dense
 */
export async function sparseTag(
  database: Queryable,
  workspaceId: string,
  { asked: { tags, clientReference }, ofId }: Conditions,
  window: Window,
  isSparse = true,
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
  const ofJobs = (conditions: readonly string[], entries: number) => nth('job', 'job.id', [`job.workspace_id = ${workspace}`, ...conditions], entries);
  const [furthest, further] = window.direction === 'ASC' ? ['DESC', '>'] : ['ASC', '<'];
  const reachesFurther = () => {
    if (clientReference !== null) {
      // Without a reach, all jobs of the reference are fewer than what is compared.
      const ofReference = ofJobs([beginsLike(bind(clientReference))], count);
      return `(SELECT reach IS NULL OR reach ${further} rival FROM (SELECT ${ofReference} AS rival) AS reference WHERE rival IS NOT NULL)`;
    }
    return isSparse ? `reach IS NULL OR reach ${further} ${ofJobs([], sparse * count)}` : 'true';
  };
  const [row] = await database.query<{ tag: string | null }>(
    `WITH furthest AS MATERIALIZED (
       SELECT tag, ${ofTag} AS reach FROM unnest(${bind(tags)}::text[]) AS asked(tag) ORDER BY reach ${furthest} NULLS FIRST LIMIT 1
     )
     SELECT CASE WHEN ${reachesFurther()} THEN tag END AS tag FROM furthest`,
    parameters,
  );
  return row?.tag ?? null;
}
