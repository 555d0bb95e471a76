import { afterAll, beforeAll, expect, test } from 'vitest';
import { startLonghaul } from '../support/longhaul.ts';
import { makeOwnDatabase } from '../support/own-database.ts';
import { eventually } from '../support/receiver.ts';
import { onServer } from '../support/template-servers.ts';
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts';

const write = 'mutation { createJob(input: { type: "analysis" }) { ... on CreateJobPayload { job { uuid } } } }';

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

test.for(['one', 'several'])('a server that is away is unavailable (hosts: %s)', { timeout: 60_000 }, async (count) => {
  await server.start();
  await server.sql(`CREATE DATABASE ${count}`);
  const hosts = count === 'one' ? `127.0.0.1:${server.port}` : `127.0.0.1:1,127.0.0.1:${server.port}`;
  const longhaul = await startLonghaul({ DATABASE_URL: `postgres://postgres@${hosts}/${count}` });
  try {
    expect(await longhaul.graphql(write)).toMatchObject({ errors: [] });
    await server.halt();
    await eventually(async () => {
      expect(await longhaul.graphql(write)).toMatchObject({ errors: [{ extensions: { code: 'UNAVAILABLE' } }] });
    });
    await server.start();
    await eventually(async () => expect(await longhaul.graphql(write)).toMatchObject({ errors: [] }));
  } finally {
    await longhaul.stop();
  }
});
