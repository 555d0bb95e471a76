import type { Queryable } from '../queryable.ts';
import type { Migration } from './step.ts';

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

/** The database has migrations that this program does not know. */
export class NewerDatabase extends Error {
  constructor(names: readonly string[]) {
    super(
      `The database is newer than this version of Longhaul, which does not know its migrations ${names.join(', ')}: ` +
        'start the version that made them, or a later one.',
    );
  }
}

/**
 * Finds the migrations that have not run, in order. The table is MikroORM's, because that is where the first versions of
 * Longhaul recorded theirs.
 *
 * @throws NewerDatabase
 */
export async function findPending(session: Queryable, migrations: readonly Migration[]): Promise<Migration[]> {
  const done = new Set<string>();
  if (await exists(session, 'mikro_orm_migrations')) {
    const rows = await session.query<{ name: string }>('SELECT name FROM mikro_orm_migrations');
    for (const { name } of rows) done.add(name);
  }
  const begun = await findPlace(session);
  const found = begun === null ? [...done] : [...done, begun.migration];
  const unknown = found.filter((name) => migrations.every((each) => each.name !== name));
  if (unknown.length > 0) throw new NewerDatabase(unknown);
  return migrations.filter(({ name }) => !done.has(name));
}

/** Makes the table that records the migrations, if it is missing. */
export async function makeTable(session: Queryable): Promise<void> {
  if (await exists(session, 'mikro_orm_migrations')) return;
  await session.query(`CREATE TABLE mikro_orm_migrations (
    id serial PRIMARY KEY, name varchar(255) NOT NULL, executed_at timestamptz(6) NOT NULL DEFAULT current_timestamp(6))`);
}

/** Where the migration is that was begun last, or null if none is under way. */
export async function findPlace(session: Queryable): Promise<Place | null> {
  if (!(await exists(session, 'setting'))) return null;
  const [row] = await session.query<{ place: Place }>(`SELECT value::json AS place FROM setting WHERE name = 'migration'`);
  return row?.place ?? null;
}

/** Records that all steps before this place are done; after the last one, that the migration is. */
export async function record(session: Queryable, migration: Migration, place: Place): Promise<void> {
  if (place.step < migration.steps.length) {
    await session.query(
      `INSERT INTO setting (name, value) VALUES ('migration', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
      [JSON.stringify(place)],
    );
    return;
  }
  await session.query('INSERT INTO mikro_orm_migrations (name) VALUES ($1)', [migration.name]);
  await session.query(`DELETE FROM setting WHERE name = 'migration'`);
}

async function exists(session: Queryable, table: string): Promise<boolean> {
  const [found] = await session.query<{ exists: boolean }>('SELECT to_regclass($1) IS NOT NULL AS exists', [table]);
  return found?.exists === true;
}
