import type { PGlite } from '@electric-sql/pglite';
import type { Log } from '../../log.ts';
import { adoptMigrationTable, checkRights, findSchema } from '../connection/rights.ts';
import type { Route } from '../connection/route.ts';
import { Database } from '../database.ts';
import { allMigrations } from '../migrations/all.ts';
import { connectEmbedded, type Entities } from '../orm.ts';
import { ProcessLock } from '../process-lock.ts';
import { findPending } from './record.ts';
import { runMigrations } from './run.ts';

/**
 * Runs the pending migrations of a Postgres server while other processes wait, on a connection without a time limit.
 *
 * @throws Error that says what to do if the database is newer than this program, or the role may not change it
 */
export async function migrateServer(route: Route, database: Database, log: Log): Promise<void> {
  await ProcessLock.exclusively(route, log, async (session) => {
    // Neither may DATABASE_URL set one.
    await session.query(
      `SELECT set_config(name, '0', false) FROM pg_settings WHERE name IN ('statement_timeout', 'transaction_timeout')`,
    );
    const place = await findSchema(session);
    await adoptMigrationTable(session, place);
    const pending = await findPending(session, allMigrations(database.orm));
    const tables = [...database.orm.getMetadata().getAll().values()].map(({ tableName }) => tableName);
    await checkRights(session, place, { pending: pending.map(({ name }) => name), tables });
    await runMigrations(pending, { session, observer: database.reads, log });
  });
}

/** Wraps a PGlite as the database, which closes it when it is closed, and runs the pending migrations. */
export async function migratePglite(pglite: PGlite, entities: Entities, log: Log): Promise<Database> {
  const database = new Database(await connectEmbedded(pglite, entities), { pglite });
  const pending = await findPending(database.reads, allMigrations(database.orm));
  await runMigrations(pending, { session: database.reads, observer: null, log });
  return database;
}
