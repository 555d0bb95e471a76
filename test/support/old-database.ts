import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import pg from 'pg';
import { onTestFinished } from 'vitest';
import { readServer } from '../../src/database/connection/database-url.ts';
import type { Database } from '../../src/database/database.ts';
import { adoptPglite, type OpenDatabase, openServerDatabase } from '../../src/database/open.ts';
import { openPglite } from '../../src/database/orm.ts';
import { silentLog } from '../../src/log.ts';
import { entities } from '../../src/server/entities.ts';
import { type App, startApp } from '../../src/server/app.ts';
import { loadConfig } from '../../src/server/configuration.ts';
import { backend } from './longhaul.ts';
import { testFolder } from './process.ts';
import { testDatabaseUrl } from './servers.ts';
import { onServer } from './template-servers.ts';

/*
 * The fixture was written by the last version with pg-boss: one delivery of each kind that it can leave behind, at
 * http://receiver.test/<kind>.
 */
const fixture = readFile(new URL('fixtures/before-webhook-due.sql', import.meta.url), 'utf8');

/** The workspace `default` of that database. */
export const oldWorkspaceId = '01a218ad-ae26-7701-897d-396de024be9c';

/** A database of that version, after this SQL; opened, and so upgraded, by the call. */
export async function oldDatabase(sql: string): Promise<() => Promise<OpenDatabase>> {
  // Neither its SECRET nor its volume of files is here.
  const statements = `${await fixture}; DELETE FROM setting WHERE name IN ('secret_mark', 'artifacts_volume'); ${sql}`;
  if (backend === 'embedded') {
    const pglite = await openPglite(null);
    await pglite.exec(statements);
    return () => adoptPglite(pglite, entities, silentLog);
  }
  const name = `longhaul_test_${randomBytes(6).toString('hex')}`;
  await onServer(`CREATE DATABASE ${name}`);
  onTestFinished(() => onServer(`DROP DATABASE ${name} WITH (FORCE)`));
  const url = new URL(testDatabaseUrl);
  url.pathname = name;
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  await client.query(statements);
  await client.end();
  return () =>
    openServerDatabase({ entities, server: readServer(url.href, {}), poolSize: 8, sharing: 'sole', log: silentLog, onEvicted: () => undefined });
}

/** Starts the present version on it. */
export async function startOn(openDatabase: () => Promise<OpenDatabase>): Promise<App> {
  const folder = await testFolder();
  const config = loadConfig({ PORT: '0', DATA_DIR: folder, ROLE: 'api', OUTBOUND_ALLOW: '127.0.0.1' });
  const app = await startApp(config, { log: silentLog, onFatal: () => undefined, openDatabase });
  onTestFinished(() => app.stop());
  return app;
}

/** Whether pg-boss' schema is there. */
export async function queueStays({ hot }: Database): Promise<boolean> {
  const [row] = await hot.query<{ stays: boolean }>(`SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'pgboss') AS stays`);
  return row?.stays ?? true;
}
