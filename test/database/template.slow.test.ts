import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { findPending } from '../../src/database/migrate/record.ts';
import { allMigrations } from '../../src/database/migrations/all.ts';
import { openEmbeddedDatabase } from '../../src/database/open.ts';
import { silentLog } from '../../src/log.ts';
import { entities } from '../../src/server/entities.ts';
import { copyTemplate, makeTemplate } from '../../src/database/template.ts';

/** With the template of this version, made where that of another one was. */
let cache: string;
beforeAll(async () => {
  cache = await mkdtemp(join(tmpdir(), 'longhaul-cache-'));
  await mkdir(join(cache, 'database-0000000000000000'));
  await makeTemplate(cache, entities);
}, 60_000);
afterAll(() => rm(cache, { recursive: true }));

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'longhaul-data-'));
  onTestFinished(() => rm(made, { recursive: true }));
  return made;
}

/** Opens a database and closes it; its installation. */
async function opened(dataDir: string, from = cache): Promise<string> {
  const { database, installationId, close } = await openEmbeddedDatabase(dataDir, { cacheFolder: from, entities, log: silentLog });
  try {
    expect(await findPending(database.reads, allMigrations(database.orm))).toEqual([]);
    expect(await database.reads.query('SELECT FROM job')).toEqual([]);
    return installationId;
  } finally {
    await close();
  }
}

test('two folders that begin with the template are two installations, and stay what they are', async () => {
  const [one, two] = [await folder(), await folder()];
  const first = await opened(one);
  expect(await opened(two)).not.toBe(first);
  expect(await opened(one)).toBe(first);
}, 60_000);

test('without a template a first start makes the same database, only later', async () => {
  expect(await opened(await folder(), join(cache, 'nothing'))).toMatch(/^[0-9a-f-]{36}$/);
}, 60_000);

test('a copy that was cut off is begun again', async () => {
  const dataDir = await folder();
  await mkdir(join(dataDir, 'database.new'));
  await writeFile(join(dataDir, 'database.new', 'PG_VERSION'), '18');
  await opened(dataDir);
  expect(await readdir(dataDir)).not.toContain('database.new');
}, 60_000);

test('a template is made once, and that of another version goes', async () => {
  const [name = '', ...others] = await readdir(cache);
  expect(others).toEqual([]);
  const { ino } = await stat(join(cache, name));
  await makeTemplate(cache, entities);
  expect(await stat(join(cache, name))).toMatchObject({ ino });
  expect(await copyTemplate(cache, join(await folder(), 'database'))).toBe(true);
}, 60_000);
