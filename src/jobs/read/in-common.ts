import { binder, type Window } from '../../database/keyset.ts';
import type { Queryable } from '../../database/queryable.ts';
import type { Bind, Conditions } from './filter.ts';
import { eachOf, jobsOfTag, listsByField, matchesNothing, ofEntries, type Walk, type WalkOf } from './walks.ts';

/*
 * Two frequent values may have no job in common. Whoever looks at the jobs of one list for the other value then reads all of it,
 * at some microseconds for each. So only the first few thousand are looked at; after these the lists are compared by their ids,
 * which takes Postgres no more than a scan of both indexes.
 */
export const mostLookedAt = 4_000;

/** Whether a list, or several together, have no more entries than are looked at. */
export async function areShort(reads: Queryable, workspaceId: string, walks: readonly WalkOf[], conditions: Conditions, window: Window): Promise<boolean> {
  if (walks.length === 0) return true;
  const parameters: unknown[] = [];
  const bind = binder(parameters);
  const workspace = `${bind(workspaceId)}::uuid`;
  const lists = walks.map((walk) => `(${idsOf(walk(workspace, bind), conditions, window, bind)} LIMIT ${mostLookedAt + 1})`);
  const [row] = await reads.query<{ entries: number }>(
    `SELECT count(*)::int AS entries FROM (SELECT FROM (${lists.join(' UNION ALL ')}) AS list LIMIT ${mostLookedAt + 1}) AS list`,
    parameters,
  );
  return row === undefined || row.entries <= mostLookedAt;
}

/** Scans what the lists of several fields and tags have in common. Null unless there are several. */
export function inCommon(conditions: Conditions, window: Window): WalkOf | null {
  const { tags, retryOf } = conditions.asked;
  const ofFields = listsByField(conditions, window.direction);
  const exact = ofFields.flatMap(({ covers, walks }) => (covers === null ? [] : [{ covers, walks }]));
  const lists = [...tags.map((tag) => [jobsOfTag(tag)]), ...exact.map(({ walks }) => walks)];
  if (lists.length < 2 || ofFields.some(matchesNothing) || retryOf !== null) return null;
  return (workspace, bind) => {
    const listed = lists.flatMap((walks, n) => walks.map((walk) => `(${idsOf(walk(workspace, bind), conditions, window, bind, 2 ** n)})`));
    // Merged rather than joined: where Postgres knows little of the values, it would compare each id with each. OFFSET 0 keeps the order.
    const order = `ORDER BY job_id ${window.direction} OFFSET 0`;
    const merged = `(SELECT * FROM (${listed.join(' UNION ALL ')}) AS list ${order}) AS merged`;
    const ids = `(SELECT job_id FROM ${merged} GROUP BY job_id HAVING bit_or(list) = ${2 ** lists.length - 1} ${order}) AS common`;
    return { from: eachOf('common', ids), ids, id: 'common.job_id', where: [], covers: ['tags', ...exact.map(({ covers }) => covers)] };
  };
}

/** The ids of a list, in order, as `job_id`, with the bit that stands for it. */
function idsOf(walk: Walk, conditions: Conditions, window: Window, bind: Bind, bit = 1): string {
  const { from, ids = from, id } = walk;
  return `SELECT ${id} AS job_id, ${bit} AS list FROM ${ids} WHERE ${ofEntries(walk, conditions, window, bind)} ORDER BY ${id} ${window.direction}`;
}
