import { randomBytes } from 'node:crypto';
import type { TestProject } from 'vitest/node';
import { readServer } from '../../src/database/connection/database-url.ts';
import { openServerDatabase } from '../../src/database/open.ts';
import { silentLog } from '../../src/log.ts';
import { entities } from '../../src/server/entities.ts';
import { queryDatabase } from './query-database.ts';
import { testDatabaseUrl } from './servers.ts';

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const name = `longhaul_test_${randomBytes(6).toString('hex')}`;
  await onServer(`CREATE DATABASE ${name}`);
  const url = new URL(testDatabaseUrl);
  url.pathname = name;
  const opened = await openServerDatabase({
    entities,
    server: readServer(url.href, {}),
    poolSize: 2,
    sharing: 'sole',
    log: silentLog,
    onEvicted: () => undefined,
  });
  await opened.database.hot.query(`DELETE FROM setting WHERE name NOT LIKE 'migration %'`);
  await opened.close();
  project.provide('databaseTemplate', name);
  return () => onServer(`DROP DATABASE ${name} WITH (FORCE)`);
}

export async function onServer(sql: string): Promise<void> {
  await queryDatabase(testDatabaseUrl, sql);
}
