import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { lockDataDir } from '../database/data-dir-lock.ts';
import { Database } from '../database/database.ts';
import { openServer } from '../database/open.ts';
import { connectEmbedded, openPglite } from '../database/orm.ts';
import type { Config } from '../server/configuration.ts';
import { entities } from '../server/entities.ts';

/**
 * Opens the database that the configuration names, as it is, and closes it after the work. An embedded one must not be in use.
 * No statement has a limit of time: what looks at everything takes as long as it takes.
 */
export async function onExistingDatabase<T>({ databaseServer, dataDir }: Config, work: (database: Database) => Promise<T>): Promise<T> {
  if (databaseServer !== null) return closing(await openServer(databaseServer, entities, { statementMilliseconds: 0 }), work);
  const folder = join(dataDir, 'database');
  if (!existsSync(folder)) throw new Error(`there is no database in ${dataDir}: start Longhaul once, or name another DATA_DIR`);
  const lock = lockDataDir(dataDir);
  try {
    const pglite = await openPglite(folder);
    return await closing(new Database(await connectEmbedded(pglite, entities), { pglite }), work);
  } finally {
    lock.release();
  }
}

async function closing<T>(database: Database, work: (database: Database) => Promise<T>): Promise<T> {
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}
