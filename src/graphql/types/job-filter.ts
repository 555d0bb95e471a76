import { LonghaulError } from '../../errors.ts';
import type { Jobs } from '../../jobs/jobs.ts';
import { builder } from '../builder.ts';
import { parseId } from '../global-id.ts';
import { DialectType } from './dialect.ts';
import { JobStatusType } from './job.ts';

export const JobFilterInput = builder.inputType('JobFilter', {
  description: 'Selects the jobs that match every given field. An empty list matches nothing, but for tags.',
  fields: (t) => ({
    statuses: t.field({ type: [JobStatusType], description: 'Jobs with one of these statuses.' }),
    types: t.stringList({ description: 'Jobs of one of these types. At most 100.' }),
    tags: t.stringList({ description: 'Jobs with all of these tags. At most 20.' }),
    createdAfter: t.field({ type: 'DateTime', description: 'Exclusive, to the millisecond.' }),
    createdBefore: t.field({ type: 'DateTime', description: 'Exclusive, to the millisecond.' }),
    ids: t.idList({ description: 'These jobs, by global id, UUID or vendorId. At most 100.' }),
    finishedAfter: t.field({
      type: 'DateTime',
      description: 'Exclusive, to the millisecond. Looked for among the jobs of the other filters; UNAVAILABLE if that takes too long.',
    }),
    finishedBefore: t.field({ type: 'DateTime', description: 'As finishedAfter.' }),
    errorCodes: t.stringList({ description: 'Jobs that FAILED with one of these codes. At most 100.' }),
    workerIds: t.stringList({ description: 'Jobs at which one of these workers has had an attempt, or has one. At most 100.' }),
    dialects: t.field({ type: [DialectType], description: 'Jobs that came through one of these surfaces.' }),
    clientReference: t.string({
      description: 'Where the submitter gave the job a reference of its own: that reference, exactly. May find several. At most 1,000 characters.',
    }),
    scheduleIds: t.idList({ description: 'Jobs that one of these schedules created, by global id. At most 100.' }),
  }),
});

export const JobUpdatesFilterInput = builder.inputType('JobUpdatesFilter', {
  description: 'Selects updates of the jobs that match every given field.',
  fields: (t) => ({
    ids: t.idList({ description: 'These jobs, by global id or plain UUID. At most 100.' }),
    types: t.stringList({ description: 'Jobs of one of these types. At most 100.' }),
    tags: t.stringList({ description: 'Jobs with all of these tags. At most 20.' }),
  }),
});

export const JobOrderType = builder.enumType('JobOrder', {
  description: 'Order of a list of jobs, by creation.',
  values: {
    NEWEST_FIRST: { value: 'DESC', description: 'The newest job first.' },
    OLDEST_FIRST: { value: 'ASC', description: 'The oldest job first.' },
  } as const,
});

/** Most ids in one filter. */
const mostIds = 100;

/**
 * The UUIDs of the jobs that a filter's ids name; null where none are given. One that is malformed names none.
 *
 * @throws BAD_USER_INPUT for too many
 */
export async function idsIn({ ids: forms }: Pick<Jobs, 'ids'>, workspaceId: string, ids: readonly string[] | null | undefined): Promise<string[] | null> {
  if (ids == null) return null;
  if (ids.length > mostIds) throw new LonghaulError('BAD_USER_INPUT', `filter.ids takes at most ${mostIds} ids, got ${ids.length}.`);
  const uuids = await Promise.all(ids.map((id) => forms.uuidOf(workspaceId, id)));
  return uuids.flatMap((uuid) => uuid ?? []);
}

/** The UUIDs of the schedules that a filter names; null where none are given. One that is malformed names none. */
export function scheduleIdsIn(ids: readonly string[] | null | undefined): string[] | null {
  return ids == null ? null : ids.flatMap((id) => parseId('Schedule', id) ?? []);
}
