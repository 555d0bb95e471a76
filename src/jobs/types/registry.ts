import { readJobTypes } from './file.ts';
import type { JobType } from './job-type.ts';
import { nearestOf } from './nearest.ts';
import { shippedJobTypes } from './shipped.ts';

/** The registered job types. They do not change while the process runs. */
export class JobTypes {
  readonly #byName: ReadonlyMap<string, JobType>;

  /** If two types have the same name, the later one replaces the earlier one in its position. */
  constructor(types: Iterable<JobType>) {
    this.#byName = new Map(Array.from(types, (type) => [type.name, type]));
  }

  get(name: string): JobType | undefined {
    return this.#byName.get(name);
  }

  all(): JobType[] {
    return [...this.#byName.values()];
  }

  names(): string[] {
    return [...this.#byName.keys()];
  }
}

/**
 * Loads the shipped types. The JOB_TYPES file may replace them and add others.
 *
 * @param path the file, or null for the shipped types alone.
 * @throws Error with one line per fault in the file.
 */
export async function loadJobTypes(path: string | null): Promise<JobTypes> {
  return new JobTypes(path === null ? shippedJobTypes : [...shippedJobTypes, ...(await readJobTypes(path))]);
}

/** The error message for an unknown type: suggests a similar name, if there is one, and lists all registered types. */
export function unknownTypeMessage(name: string, types: JobTypes): string {
  const names = types.names();
  const wanted = name.slice(0, 100);
  const nearest = nearestOf(wanted, names);
  const guess = nearest === undefined ? '' : ` Did you mean "${nearest}"?`;
  return `Unknown job type ${JSON.stringify(wanted)}.${guess} Registered types: ${names.join(', ')}.`;
}
