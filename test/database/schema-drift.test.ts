import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { allMigrations } from '../../src/database/migrations/all.ts';
import { findPending } from '../../src/database/migrate/record.ts';
import { type OpenDatabase, openServerDatabase } from '../../src/database/open.ts';
import { readServer } from '../../src/database/connection/database-url.ts';
import type { Sharing } from '../../src/database/process-lock.ts';
import { silentLog } from '../../src/log.ts';
import { examineTables } from '../../src/doctor/tables.ts';
import { entities } from '../../src/server/entities.ts';
import { backend, type Longhaul, startLonghaul } from '../support/longhaul.ts';
import { testDatabaseUrl } from '../support/servers.ts';
import { onServer } from '../support/template-servers.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await startLonghaul();
});
afterAll(() => longhaul.stop());

test('the migrations make the schema that the entities describe', async () => {
  const { orm } = longhaul.services.database;
  expect(await orm.schema.getUpdateSchemaSQL()).toBe('');
});

test('each migration is applied once, in order, and what 0.2.0 does not know stands where it does not look', async () => {
  const { orm, reads } = longhaul.services.database;
  const all = allMigrations(orm);
  const released = all.filter(({ oldestVersion }) => oldestVersion === null);
  const applied = await reads.query('SELECT name FROM mikro_orm_migrations ORDER BY id');
  expect(applied).toEqual(released.map(({ name }) => ({ name })));
  expect(await findPending(reads, all)).toEqual([]);
  expect(await findPending(reads, released, { version: '0.2.0' })).toEqual([]);
});

test('a table of another application is no damage to the doctor, and one of ours under another name is not made anew', async () => {
  const { database } = longhaul.services;
  await database.reads.query('CREATE TABLE other_app (id int PRIMARY KEY)');
  expect(await examineTables(database)).toEqual({ damages: [], seen: 'beside what Longhaul does not know: the table other_app' });
  await database.reads.query('ALTER TABLE job_log RENAME TO job_log_old');
  const { damages } = await examineTables(database);
  expect(damages).toEqual([{ what: 'the table job_log is missing', remedy: expect.stringMatching(/^It may have been renamed: beside it is job_log_old, [^;]*: ALTER TABLE "job_log_old" RENAME TO "job_log"; If not,/) }]);
  await database.reads.query('ALTER TABLE job_log_old RENAME TO job_log');
  await database.reads.query('DROP TABLE other_app');
  expect(await examineTables(database)).toEqual({ damages: [] });
});

/** An empty database; gone after the test, which has to close what it opened. */
async function emptyDatabase(): Promise<string> {
  const name = `longhaul_test_${randomBytes(6).toString('hex')}`;
  await onServer(`CREATE DATABASE ${name}`);
  // Without FORCE: a connection that somebody left open fails the test.
  onTestFinished(() => onServer(`DROP DATABASE ${name}`));
  const url = new URL(testDatabaseUrl);
  url.pathname = name;
  return url.href;
}

function open(url: string, sharing: Sharing): Promise<OpenDatabase> {
  return openServerDatabase({
    entities,
    server: readServer(url, {}),
    sharing,
    poolSize: 2,
    log: silentLog,
    onEvicted: (reason) => {
      throw reason;
    },
  });
}

describe.runIf(backend === 'servers')('processes on one Postgres', () => {
  test('that start at the same time on an empty database all succeed', async () => {
    const url = await emptyDatabase();
    const opened = await Promise.all([open(url, 'shared'), open(url, 'shared'), open(url, 'shared')]);
    const [first] = opened;
    expect(new Set(opened.map(({ installationId }) => installationId)).size).toBe(1);
    expect(await first?.database.orm.schema.getUpdateSchemaSQL()).toBe('');
    await Promise.all(opened.map((one) => one.close()));
  });

  const refused: { held: Sharing; asked: Sharing; reason: RegExp }[] = [
    { held: 'sole', asked: 'sole', reason: /without REDIS_URL there can be only one/ },
    { held: 'shared', asked: 'sole', reason: /without REDIS_URL there can be only one/ },
    { held: 'sole', asked: 'shared', reason: /without REDIS_URL uses this DATABASE_URL and cannot share it/ },
  ];
  test.each(refused)('beside a $held one, a $asked one is refused with the reason until it has ended', async ({ held, asked, reason }) => {
    const url = await emptyDatabase();
    const first = await open(url, held);
    await expect(open(url, asked)).rejects.toThrow(reason);
    await first.close();
    const second = await open(url, asked);
    expect(second.installationId).toBe(first.installationId);
    await second.close();
  });

  test('of which one is told twice to close do so once', async () => {
    const opened = await open(await emptyDatabase(), 'shared');
    await opened.close();
    await opened.close();
  });
});
