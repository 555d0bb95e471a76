import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';
import { makeOwnDatabase } from '../support/own-database.ts';
import { askedEachWay, write } from '../support/database-ways.ts';
import { rest } from '../support/rest.ts';
import { onServer } from '../support/template-servers.ts';
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
}, 60_000);
afterAll(() => server.stop());

test('a server that only reads from some time on is unavailable, for writes and for health, until it writes again', async () => {
  const own = await makeOwnDatabase();
  const longhaul = await startLonghaul({ DATABASE_URL: own.url });
  const loseConnections = () => onServer(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${own.name}'`);
  try {
    await own.setDefault('ROLE', 'default_transaction_read_only', 'on');
    await loseConnections();
    await eventually(async () => expect((await fetch(`${longhaul.url}/health/ready`)).status).toBe(503));
    expect(await longhaul.graphql(write)).toMatchObject({ errors: [{ extensions: { code: 'UNAVAILABLE' } }] });
    await own.setDefault('ROLE', 'default_transaction_read_only', 'off');
    await eventually(async () => expect(await longhaul.graphql(write)).toMatchObject({ errors: [] }));
    expect((await fetch(`${longhaul.url}/health/ready`)).status).toBe(200);
  } finally {
    await longhaul.stop();
  }
}, 60_000);

describe('what a server says of itself', () => {
  let longhaul: Longhaul;
  beforeAll(async () => {
    longhaul = await startLonghaul();
  });
  afterAll(() => longhaul.stop());

  /** Makes the next insertions of jobs fail with an SQLSTATE, as many as `times`. Takes it back at the end of `work`. */
  async function failing(state: string, times: number, work: () => Promise<void>): Promise<void> {
    const { reads } = longhaul.services.database;
    await reads.query('CREATE SEQUENCE tried');
    await reads.query(`CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF nextval('tried') <= ${Math.min(times, 1_000_000)} THEN RAISE EXCEPTION 'made to fail' USING ERRCODE = '${state}'; END IF;
        RETURN NEW;
      END $$`);
    await reads.query('CREATE TRIGGER fails BEFORE INSERT ON job FOR EACH ROW EXECUTE FUNCTION fail()');
    try {
      await work();
    } finally {
      await reads.query('DROP FUNCTION fail CASCADE');
      await reads.query('DROP SEQUENCE tried');
    }
  }

  test('is UNAVAILABLE on every surface if it passes, and INTERNAL if it is a bug', async () => {
    const states = ['53100', '53200', '53300', '57P01', '57P03', '57P05', '25006', '08006', '25P03', '25P04', '40003', '58030', '40001', '40P01', '55P03'];
    for (const state of states) {
      await failing(state, Infinity, async () => {
        expect(await longhaul.graphql(write), state).toMatchObject({ status: 503, errors: [{ extensions: { code: 'UNAVAILABLE' } }] });
        const json = { workflow: 'house-timelapse', input: { theme: 'x' } };
        const { status } = await rest(`${longhaul.url}/vydra/api/v1/jobs`, { key: longhaul.adminKey, json });
        expect(status, state).toBe(503);
      });
    }
    await failing('22012', Infinity, async () => {
      expect(await longhaul.graphql(write)).toMatchObject({ errors: [{ extensions: { code: 'INTERNAL' } }] });
    });
  });

  test('is tried again if it is a conflict that passes by itself', async () => {
    for (const state of ['40001', '40P01', '55P03']) {
      await failing(state, 3, async () => {
        expect(await longhaul.graphql(write), state).toMatchObject({ errors: [], data: { createJob: { job: {} } } });
      });
    }
  });

  test('counts for health: a full disk is not ready, until it takes a write', async () => {
    const ready = async () => (await fetch(`${longhaul.url}/health/ready`)).status;
    await eventually(async () => expect(await ready()).toBe(200));
    await failing('53100', Infinity, async () => {
      await longhaul.graphql(write);
      expect(await ready()).toBe(503);
    });
    await eventually(async () => expect(await ready()).toBe(200));
    expect(await longhaul.graphql(write)).toMatchObject({ errors: [] });
  });
});

test.for(['one', 'several'])('a server that is away is unavailable (hosts: %s)', { timeout: 60_000 }, async (count) => {
  await server.start();
  await server.sql(`CREATE DATABASE ${count}`);
  const hosts = count === 'one' ? `127.0.0.1:${server.port}` : `127.0.0.1:1,127.0.0.1:${server.port}`;
  const longhaul = await startLonghaul({ DATABASE_URL: `postgres://postgres@${hosts}/${count}` });
  try {
    expect(await longhaul.graphql(write)).toMatchObject({ errors: [] });
    const asked = askedEachWay(longhaul);
    for (const [what, ask] of asked) expect((await ask()).status, what).toBeLessThan(500);
    await server.halt();
    for (const [what, ask] of asked) {
      await eventually(async () => {
        const answer = await ask();
        const told = { status: answer.status, wait: answer.headers.get('retry-after'), text: await answer.text() };
        expect(told, what).toEqual({ status: 503, wait: '2', text: expect.not.stringContaining('INTERNAL') });
      });
    }
    expect(await longhaul.graphql(write)).toMatchObject({ errors: [{ extensions: { code: 'UNAVAILABLE', retryAfter: 2 } }] });
    await server.start();
    await eventually(async () => expect(await longhaul.graphql(write)).toMatchObject({ errors: [] }));
  } finally {
    await longhaul.stop();
  }
});
