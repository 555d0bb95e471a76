import { parseInput } from '../../input.ts';
import type { Job } from '../model/job.ts';
import { filterSchema, type JobFilter } from '../read/list.ts';

const schema = filterSchema.pick({ ids: true, types: true, tags: true });

/**
 * Whether a filter leaves a job, for jobs that come one by one: as a list with the same filter does, and with its bounds.
 *
 * @throws ValidationError for a filter that cannot be
 */
export function jobMatcher(filter: Pick<JobFilter, 'ids' | 'types' | 'tags'>): (job: Job) => boolean {
  const { ids, types, tags } = parseInput(schema, filter);
  const wantedIds = ids == null ? null : new Set(ids);
  const wantedTypes = types == null ? null : new Set(types);
  return ({ id, type, tags: borne }) =>
    (wantedIds === null || wantedIds.has(id)) &&
    (wantedTypes === null || wantedTypes.has(type)) &&
    (tags ?? []).every((tag) => borne.includes(tag));
}
