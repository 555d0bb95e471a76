import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Job } from '../../src/jobs/model/job.ts';
import { revokeApiKey } from '../../src/workspaces/revoke-api-key.ts';
import { Tenant } from '../support/domain.ts';
import { type Longhaul, sharedLonghaul, startLonghaul, type TestWorkspace } from '../support/longhaul.ts';
import { type RawAnswer, RawHttp } from '../support/raw-http.ts';

let longhaul: Longhaul;
let workspace: TestWorkspace;
let tenant: Tenant;
let key: string;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
  workspace = await longhaul.workspace();
  tenant = Tenant.of(longhaul, workspace.id);
});
beforeEach(async () => {
  key = await workspace.key();
});
afterAll(() => longhaul.stop());

const paths = { videoconduit: '/videoconduit/v1/jobs/', vidocu: '/vidocu/v1/jobs/', vydra: '/vydra/api/v1/jobs/' };

function pollOf({ id }: Pick<Job, 'id'>, more = '', path = paths.videoconduit): string {
  return `GET ${path}${id} HTTP/1.1\r\nHost: longhaul\r\nAuthorization: Bearer ${key}\r\n${more}\r\n`;
}

/** Holds every read of jobs back, and with it every answer to a poll, until the work is done. */
async function whileHeldBack({ services }: Longhaul, work: () => Promise<void>): Promise<void> {
  await services.database.transaction(async (transaction) => {
    await transaction.query('LOCK TABLE job IN ACCESS EXCLUSIVE MODE');
    await work();
  });
}

/** Names of headers whose values are of the moment. */
const ofTheMoment = ['date', 'x-ratelimit-remaining', 'x-ratelimit-reset'];

function lasting({ status, headers, body }: RawAnswer) {
  const kept = Object.entries(headers).filter(([name]) => !ofTheMoment.includes(name));
  return { status, names: Object.keys(headers).toSorted(), headers: Object.fromEntries(kept), body };
}

describe.each(Object.entries(paths))('a poll of %s on a connection that stays open', (dialect, path) => {
  test('is answered as the first was, header by header', async () => {
    const job = await tenant.create({ input: { sourceUrl: 'https://media.example.com/größe-日本.mp4' } });
    const poll = pollOf(job, '', path);
    const line = await RawHttp.open(longhaul.url);
    const first = await line.ask(poll);
    expect(first.status).toBe(200);
    for (let again = 0; again < 4; again += 1) expect(lasting(await line.ask(poll))).toEqual(lasting(first));
    const unchanged = pollOf(job, `If-None-Match: ${first.headers['etag']}\r\n`, path);
    const notModified = await line.ask(unchanged);
    expect(notModified).toMatchObject({ status: 304, body: '' });
    for (let again = 0; again < 3; again += 1) expect(lasting(await line.ask(unchanged))).toEqual(lasting(notModified));
  });

  test('sees whatever was committed before it', async () => {
    const { job, token } = await tenant.running();
    const poll = pollOf(job, '', path);
    const line = await RawHttp.open(longhaul.url);
    const tags = new Set([(await line.ask(poll)).headers['etag']]);
    for (let percentage = 10; percentage < 60; percentage += 10) {
      await tenant.report(token, { percentage });
      tags.add((await line.ask(poll)).headers['etag']);
    }
    await tenant.complete(token, { answer: 42 });
    const last = await line.ask(poll);
    tags.add(last.headers['etag']);
    // VideoConduit shows no progress.
    expect(tags.size).toBe(dialect === 'videoconduit' ? 2 : 7);
    expect(last.body).toContain('42');
  });
});

test('a poll with a tag that it has is answered in full when there is another', async () => {
  const { job, token } = await tenant.running();
  const line = await RawHttp.open(longhaul.url);
  const { headers } = await line.ask(pollOf(job));
  const poll = pollOf(job, `If-None-Match: ${headers['etag']}\r\n`);
  expect(await line.ask(poll)).toMatchObject({ status: 304 });
  await tenant.complete(token);
  expect(await line.ask(poll)).toMatchObject({ status: 200 });
});

test('a key that was revoked opens nothing any more', async () => {
  const job = await tenant.create();
  const line = await RawHttp.open(longhaul.url);
  const poll = pollOf(job);
  expect(await line.ask(poll)).toMatchObject({ status: 200 });
  const { database, authenticator } = longhaul.services;
  await revokeApiKey(database, authenticator, (await authenticator.find(key))?.id ?? '');
  const { status, body } = await line.ask(poll);
  expect({ status, body: JSON.parse(body) }).toEqual({
    status: 403,
    body: { detail: 'This API key is deactivated', code: 'forbidden' },
  });
});

test('a job that is no more is not found', async () => {
  const job = await tenant.create();
  const line = await RawHttp.open(longhaul.url);
  expect(await line.ask(pollOf(job))).toMatchObject({ status: 200 });
  await longhaul.services.database.hot.query('DELETE FROM job WHERE id = $1', [job.id]);
  const { status, headers, body } = await line.ask(pollOf(job));
  expect({ status, body: JSON.parse(body) }).toEqual({ status: 404, body: { detail: 'Job not found', code: 'not_found' } });
  expect(headers['content-type']).toBe('application/json; charset=utf-8');
});

test('a download that expires goes without a new version', async () => {
  const { job, token } = await tenant.running();
  await tenant.complete(token);
  const { database } = longhaul.services;
  const expire = (when: string) =>
    database.hot.query(`UPDATE job SET artifact_id = id, artifact_expires_at = now() + $2::interval WHERE id = $1`, [job.id, when]);
  await expire('1 hour');
  const line = await RawHttp.open(longhaul.url);
  expect((await line.ask(pollOf(job))).body).toContain('"download_url":"http');
  await expire('-1 hour');
  expect((await line.ask(pollOf(job))).body).toContain('"download_url":null');
});

test('each counts once, and the one that is one too many is refused as any other', async () => {
  const limited = await startLonghaul({ RATE_LIMIT: '6', COMPAT_SUNSET: 'vydra=2027-06-30' });
  try {
    const own = await limited.workspace();
    const secret = await own.key();
    const job = await Tenant.of(limited, own.id).create();
    const poll = `GET ${paths.vydra}${job.id} HTTP/1.1\r\nHost: longhaul\r\nAuthorization: Bearer ${secret}\r\n\r\n`;
    const line = await RawHttp.open(limited.url);
    const answers: RawAnswer[] = [];
    for (let turn = 0; turn < 7; turn += 1) answers.push(await line.ask(poll));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200, 429]);
    expect(answers.map(({ headers }) => headers['x-ratelimit-remaining'])).toEqual(['5', '4', '3', '2', '1', '0', '0']);
    expect(new Set(answers.map(({ headers }) => headers['sunset']))).toEqual(new Set(['Wed, 30 Jun 2027 00:00:00 GMT']));
    expect(JSON.parse(answers[6]?.body ?? '')).toMatchObject({ code: 'RATE_LIMIT_EXCEEDED', limits: { limit: 6, used: 6 } });
    expect(Number(answers[6]?.headers['retry-after'])).toBeGreaterThan(0);
  } finally {
    await limited.stop();
  }
});

test('many connections ask for many jobs, and each gets its own', async () => {
  const jobs = await Promise.all(Array.from({ length: 10 }, () => tenant.create()));
  const lines = await Promise.all(Array.from({ length: 8 }, () => RawHttp.open(longhaul.url)));
  await Promise.all(
    lines.map(async (line, place) => {
      for (let turn = 0; turn < 40; turn += 1) {
        const job = jobs[(turn * (place + 1)) % jobs.length];
        if (job === undefined) throw new Error('no job');
        const { status, body } = await line.ask(pollOf(job));
        expect({ status, id: JSON.parse(body).job_id }).toEqual({ status: 200, id: job.id });
      }
    }),
  );
});

test('the answers to any run of requests, cut into pieces anywhere, are those to each by itself', async () => {
  const [one, other] = [await tenant.create(), await tenant.create()];
  const host = 'Host: longhaul\r\n';
  const query = '{"query":"{ __typename }"}';
  const requests = [
    pollOf(one),
    pollOf(one),
    pollOf(other),
    pollOf(other, '', paths.vidocu),
    pollOf(one, 'If-None-Match: *\r\n'),
    pollOf({ id: 'nothing' }),
    `GET ${paths.vydra}${one.id} HTTP/1.1\r\n${host}Authorization: Bearer wrong\r\n\r\n`,
    `GET /health/live HTTP/1.1\r\n${host}\r\n`,
    `POST /graphql HTTP/1.1\r\n${host}Authorization: Bearer ${key}\r\nContent-Type: application/json\r\nContent-Length: ${query.length}\r\n\r\n${query}`,
  ];
  const alone = new Map<string, ReturnType<typeof lasting>>();
  for (const request of requests) alone.set(request, lasting(await (await RawHttp.open(longhaul.url)).ask(request)));
  const run = fc.array(fc.constantFrom(...requests), { minLength: 3, maxLength: 12 });
  const cuts = fc.array(fc.nat({ max: 4_000 }), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(run, cuts, fc.boolean(), async (wanted, places, patient) => {
      const line = await RawHttp.open(longhaul.url);
      await line.ask(pollOf(one));
      if (patient) {
        // One after the other, as a poller does.
        for (const request of wanted) expect(lasting(await line.ask(request))).toEqual(alone.get(request));
      } else {
        const bytes = wanted.join('');
        const ends = [...places.filter((place) => place < bytes.length).toSorted((a, b) => a - b), bytes.length];
        let start = 0;
        for (const end of ends) {
          await line.write(bytes.slice(start, end));
          start = end;
        }
        const answers = await line.answers(wanted.length);
        expect(answers.map(lasting)).toEqual(wanted.map((request) => alone.get(request)));
      }
      line.socket.destroy();
    }),
    { numRuns: 150 },
  );
});

test.each(['Connection: close', 'Proxy-Connection: close'])('who asks with %s has its connection closed each time', async (wish) => {
  const job = await tenant.create();
  for (let turn = 0; turn < 3; turn += 1) {
    const line = await RawHttp.open(longhaul.url);
    await line.ask(pollOf(job));
    const closed = once(line.socket, 'close');
    expect((await line.ask(pollOf(job, `${wish}\r\n`))).headers['connection']).toBe('close');
    await closed;
  }
});

test('a client that asks a thousand times before it reads gets a thousand answers', async () => {
  const job = await tenant.create();
  const line = await RawHttp.open(longhaul.url);
  await line.ask(pollOf(job));
  line.socket.pause();
  for (let turn = 0; turn < 1_000; turn += 1) line.socket.write(pollOf(job));
  line.socket.resume();
  const answers = await line.answers(1_000);
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
});

test('a request that comes while a poll is answered is answered after it', async () => {
  const job = await tenant.create();
  const line = await RawHttp.open(longhaul.url);
  await line.ask(pollOf(job));
  await whileHeldBack(longhaul, async () => {
    await line.write(pollOf(job));
    await line.write('GET /health/live HTTP/1.1\r\nHost: longhaul\r\n\r\n');
  });
  const [first, second] = await line.answers(2);
  expect(first?.body).toContain(job.id);
  expect(second?.body).not.toContain(job.id);
});

test('a connection that polled may become a WebSocket, and takes no other connection with it', async () => {
  const job = await tenant.create();
  const polled = await RawHttp.open(longhaul.url);
  await polled.ask(pollOf(job));
  const impatient = await RawHttp.open(longhaul.url);
  await impatient.ask(pollOf(job));
  await impatient.write(pollOf(job) + pollOf(job));
  await impatient.answers(2);
  for (const line of [polled, impatient]) {
    const upgrade =
      'GET /graphql HTTP/1.1\r\nHost: longhaul\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n';
    expect(await line.ask(upgrade)).toMatchObject({ status: 101 });
    // Node gives the parser that it no longer needs to the next connection.
    const next = await RawHttp.open(longhaul.url);
    await next.write('GET /health/live HTTP/1.1\r\nHost: long');
    // A text frame that is masked with zeros.
    const init = JSON.stringify({ type: 'connection_init', payload: { apiKey: key } });
    const acknowledged = once(line.socket, 'data');
    line.socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | 126, 0, init.length, 0, 0, 0, 0]), Buffer.from(init)]));
    expect(String((await acknowledged)[0])).toContain('connection_ack');
    expect(await next.ask('haul\r\n\r\n')).toMatchObject({ status: 200 });
  }
});

test('whoever is being answered when the process stops is answered', async () => {
  const stopping = await startLonghaul();
  const own = await stopping.workspace();
  const secret = await own.key();
  const job = await Tenant.of(stopping, own.id).create();
  const poll = `GET ${paths.vydra}${job.id} HTTP/1.1\r\nHost: longhaul\r\nAuthorization: Bearer ${secret}\r\n\r\n`;
  const lines = await Promise.all(Array.from({ length: 5 }, () => RawHttp.open(stopping.url)));
  for (const line of lines) await line.ask(poll);
  let stopped: Promise<void> | undefined;
  await whileHeldBack(stopping, async () => {
    for (const line of lines) await line.write(poll);
    stopped = stopping.stop();
    await nextTurn();
  });
  const answers = await Promise.all(lines.map((line) => line.answers(1)));
  expect(answers.flat().map(({ status, headers }) => ({ status, connection: headers['connection'] }))).toEqual(
    lines.map(() => ({ status: 200, connection: 'close' })),
  );
  await stopped;
});
