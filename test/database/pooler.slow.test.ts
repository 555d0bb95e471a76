import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { readServer } from '../../src/database/connection/database-url.ts';
import { openServerDatabase } from '../../src/database/open.ts';
import { silentLog } from '../../src/log.ts';
import { entities } from '../../src/server/entities.ts';
import { startLonghaul } from '../support/longhaul.ts';
import { makeOwnDatabase } from '../support/own-database.ts';
import { hasPgBouncer, startPgBouncer } from '../support/pgbouncer.ts';
import { expectWholeLife } from '../support/whole-life.ts';

/** What another program may leave behind in a connection that the pooler hands on. */
const dirt = `
  SET datestyle = 'SQL, DMY'; SET timezone = 'Asia/Kolkata'; SET standard_conforming_strings = off; SET search_path = nowhere;
  SET statement_timeout = '1s'; SET default_transaction_isolation = serializable; SET default_transaction_read_only = on;
  SET extra_float_digits = -15; SET bytea_output = escape; SET row_security = on; SET plan_cache_mode = force_custom_plan;
  PREPARE longhaul_0 AS SELECT 1; PREPARE longhaul_1 AS SELECT 1; CREATE TEMP TABLE job (id int)`;

describe.runIf(hasPgBouncer())('behind PgBouncer in session mode', () => {
  test.for([
    { name: 'with its defaults', settings: [] },
    { name: 'that hands over connections as the last client left them', settings: ["server_reset_query = ''"] },
    { name: 'that knows options alone', settings: ['ignore_startup_parameters = options'] },
  ])('$name, a job goes its whole way', { timeout: 60_000 }, async ({ settings }) => {
    const own = await makeOwnDatabase();
    const url = await startPgBouncer(own.url, settings);
    const clients = [1, 2, 3, 4].map(() => new pg.Client({ connectionString: url }));
    for (const client of clients) await client.connect();
    for (const client of clients) await client.query(dirt);
    for (const client of clients) await client.end();
    const longhaul = await startLonghaul({ DATABASE_URL: `${url}?options=-c%20lock_timeout%3D9s`, OUTBOUND_ALLOW: '127.0.0.1' });
    try {
      await expectWholeLife(longhaul);
    } finally {
      await longhaul.stop();
    }
  });

  test('without a connection left, it is said within the time to connect, with what to do', async () => {
    const own = await makeOwnDatabase();
    const url = await startPgBouncer(own.url, ['default_pool_size = 1']);
    const holder = new pg.Client({ connectionString: url });
    await holder.connect();
    await holder.query('SELECT 1');
    try {
      const server = readServer(`${url}?connect_timeout=2`, {});
      const opening = openServerDatabase({ entities, server, poolSize: 2, sharing: 'sole', log: silentLog, onEvicted: () => undefined });
      await expect(opening).rejects.toThrow(/no statement was answered within 2 s .* default_pool_size/);
    } finally {
      await holder.end();
    }
  });
});
