import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { PGlite } from '@electric-sql/pglite';
import type pg from 'pg';
import type { Loop } from '../concurrency/loop.ts';
import { newId } from './ids.ts';
import type { Log } from '../log.ts';
import { lockDataDir } from './data-dir-lock.ts';
import { Database } from './database.ts';
import { migratePglite, migrateServer } from './migrate/migrate.ts';
import { listPending, type PendingStep } from './migrate/pending.ts';
import { allMigrations } from './migrations/all.ts';
import { connectEmbedded, connectPostgres, type Entities, openPglite } from './orm.ts';
import { ProcessLock, type Sharing } from './process-lock.ts';
import { firstSetting } from './setting.ts';
import { copyTemplate } from './template.ts';
import { ConnectionPool } from './connection/pool.ts';
import { findSchema } from './connection/rights.ts';
import { Route } from './connection/route.ts';
import type { Server } from './connection/database-url.ts';

/** Keeps a hanging statement from holding locks for ever. None of these statements needs a hundredth of it. */
const hotMilliseconds = 8_000;

/** A read that takes longer fails, and its caller has to narrow it. */
const readMilliseconds = 5_000;

/** A migrated database on which this process has registered. */
export interface OpenDatabase {
  database: Database;
  /** Identifies this installation: its Redis channels and its artifact volume carry it. */
  installationId: string;
  /** What goes on by itself meanwhile. */
  loops: readonly Loop[];
  close(): Promise<void>;
}

/**
 * Opens DATABASE_URL. Waits while another process migrates.
 *
 * @throws Error that says what is wrong with the server, the database or its privileges, and what to do
 */
export async function openServerDatabase(options: {
  server: Server;
  entities: Entities;
  poolSize: number;
  sharing: Sharing;
  log: Log;
  onEvicted: (reason: Error) => void;
}): Promise<OpenDatabase> {
  const route = new Route(options.server);
  const lock = new ProcessLock({ ...options, route });
  const readers = Math.max(1, Math.floor(options.poolSize / 3));
  const database = await connect(route, options.entities, {
    hot: new ConnectionPool(route, {
      size: options.poolSize - readers,
      name: 'longhaul hot',
      statementMilliseconds: hotMilliseconds,
      planning: 'once',
    }),
    reads: new ConnectionPool(route, {
      size: readers,
      name: 'longhaul reads',
      statementMilliseconds: readMilliseconds,
      planning: 'auto',
    }),
  });
  try {
    await migrateServer(route, database, options.log);
    await lock.hold();
    const installationId = await firstSetting(database.em(), 'installation', newId());
    return {
      database,
      installationId,
      loops: [lock.loop],
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

/** Opens DATABASE_URL with one connection, without migrating it or registering this process. */
export function openServer(server: Server, entities: Entities, limits: { statementMilliseconds: number }): Promise<Database> {
  return openOne(new Route(server), entities, limits);
}

async function openOne(route: Route, entities: Entities, limits: { statementMilliseconds: number }): Promise<Database> {
  await route.find();
  return connect(route, entities, { reads: new ConnectionPool(route, { ...limits, size: 1, name: 'longhaul', planning: 'auto' }) });
}

async function connect(
  route: Route,
  entities: Entities,
  { reads, hot = null }: { reads: ConnectionPool; hot?: ConnectionPool | null },
): Promise<Database> {
  try {
    const { schema } = await findSchema({
      query: <Row>(text: string, values: readonly unknown[] = []) =>
        reads.query<Row & pg.QueryResultRow>({ text, values: [...values] }),
    });
    const orm = await connectPostgres(reads, { database: route.server.database, schema, entities });
    return new Database(orm, { hot, reads });
  } catch (error) {
    await Promise.all([reads.end(), hot?.end()]);
    throw error;
  }
}

interface EmbeddedOptions {
  /** May hold a template to copy a new database from. */
  cacheFolder: string;
  entities: Entities;
  log: Log;
}

/** Opens the embedded database in DATA_DIR, and locks the folder for this process. */
export async function openEmbeddedDatabase(
  dataDir: string,
  { cacheFolder, entities, log }: EmbeddedOptions,
): Promise<OpenDatabase> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const lock = lockDataDir(dataDir);
  try {
    const folder = join(dataDir, 'database');
    if (!existsSync(folder)) await copyTemplate(cacheFolder, folder);
    const opened = await adoptPglite(await openPglite(folder), entities, log);
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

/** The database that the configuration names. */
interface Where {
  databaseServer: Server | null;
  dataDir: string;
}

/** Runs what is pending, without registering this process. */
export async function migrateDatabase({ databaseServer, dataDir }: Where, options: EmbeddedOptions): Promise<void> {
  const { entities, log } = options;
  if (databaseServer === null) {
    const { close } = await openEmbeddedDatabase(dataDir, options);
    await close();
    return;
  }
  const route = new Route(databaseServer);
  const database = await openOne(route, entities, { statementMilliseconds: readMilliseconds });
  await migrateServer(route, database, log).finally(() => database.close());
}

/** Lists what is pending, and changes nothing. */
export async function openPending({ databaseServer, dataDir }: Where, entities: Entities): Promise<PendingStep[]> {
  if (databaseServer !== null) return listAndClose(await openServer(databaseServer, entities, { statementMilliseconds: readMilliseconds }));
  const folder = join(dataDir, 'database');
  // A database that does not exist yet is not made either.
  if (!existsSync(folder)) return listAndClose(await openFolder(null, entities));
  const lock = lockDataDir(dataDir);
  return listAndClose(await openFolder(folder, entities)).finally(() => lock.release());
}

async function listAndClose(database: Database): Promise<PendingStep[]> {
  return listPending(database.reads, allMigrations(database.orm), database).finally(() => database.close());
}

async function openFolder(folder: string | null, entities: Entities): Promise<Database> {
  const pglite = await openPglite(folder);
  return new Database(await connectEmbedded(pglite, entities), { pglite });
}

/** Migrates a PGlite and wraps it as the database, which closes it when it is closed. */
export async function adoptPglite(pglite: PGlite, entities: Entities, log: Log): Promise<OpenDatabase> {
  const database = await migratePglite(pglite, entities, log);
  const installationId = await firstSetting(database.em(), 'installation', newId());
  return { database, installationId, loops: [], close: () => database.close() };
}
