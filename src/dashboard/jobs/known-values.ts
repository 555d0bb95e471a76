import { signal } from '@preact/signals';
import { query } from '../app/api.ts';
import { FilterValuesDocument } from '../generated/jobs.ts';

interface Known {
  types: readonly string[];
  workers: readonly string[];
  schedules: readonly { id: string; name: string }[];
}

/** What the workspace has, to complete and to look up names; empty until it was read. */
export const known = signal<Known>({ types: [], workers: [], schedules: [] });

let reading: Promise<void> | null = null;

/** Reads it once; where that fails, the next call tries again. */
export function readKnownValues(): Promise<void> {
  reading ??= read().catch((error: unknown) => {
    reading = null;
    throw error;
  });
  return reading;
}

async function read(): Promise<void> {
  const { jobTypes, workspace } = await query(FilterValuesDocument, {});
  known.value = {
    types: jobTypes.map(({ name }) => name).toSorted(),
    workers: [...new Set(workspace.workers.edges.map(({ node }) => node.name))],
    schedules: workspace.schedules.edges.map(({ node }) => node),
  };
}

/** The global id of a schedule, by its name or as it is. */
export function scheduleId(name: string): string | null {
  if (name.startsWith('schedule_')) return name;
  return known.value.schedules.find((schedule) => schedule.name === name)?.id ?? null;
}
