import { parseInput } from '../../input.ts';
import type { Job } from '../model/job.ts';
import { filterSchema, type JobFilter } from '../read/filter.ts';

const schema = filterSchema.pick({ ids: true, types: true, tags: true });

/**
 * Creates a predicate that accepts the same jobs as a list with the same filter, within the same limits.
 *
 * @throws ValidationError for an invalid filter.
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
