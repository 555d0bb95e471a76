import { expect, test } from 'vitest';
import { readServer } from '../../src/database/connection/database-url.ts';
import { migrateDatabase, openServer } from '../../src/database/open.ts';
import { runMigrations } from '../../src/database/migrate/run.ts';
import { allMigrations } from '../../src/database/migrations/all.ts';
import { silentLog } from '../../src/log.ts';
import { entities } from '../../src/server/entities.ts';
import { makeOwnDatabase, type OwnDatabase } from '../support/own-database.ts';
import { testFolder } from '../support/process.ts';
import { releasedMigrations } from '../support/released.ts';

/** What a program may rely on, or run into, by table: columns, constraints, indexes and triggers. */
async function catalogue(own: OwnDatabase) {
  const columns = await own.sql(
    `SELECT attrelid::regclass || '.' || attname AS name, attrelid::regclass AS table, format_type(atttypid, atttypmod) AS type,
       attnotnull AS required, atthasdef AS filled, pg_get_expr(adbin, adrelid) AS "default"
     FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
     WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0 AND NOT attisdropped ORDER BY name`,
  );
  const rules = await own.sql(
    `SELECT conrelid::regclass AS table, conname AS name, pg_get_constraintdef(oid) AS definition FROM pg_constraint WHERE connamespace = 'public'::regnamespace
     UNION ALL SELECT indrelid::regclass, indexrelid::regclass::name, pg_get_indexdef(indexrelid) FROM pg_index JOIN pg_class ON pg_class.oid = indrelid WHERE relnamespace = 'public'::regnamespace
     UNION ALL SELECT tgrelid::regclass, tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
     ORDER BY name, definition`,
  );
  return { columns, rules };
}

test('what was migrated since the last release only adds, so that its processes serve meanwhile, and start again', async () => {
  const own = await makeOwnDatabase();
  const server = readServer(own.url, {});
  const database = await openServer(server, entities, { statementMilliseconds: 0 });
  const all = allMigrations(database.orm);
  const { version, names } = releasedMigrations();
  const released = all.filter(({ name }) => names.includes(name));
  expect(all.slice(0, released.length)).toEqual(released);
  const refusing = all.slice(released.length).filter(({ oldestVersion }) => oldestVersion === null || oldestVersion.localeCompare(version, 'en', { numeric: true }) > 0);
  expect(refusing, 'the last release would not start on them').toEqual([]);
  await runMigrations(released, { session: database.reads, observer: null, log: silentLog }).finally(() => database.close());
  const before = await catalogue(own);
  await migrateDatabase({ databaseServer: server, dataDir: await testFolder() }, { cacheFolder: '', entities, log: silentLog });
  const after = await catalogue(own);

  const tables = new Set(before.columns.map(({ table }) => table));
  const added = <Part extends { name?: unknown; table?: unknown }>(now: Part[], then: Part[]) =>
    now.filter(({ name, table }) => tables.has(table) && then.every((part) => part.name !== name));
  const newColumns = added(after.columns, before.columns);
  expect(newColumns.filter(({ required, filled }) => required === true && filled !== true), 'a row of the version before lacks them').toEqual([]);
  const newRules = added(after.rules, before.rules);
  const newNames = newColumns.map(({ name }) => String(name).split('.').at(-1) ?? '');
  const binding = newRules.filter(({ definition }) => /UNIQUE|CHECK|FOREIGN KEY|EXCLUDE|TRIGGER/.test(String(definition)));
  expect(binding.filter(({ definition }) => !newNames.some((name) => String(definition).includes(name))), 'they bind rows of the version before').toEqual([]);
  expect(after.columns.filter(({ name, table }) => tables.has(table) && before.columns.some((column) => column['name'] === name))).toEqual(before.columns);
  expect(after.rules.filter(({ name, table }) => tables.has(table) && before.rules.some((rule) => rule['name'] === name))).toEqual(before.rules);
});
