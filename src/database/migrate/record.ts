import packageJson from '../../../package.json' with { type: 'json' };
import type { Queryable } from '../queryable.ts';
import type { Migration } from './step.ts';

/*
 * Up to version 0.2.0, whatever `mikro_orm_migrations` names a program had to know, or it refused to start. Version N - 1 has to
 * start beside N, so later migrations are recorded in `setting`, where 0.2.0 does not look, with the oldest version that serves
 * on what they leave.
 */

/** Where a migration that has several steps is. Kept in `setting` until the migration is done. */
export interface Place {
  migration: string;
  /** Index of the step to run next. */
  step: number;
  /** Key of the last row that a backfill has changed, as text. */
  after: readonly string[] | null;
  /** Rows that the backfill has changed. */
  rows: number;
}

/** A migration that was begun, by this version or another one. */
interface Begun {
  name: string;
  oldestVersion: string | null;
  /** Null if it is done. */
  place: Place | null;
}

/** The database has migrations that this program does not know, and on whose tables it would not work. */
class NewerDatabase extends Error {
  constructor(unknown: readonly Begun[]) {
    const names = unknown.map(({ name }) => name).join(', ');
    // A version of 0.2.0 or before says no more than that it made them.
    const needed = unknown.map(({ oldestVersion }) => oldestVersion ?? 'that made them').toSorted(inOrder).at(-1);
    super(
      `The database is newer than this version of Longhaul, which does not know its migrations ${names}: ` +
        `start the version ${needed}, or a later one.`,
    );
  }
}

/**
 * Finds the migrations that have not run, in order. Those that this program does not know are no obstacle if they say that
 * this version serves on what they leave.
 *
 * @throws NewerDatabase
 */
export async function findPending(
  session: Queryable,
  migrations: readonly Migration[],
  { version } = { version: packageJson.version },
): Promise<Migration[]> {
  const begun = await listBegun(session);
  const unknown = begun.filter(({ name }) => migrations.every((each) => each.name !== name));
  const obstacles = unknown.filter(({ oldestVersion }) => oldestVersion === null || inOrder(version, oldestVersion) < 0);
  if (obstacles.length > 0) throw new NewerDatabase(obstacles);
  const done = new Set(begun.filter(({ place }) => place === null).map(({ name }) => name));
  return migrations.filter(({ name }) => !done.has(name));
}

/** Makes the table that records the migrations up to version 0.2.0, if it is missing. It is MikroORM's, which ran the first ones. */
export async function makeTable(session: Queryable): Promise<void> {
  if (await exists(session, 'mikro_orm_migrations')) return;
  await session.query(`CREATE TABLE mikro_orm_migrations (
    id serial PRIMARY KEY, name varchar(255) NOT NULL, executed_at timestamptz(6) NOT NULL DEFAULT current_timestamp(6))`);
}

/** Where the migration is, or null if it is not under way. */
export async function findPlace(session: Queryable, { name }: Migration): Promise<Place | null> {
  return (await listBegun(session)).find((each) => each.name === name)?.place ?? null;
}

/** Records that all steps before this place are done; after the last one, that the migration is. */
export async function record(session: Queryable, { name, oldestVersion, steps }: Migration, place: Place): Promise<void> {
  const isDone = place.step >= steps.length;
  if (oldestVersion !== null) {
    await keep(session, `migration ${name}`, { oldestVersion, place: isDone ? null : place });
  } else if (isDone) {
    await session.query('INSERT INTO mikro_orm_migrations (name) VALUES ($1)', [name]);
    await session.query(`DELETE FROM setting WHERE name = 'migration'`);
  } else await keep(session, 'migration', place);
}

async function listBegun(session: Queryable): Promise<Begun[]> {
  const begun: Begun[] = [];
  if (await exists(session, 'mikro_orm_migrations')) {
    const rows = await session.query<{ name: string }>('SELECT name FROM mikro_orm_migrations');
    begun.push(...rows.map(({ name }) => ({ name, oldestVersion: null, place: null })));
  }
  if (!(await exists(session, 'setting'))) return begun;
  const [old] = await session.query<{ place: Place }>(`SELECT value::json AS place FROM setting WHERE name = 'migration'`);
  if (old !== undefined) begun.push({ name: old.place.migration, oldestVersion: null, place: old.place });
  const later = await session.query<{ name: string; value: Omit<Begun, 'name'> }>(
    `SELECT substr(name, 11) AS name, value::json AS value FROM setting WHERE name LIKE 'migration %'`,
  );
  return [...begun, ...later.map(({ name, value }) => ({ name, ...value }))];
}

async function keep(session: Queryable, name: string, value: object): Promise<void> {
  await session.query('INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value', [
    name,
    JSON.stringify(value),
  ]);
}

async function exists(session: Queryable, table: string): Promise<boolean> {
  const [found] = await session.query<{ exists: boolean }>('SELECT to_regclass($1) IS NOT NULL AS exists', [table]);
  return found?.exists === true;
}

/** Compares versions. */
function inOrder(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}
