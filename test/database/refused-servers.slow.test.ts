import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import pg from 'pg';
import { readServer } from '../../src/database/connection/database-url.ts';
import { openServerDatabase } from '../../src/database/open.ts';
import { silentLog } from '../../src/log.ts';
import { entities } from '../../src/server/entities.ts';
import { makeOwnDatabase } from '../support/own-database.ts';
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { testDatabaseUrl } from '../support/servers.ts';
import { onServer } from '../support/template-servers.ts';

/** Why a start on this database is refused; null where it is not. */
async function refusal(url: string): Promise<string | null> {
  try {
    const opened = await openServerDatabase({
      entities,
      server: readServer(url, {}),
      poolSize: 2,
      sharing: 'sole',
      log: silentLog,
      onEvicted: () => undefined,
    });
    await opened.close();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Runs SQL in a database as the superuser. */
async function asSuperuser(database: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: Object.assign(new URL(testDatabaseUrl), { pathname: database }).href });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}

describe('a start is refused, with what to do, where', () => {
  test('there is no schema to make tables in', async () => {
    const own = await makeOwnDatabase();
    await own.setDefault('ROLE', 'search_path', 'nowhere');
    expect(await refusal(own.url)).toMatch(/no schema to make tables in: the search_path of \w+ is nowhere\. Create a schema/);
  });

  test('the role may not make tables, and it starts once it may', async () => {
    const own = await makeOwnDatabase();
    await asSuperuser(own.name, `ALTER SCHEMA public OWNER TO postgres; GRANT USAGE ON SCHEMA public TO ${own.name}`);
    const reason = await refusal(own.url);
    expect(reason).toMatch(/^DATABASE_URL: the database is older than .*, and the role \w+ may not change it\..* as the owner or a superuser, run: GRANT USAGE, CREATE ON SCHEMA/);
    await asSuperuser(own.name, reason?.split('run: ')[1] ?? '');
    expect(await refusal(own.url)).toBeNull();
  });

  test('the role may not write to a table, and it starts once it may', async () => {
    const own = await makeOwnDatabase();
    expect(await refusal(own.url)).toBeNull();
    await asSuperuser(own.name, `ALTER TABLE job OWNER TO postgres; ALTER TABLE lease OWNER TO postgres; GRANT SELECT ON job TO ${own.name}`);
    const reason = await refusal(own.url);
    expect(reason).toMatch(/GRANT SELECT, INSERT, UPDATE, DELETE ON job TO .*; GRANT .* ON lease TO/);
    await asSuperuser(own.name, reason?.split('run: ')[1] ?? '');
    expect(await refusal(own.url)).toBeNull();
  });

  test('a migration is due for tables of somebody else', async () => {
    const own = await makeOwnDatabase();
    expect(await refusal(own.url)).toBeNull();
    await own.sql(`DELETE FROM mikro_orm_migrations WHERE name = (SELECT max(name) FROM mikro_orm_migrations)`);
    await asSuperuser(own.name, `ALTER TABLE job OWNER TO postgres; GRANT ALL ON job TO ${own.name}`);
    expect(await refusal(own.url)).toMatch(/run: ALTER TABLE job OWNER TO/);
  });

  test('the database is not UTF8', async () => {
    const own = await makeOwnDatabase(`ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`);
    expect(await refusal(own.url)).toMatch(/the database's encoding is SQL_ASCII: make one with CREATE DATABASE/);
  });

  test('foreign keys would not be checked', async () => {
    const own = await makeOwnDatabase();
    await own.setDefault('DATABASE', 'session_replication_role', 'replica');
    expect(await refusal(own.url)).toMatch(/session_replication_role is replica by default: run ALTER/);
  });

  test('there is no such database, or the role may not enter it', async () => {
    const own = await makeOwnDatabase();
    expect(await refusal(Object.assign(new URL(own.url), { pathname: 'none_of_this_name' }).href)).toMatch(
      /cannot connect to 127\.0\.0\.1:\d+ \(database "none_of_this_name" does not exist\)\. Create the database/,
    );
    await onServer(`REVOKE CONNECT ON DATABASE ${own.name} FROM PUBLIC, ${own.name}`);
    expect(await refusal(own.url)).toMatch(/permission denied for database/);
  });

  test('nobody answers at any host', async () => {
    const message = await refusal('postgres://u@127.0.0.1:1,no-such-host.invalid:2/d?connect_timeout=5');
    expect(message?.split('\n')).toEqual([
      'DATABASE_URL: no host can be used:',
      expect.stringMatching(/127\.0\.0\.1:1.*Check the address/),
      expect.stringMatching(/no-such-host\.invalid.*Check the name of the host|no-such-host\.invalid/),
    ]);
  });
});

describe('of several servers', () => {
  let standby: PostgresServer;
  let primary: PostgresServer;
  beforeAll(async () => {
    [standby, primary] = await Promise.all([startPostgres({ standby: true }), startPostgres()]);
  }, 60_000);
  afterAll(() => Promise.all([standby.stop(), primary.stop()]));

  test('a standby alone is refused', async () => {
    expect(await refusal(`postgres://postgres@127.0.0.1:${standby.port}/postgres`)).toMatch(/the server is a standby, which only reads: name the primary/);
  });

  test.for(['', '&target_session_attrs=primary', '&target_session_attrs=read-write', '&load_balance_hosts=random'])(
    'the one that writes is taken%s',
    async (more) => {
      const url = `postgres://postgres@/postgres?host=127.0.0.1,127.0.0.1,localhost&port=1,${standby.port},${primary.port}${more}`;
      const opened = await openServerDatabase({ entities, server: readServer(url, {}), poolSize: 2, sharing: 'sole', log: silentLog, onEvicted: () => undefined });
      onTestFinished(() => opened.close());
      for (const by of ['hot', 'reads'] as const) {
        expect(await opened.database[by].query(`SELECT current_setting('port') AS port`)).toEqual([{ port: String(primary.port) }]);
      }
    },
  );
});
