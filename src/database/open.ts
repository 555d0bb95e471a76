import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { PGlite } from '@electric-sql/pglite';
import { newId } from './ids.ts';
import type { Log } from '../log.ts';
import { lockDataDir } from './data-dir-lock.ts';
import { Database } from './database.ts';
import { connectEmbedded, connectPostgres, migrationNames, openPglite, openPreparedPool } from './orm.ts';
import { ProcessLock, type Sharing } from './process-lock.ts';

/** A migrated database with this process's place on it taken. */
export interface OpenDatabase {
  database: Database;
  /** Names this installation: its Redis topics and its artifact volume carry it. */
  installationId: string;
  close(): Promise<void>;
}

/** Opens DATABASE_URL. Waits for a migration that another process runs. */
export async function openServerDatabase(options: {
  url: string;
  poolSize: number;
  sharing: Sharing;
  log: Log;
  onEvicted: (reason: Error) => void;
}): Promise<OpenDatabase> {
  const lock = new ProcessLock(options);
  // Nearly everything is prepared; the cold reads and the transactions need few connections.
  const cold = Math.max(1, Math.floor(options.poolSize / 4));
  const database = new Database(await connectPostgres(options.url, cold), {
    pool: await openPreparedPool(options.url, options.poolSize - cold),
  });
  try {
    await ProcessLock.exclusively(options.url, () => migrate(database));
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

/** Opens the embedded database in DATA_DIR, and takes the folder for this process. */
export async function openEmbeddedDatabase(dataDir: string): Promise<OpenDatabase> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const lock = lockDataDir(dataDir);
  try {
    const opened = await adoptPglite(await openPglite(join(dataDir, 'database')));
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
  await migrate(database);
  const installationId = await findInstallationId(database);
  return { database, installationId, close: () => database.close() };
}

async function migrate(database: Database): Promise<void> {
  if (!(await isCurrent(database))) await database.orm.migrator.up();
}

/** Whether nothing is to be migrated: as the migrator would find it, in a tenth of the time that it takes. */
async function isCurrent(database: Database): Promise<boolean> {
  const [table] = await database.query<{ name: string | null }>(`SELECT to_regclass('mikro_orm_migrations') AS name`);
  if (table === undefined || table.name === null) return false;
  const rows = await database.query<{ name: string }>('SELECT name FROM mikro_orm_migrations');
  const done = new Set(rows.map(({ name }) => name));
  return migrationNames.every((name) => done.has(name));
}

async function findInstallationId(database: Database): Promise<string> {
  await database.query(`INSERT INTO setting (name, value) VALUES ('installation', $1) ON CONFLICT DO NOTHING`, [
    newId(),
  ]);
  const [row] = await database.query<{ value: string }>(`SELECT value FROM setting WHERE name = 'installation'`);
  if (row === undefined) throw new Error('The setting that names this installation is missing.');
  return row.value;
}
