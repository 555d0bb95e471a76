import { type IncomingMessage, request as httpRequest } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Job } from '../../src/jobs/model/job.ts';
import { type Longhaul, startLonghaul, type TestWorkspace } from '../support/longhaul.ts';
import { RawHttp } from '../support/raw-http.ts';
import { rest } from '../support/rest.ts';
import { submit } from '../support/steps.ts';

let longhaul: Longhaul;
let workspace: TestWorkspace;
let job: Job;
beforeAll(async () => {
  longhaul = await startLonghaul();
  workspace = await longhaul.workspace();
  job = await submit(longhaul, workspace.id);
});
afterAll(() => longhaul.stop());

/** While `work` runs, reading a job fails with this SQLSTATE. */
async function whileReadsFail(sqlState: string, work: () => Promise<void>): Promise<void> {
  const { database } = longhaul.services;
  await database.hot.query(`
    CREATE FUNCTION trouble() RETURNS boolean LANGUAGE plpgsql VOLATILE AS
    $$ BEGIN RAISE EXCEPTION 'the disk of tenant 42 is on fire' USING ERRCODE = '${sqlState}'; END $$`);
  await database.hot.query('ALTER TABLE job RENAME TO job_away');
  await database.hot.query('CREATE VIEW job AS SELECT * FROM job_away WHERE trouble()');
  try {
    await work();
  } finally {
    await database.hot.query('DROP VIEW job');
    await database.hot.query('ALTER TABLE job_away RENAME TO job');
    await database.hot.query('DROP FUNCTION trouble');
  }
}

describe.each([
  {
    dialect: 'VIDOCU',
    bug: { error: { code: 'internal_error', message: 'Internal server error' } },
    away: { error: { code: 'internal_error', message: 'Service temporarily unavailable. Retry with backoff.' } },
  },
  {
    dialect: 'VIDEOCONDUIT',
    bug: { detail: 'Internal server error', code: 'server_error' },
    away: { detail: 'Service temporarily unavailable. Retry with backoff.', code: 'service_unavailable' },
  },
] as const)('$dialect', ({ dialect, bug, away }) => {
  test('a bug is a 500 that tells nothing of what is inside', async () => {
    const key = await workspace.key({ dialect });
    await whileReadsFail('22012', async () => {
      const answer = await rest(`${longhaul.url}/v1/jobs/${job.id}`, { key });
      expect(answer).toMatchObject({ status: 500, body: bug });
      expect(answer.headers.get('cache-control')).toBe('no-store');
    });
    expect((await rest(`${longhaul.url}/v1/jobs/${job.id}`, { key })).status).toBe(200);
  });

  test('a database that is away is a 503', async () => {
    const key = await workspace.key({ dialect });
    await whileReadsFail('57P03', async () => {
      expect(await rest(`${longhaul.url}/v1/jobs/${job.id}`, { key })).toMatchObject({ status: 503, body: away });
    });
  });
});

const poll = (key: string) =>
  `GET /videoconduit/v1/jobs/${job.id} HTTP/1.1\r\nHost: longhaul\r\nAuthorization: Bearer ${key}\r\n\r\n`;

/** A connection that polls already, and its key. */
const learned = async (key: string) => {
  const line = await RawHttp.open(longhaul.url);
  for (let turn = 0; turn < 3; turn += 1) expect((await line.ask(poll(key))).status).toBe(200);
  return { line, key };
};

describe('polls that arrive together', () => {
  test.each([
    { what: 'of a database that is away', sqlState: '57P03', status: 503, code: 'service_unavailable' },
    { what: 'of a bug', sqlState: '22012', status: 500, code: 'server_error' },
  ])('are told together $what, and go on afterwards', async ({ sqlState, status, code }) => {
    const keys = await Promise.all(Array.from({ length: 4 }, () => workspace.key()));
    const pollers = [...(await Promise.all(keys.map(learned))), ...(await Promise.all(keys.map(learned)))];
    const askAll = () => Promise.all(pollers.map(({ line, key }) => line.ask(poll(key))));
    await whileReadsFail(sqlState, async () => {
      const counted = longhaul.services.jobs.readCounts;
      const before = counted.statements;
      for (const answer of await askAll()) {
        expect({ status: answer.status, code: JSON.parse(answer.body).code }).toEqual({ status, code });
        expect(answer.headers['cache-control']).toBe('no-store');
      }
      // Nobody waits for a database that is away in turn.
      if (status === 503) expect(counted.statements - before).toBeLessThanOrEqual(3);
    });
    for (const answer of await askAll()) expect(answer.status).toBe(200);
  });
});

test('a client that offers another protocol is answered in this one (RFC 9110, section 7.8)', async () => {
  const offer = { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': 'AAMAAABkAAQCAAAAAAIAAAAA' };
  const ask = async (path: string) => {
    const headers = { ...offer, authorization: 'Bearer vc_unknown' };
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      httpRequest(longhaul.url + path, { headers }, resolve).once('error', reject).end();
    });
    return { status: response.statusCode, body: await text(response) };
  };
  expect(await ask('/health/live')).toEqual({ status: 200, body: '{"status":"live"}' });
  expect(await ask('/videoconduit/v1/jobs')).toMatchObject({ status: 401, body: expect.stringContaining('unauthorized') });
});
