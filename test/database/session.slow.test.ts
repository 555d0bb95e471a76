import { expect, test } from 'vitest';
import { readServer } from '../../src/database/connection/database-url.ts';
import { openServerDatabase } from '../../src/database/open.ts';
import { silentLog } from '../../src/log.ts';
import { entities } from '../../src/server/entities.ts';
import { startLonghaul } from '../support/longhaul.ts';
import { makeOwnDatabase } from '../support/own-database.ts';
import { expectWholeLife } from '../support/whole-life.ts';

/** A value of each parameter that the code could not work with, or not as it should. */
const hostile: Record<string, string> = {
  array_nulls: 'off',
  bytea_output: 'escape',
  datestyle: 'SQL, DMY',
  default_transaction_deferrable: 'on',
  default_transaction_isolation: 'serializable',
  default_transaction_read_only: 'on',
  extra_float_digits: '-15',
  gin_fuzzy_search_limit: '1',
  idle_in_transaction_session_timeout: '1',
  idle_session_timeout: '5s',
  intervalstyle: 'iso_8601',
  jit: 'on',
  jit_above_cost: '0',
  lock_timeout: '1',
  plan_cache_mode: 'force_custom_plan',
  row_security: 'on',
  standard_conforming_strings: 'off',
  statement_timeout: '1s',
  synchronous_commit: 'off',
  timezone: 'Australia/Lord_Howe',
  transform_null_equals: 'on',
};

/** The settings of each of a process's connections, by what the connection is for. */
async function settingsOf(url: string, names: readonly string[]): Promise<Record<string, Record<string, string>>> {
  const opened = await openServerDatabase({ entities, server: readServer(url, {}), poolSize: 4, sharing: 'sole', log: silentLog, onEvicted: () => undefined });
  try {
    const { database } = opened;
    const text = `SELECT name, current_setting(name) AS value FROM unnest('{application_name,${names.join(',')}}'::text[]) AS name`;
    const all = await Promise.all([
      database.reads.query<{ name: string; value: string }>(text),
      database.hot.query<{ name: string; value: string }>(text),
    ]);
    return Object.fromEntries(
      all.map((rows) => {
        const { application_name: name = '', ...settings } = Object.fromEntries(rows.map(({ name: each, value }) => [each, value]));
        return [name, settings];
      }),
    );
  } finally {
    await opened.close();
  }
}

test.for(['DATABASE', 'ROLE'] as const)('whatever the defaults of the %s are, every connection has what the code relies on', async (kind) => {
  const own = await makeOwnDatabase();
  const names = Object.keys(hostile).filter((name) => name !== 'jit_above_cost');
  const before = await settingsOf(own.url, names);
  for (const [name, value] of Object.entries(hostile)) await own.setDefault(kind, name, value);
  // They are hostile indeed.
  expect(await own.sql('SHOW datestyle')).toEqual([{ DateStyle: 'SQL, DMY' }]);
  const after = await settingsOf(own.url, names);
  expect(after).toEqual(before);
  expect(Object.keys(after)).toEqual(['longhaul reads', 'longhaul hot']);
  for (const settings of Object.values(after)) {
    expect(settings).toMatchObject({ datestyle: 'ISO, MDY', timezone: 'UTC', synchronous_commit: 'on', standard_conforming_strings: 'on' });
  }
});

test.for(['DATABASE', 'ROLE'] as const)('whatever the defaults of the %s are, a job goes its whole way', { timeout: 60_000 }, async (kind) => {
  const own = await makeOwnDatabase();
  for (const [name, value] of Object.entries(hostile)) await own.setDefault(kind, name, value);
  const longhaul = await startLonghaul({ DATABASE_URL: own.url, OUTBOUND_ALLOW: '127.0.0.1' });
  try {
    await expectWholeLife(longhaul);
  } finally {
    await longhaul.stop();
  }
});

test('what the operator chose in DATABASE_URL holds on every connection', async () => {
  const own = await makeOwnDatabase();
  await own.sql('CREATE SCHEMA "the jobs"');
  const options = String.raw`-c search_path="the\ jobs",public -c lock_timeout=1234 --statement-timeout=20s -cjit=on -c my.word=it's\ here`;
  const names = ['search_path', 'lock_timeout', 'statement_timeout', 'jit', 'my.word'];
  const chosen = await settingsOf(`${own.url}?options=${encodeURIComponent(options)}&application_name=ours`, names);
  expect(chosen).toEqual({
    ours: { search_path: '"the jobs",public', lock_timeout: '1234ms', statement_timeout: '20s', jit: 'on', 'my.word': "it's here" },
  });
  const tables = await own.sql(`SELECT DISTINCT schemaname AS schema FROM pg_tables WHERE tablename IN ('job', 'mikro_orm_migrations', 'setting')`);
  expect(tables).toEqual([{ schema: 'the jobs' }]);
});

test('two installations in two schemas of one database do not see each other', async () => {
  const own = await makeOwnDatabase();
  await own.sql('CREATE SCHEMA one; CREATE SCHEMA two');
  const ids: string[] = [];
  for (const schema of ['one', 'two', 'one']) {
    const server = readServer(`${own.url}?options=-csearch_path%3D${schema}`, {});
    const opened = await openServerDatabase({ entities, server, poolSize: 2, sharing: 'sole', log: silentLog, onEvicted: () => undefined });
    ids.push(opened.installationId);
    await opened.close();
  }
  expect(ids[2]).toBe(ids[0]);
  expect(ids[1]).not.toBe(ids[0]);
});

test('where a schema was chosen by the role, migrations that an earlier version noted in public are found', async () => {
  const own = await makeOwnDatabase();
  await own.sql('CREATE SCHEMA jobs');
  await own.setDefault('ROLE', 'search_path', 'jobs');
  const open = async () => {
    const opened = await openServerDatabase({ entities, server: readServer(own.url, {}), poolSize: 2, sharing: 'sole', log: silentLog, onEvicted: () => undefined });
    await opened.close();
    return opened.installationId;
  };
  const installation = await open();
  await own.sql('ALTER TABLE jobs.mikro_orm_migrations SET SCHEMA public');
  expect(await open()).toBe(installation);
  expect(await own.sql(`SELECT schemaname AS schema FROM pg_tables WHERE tablename = 'mikro_orm_migrations'`)).toEqual([{ schema: 'jobs' }]);
});
