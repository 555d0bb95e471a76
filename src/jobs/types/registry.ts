import type { JsonObject } from '../../json.ts';
import type { Log } from '../../log.ts';
import { readJobTypes } from './file.ts';
import { shownInput } from './hiding.ts';
import type { JobType } from './job-type.ts';
import { nearestOf } from './nearest.ts';
import { shippedJobTypes } from './shipped.ts';

/** The registered job types. */
export class JobTypes {
  #byName: ReadonlyMap<string, JobType>;
  #revision = 0;

  /** If two types have the same name, the later one replaces the earlier one in its position. */
  constructor(types: Iterable<JobType>) {
    this.#byName = byName(types);
  }

  /** Registers these types in place of those before. Jobs of a type that is gone wait until it is back. */
  replace(types: Iterable<JobType>): void {
    this.#byName = byName(types);
    this.#revision += 1;
  }

  /** Grows with each replacement: what was shown before it may have to be hidden since. */
  get revision(): number {
    return this.#revision;
  }

  /** What a job was given, with its input as everybody but its worker is shown it: see `shownInput`. */
  shown<Given extends { type: string; input: JsonObject }>(job: Given): Given {
    const input = shownInput(this.get(job.type), job.input);
    return input === job.input ? job : { ...job, input };
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

function byName(types: Iterable<JobType>): ReadonlyMap<string, JobType> {
  return new Map(Array.from(types, (type) => [type.name, type]));
}

/**
 * Loads the shipped types and those of handlers. The JOB_TYPES file may replace them and add others.
 *
 * @param path the file, or null for none.
 * @param handled those that HANDLERS registers
 * @throws Error with one line per fault in the file.
 */
export async function loadJobTypes(path: string | null, handled: readonly JobType[] = []): Promise<JobTypes> {
  return new JobTypes(await readAll(path, handled));
}

/** Reads the JOB_TYPES file again. Where it has faults, the types stay as they are, and the log says why. */
export async function reloadJobTypes(types: JobTypes, path: string | null, handled: readonly JobType[], log: Log): Promise<void> {
  try {
    types.replace(await readAll(path, handled));
    log.info({ file: path, types: types.names().length }, 'read the job types again');
  } catch (error) {
    log.error({ err: error }, 'the job types stay as they were: JOB_TYPES has faults');
  }
}

async function readAll(path: string | null, handled: readonly JobType[]): Promise<readonly JobType[]> {
  return [...shippedJobTypes, ...handled, ...(path === null ? [] : await readJobTypes(path))];
}

/** The error message for an unknown type: suggests a similar name, if there is one, and lists all registered types. */
export function unknownTypeMessage(name: string, types: JobTypes): string {
  const names = types.names();
  const wanted = name.slice(0, 100);
  const nearest = nearestOf(wanted, names);
  const guess = nearest === undefined ? '' : ` Did you mean "${nearest}"?`;
  return `Unknown job type ${JSON.stringify(wanted)}.${guess} Registered types: ${names.join(', ')}.`;
}
