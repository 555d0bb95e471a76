import { type FieldIssue, ValidationError } from '../../errors.ts';
import { checkInput } from '../../input.ts';
import type { JsonObject } from '../../json.ts';
import { filterSchema, isUnfiltered, type JobFilter } from '../read/filter.ts';

/** Whether a filter asks for all jobs of a workspace. Jobs that bear every one of no tags are all of them. */
export function asksForEverything({ tags, ...others }: JobFilter): boolean {
  return isUnfiltered(others) && (tags == null || tags.length === 0);
}

/** The faults of a filter, with their paths in the input. */
export function filterIssues(filter: JobFilter): FieldIssue[] {
  const checked = checkInput(filterSchema, filter);
  return checked.ok ? [] : checked.issues.map(({ path, message }) => ({ path: ['filter', ...path], message }));
}

/** A filter as JSON, for the row of an action. */
export function storedFilter(filter: object): JsonObject {
  const stored: JsonObject = JSON.parse(JSON.stringify(filter));
  return stored;
}

const dates = ['createdAfter', 'createdBefore', 'finishedAfter', 'finishedBefore'] as const;

/** The filter of which `storedFilter` made this JSON. Throws ValidationError if this version does not know it. */
export function readFilter(stored: JsonObject): JobFilter {
  const revived: Record<string, unknown> = { ...stored };
  for (const name of dates) {
    const value = stored[name];
    if (typeof value === 'string') revived[name] = new Date(value);
  }
  const checked = checkInput(filterSchema.strict(), revived);
  if (!checked.ok) throw new ValidationError(checked.issues);
  return checked.value;
}
