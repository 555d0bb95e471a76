import type { Queryable } from '../queryable.ts';
import { findPending, findPlace, type Place } from './record.ts';
import { labelOf } from './run.ts';
import { type Migration, statementsOf } from './step.ts';

/** A step that would run. */
export interface PendingStep {
  label: string;
  statements: readonly string[];
  isRepeated: boolean;
}

/**
 * Lists the steps that would run, without those that a killed migration has done.
 *
 * @throws NewerDatabase
 */
export async function listPending(session: Queryable, migrations: readonly Migration[], { embedded }: { embedded: boolean }): Promise<PendingStep[]> {
  const pending = await findPending(session, migrations);
  const places = new Map<string, Place | null>();
  for (const migration of pending) places.set(migration.name, await findPlace(session, migration));
  return pending.flatMap((migration) =>
    migration.steps
      .map((step, index) => ({
        index,
        label: labelOf(migration, index),
        statements: statementsOf(step, { embedded }),
        isRepeated: step.kind === 'backfill',
      }))
      .filter(({ index }) => index >= (places.get(migration.name)?.step ?? 0)),
  );
}
