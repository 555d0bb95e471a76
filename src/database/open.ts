import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { PGlite } from '@electric-sql/pglite';
import { newId } from './ids.ts';
import type { Log } from '../log.ts';
import { lockDataDir } from './data-dir-lock.ts';
import { Database } from './database.ts';
import { connectEmbedded, connectPostgres, migrationNames, openPglite } from './orm.ts';
import { ProcessLock, type Sharing } from './process-lock.ts';
import { copyTemplate } from './template.ts';
import { ConnectionPool } from './connection/pool.ts';
import { adoptMigrationTable, checkRights, findSchema } from './connection/rights.ts';
import { Route } from './connection/route.ts';
import type { Server } from './connection/database-url.ts';

/** A statement that hangs must not hold locks for ever; none of these needs a hundredth of it. */
const hotMilliseconds = 30_000;

/** What takes longer has to be asked for more narrowly. */
const readMilliseconds = 5_000;

/** A migrated database with this process's place on it taken. */
export interface OpenDatabase {
  database: Database;
  /** Names this installation: its Redis topics and its artifact volume carry it. */
  installationId: string;
  close(): Promise<void>;
}

/**
 * Opens DATABASE_URL. Waits for a migration that another process runs.
 *
 * @throws Error that says what is wrong with the server, the database or the rights, and what to do.
 */
export async function openServerDatabase(options: {
  server: Server;
  poolSize: number;
  sharing: Sharing;
  log: Log;
  onEvicted: (reason: Error) => void;
}): Promise<OpenDatabase> {
  const route = new Route(options.server);
  const lock = new ProcessLock({ ...options, route });
  await ProcessLock.exclusively(route, () => migrateServer(route));
  const readers = Math.max(1, Math.floor(options.poolSize / 4));
  const database = await connect(route, {
    hot: new ConnectionPool(route, {
      size: options.poolSize - readers,
      name: 'longhaul hot',
      statementMilliseconds: hotMilliseconds,
      planning: 'force_generic_plan',
    }),
    reads: new ConnectionPool(route, {
      size: readers,
      name: 'longhaul reads',
      statementMilliseconds: readMilliseconds,
      planning: 'auto',
    }),
  });
  try {
    await lock.hold();
    const installationId = await findInstallationId(database);
    return {
      database,
      installationId,
      close: async () => {
        await database.close();
        await lock.release();
      },
    };
  } catch (error) {
    await lock.release();
    await database.close();
    throw error;
  }
}

/** DATABASE_URL as it is, by one connection: nothing is migrated, and no place is taken. */
export async function openServer(server: Server, limits: { statementMilliseconds: number }): Promise<Database> {
  const route = new Route(server);
  await route.find();
  return connect(route, { reads: new ConnectionPool(route, { ...limits, size: 1, name: 'longhaul', planning: 'auto' }) });
}

async function connect(route: Route, { reads, hot = null }: { reads: ConnectionPool; hot?: ConnectionPool | null }): Promise<Database> {
  try {
    const { schema } = await findSchema(reads);
    return new Database(await connectPostgres(reads, route.server.database, schema), { hot, reads });
  } catch (error) {
    await Promise.all([reads.end(), hot?.end()]);
    throw error;
  }
}

/** By a connection of its own: a migration may take longer than any other statement. */
async function migrateServer(route: Route): Promise<void> {
  const pool = new ConnectionPool(route, { size: 1, name: 'longhaul migration', statementMilliseconds: 0, planning: 'auto' });
  const database = await connect(route, { reads: pool });
  try {
    const place = await findSchema(pool);
    await adoptMigrationTable(pool, place);
    const current = await isCurrent(database);
    await checkRights(pool, place, { creates: !current });
    if (!current) await database.orm.migrator.up();
  } finally {
    await database.close();
  }
}

/**
 * Opens the embedded database in DATA_DIR, and takes the folder for this process.
 *
 * @param cacheFolder may have a template to begin with
 */
export async function openEmbeddedDatabase(dataDir: string, cacheFolder: string): Promise<OpenDatabase> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const lock = lockDataDir(dataDir);
  try {
    const folder = join(dataDir, 'database');
    if (!existsSync(folder)) await copyTemplate(cacheFolder, folder);
    const opened = await adoptPglite(await openPglite(folder));
    return {
      ...opened,
      close: async () => {
        await opened.close();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** Migrates a PGlite and makes it the database. It is closed with it. */
export async function adoptPglite(pglite: PGlite): Promise<OpenDatabase> {
  const database = new Database(await connectEmbedded(pglite), { pglite });
  if (!(await isCurrent(database))) await database.orm.migrator.up();
  const installationId = await findInstallationId(database);
  return { database, installationId, close: () => database.close() };
}

/** Whether nothing is to be migrated: as the migrator would find it, in a tenth of the time that it takes. */
async function isCurrent(database: Database): Promise<boolean> {
  const [table] = await database.reads.query<{ name: string | null }>(`SELECT to_regclass('mikro_orm_migrations') AS name`);
  if (table === undefined || table.name === null) return false;
  const rows = await database.reads.query<{ name: string }>('SELECT name FROM mikro_orm_migrations');
  const done = new Set(rows.map(({ name }) => name));
  return migrationNames.every((name) => done.has(name));
}

async function findInstallationId(database: Database): Promise<string> {
  await database.reads.query(`INSERT INTO setting (name, value) VALUES ('installation', $1) ON CONFLICT DO NOTHING`, [
    newId(),
  ]);
  const [row] = await database.reads.query<{ value: string }>(`SELECT value FROM setting WHERE name = 'installation'`);
  if (row === undefined) throw new Error('The setting that names this installation is missing.');
  return row.value;
}
