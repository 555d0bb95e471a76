import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import type { JobType } from '../../src/jobs/types/job-type.ts';
import { type JobTypes, loadJobTypes, unknownTypeMessage } from '../../src/jobs/types/registry.ts';

export function typeNamed(name: string, types: JobTypes): JobType {
  const type = types.get(name);
  if (type === undefined) throw new Error(unknownTypeMessage(name, types));
  return type;
}

/** What is wrong with an input, as `path: message`. */
export function inputFaults(type: JobType, input: unknown): string[] {
  const parsed = type.parseInput(input);
  return parsed.ok ? [] : parsed.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

/** A file for JOB_TYPES, removed after the test. */
export async function jobTypesFile(content: unknown): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'longhaul-job-types-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'types.json');
  await writeFile(path, typeof content === 'string' || content instanceof Buffer ? content : JSON.stringify(content));
  return path;
}

/** Loads job types as entries of such a file. */
export async function loadTypes(...entries: unknown[]): Promise<JobTypes> {
  return loadJobTypes(await jobTypesFile(entries));
}

/** The faults of such a file, without its path. */
export async function typesFaults(content: unknown): Promise<string[]> {
  const path = await jobTypesFile(content);
  const message = await loadJobTypes(path).then(
    () => 'nothing',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  return message.split('\n').map((line) => {
    expect(line).toContain(`${path}: `);
    return line.replace(`${path}: `, '');
  });
}
