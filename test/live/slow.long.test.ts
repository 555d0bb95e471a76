import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { StalledConnections } from '../../src/graphql/live/connection.ts';
import { SocketConnection } from '../../src/graphql/live/socket.ts';
import type { Job } from '../../src/jobs/model/job.ts';
import { figuresOf, untilFigures } from '../support/figures.ts';
import { type Longhaul, sharedLonghaul, startLonghaul, type TestWorkspace } from '../support/longhaul.ts';
import { RawEvents } from '../support/raw-events.ts';
import { RawSocket } from '../support/raw-socket.ts';
import { claim, submit } from '../support/steps.ts';

const query = `subscription ($id: ID!, $afterVersion: Int) {
  jobProgress(id: $id, afterVersion: $afterVersion) { version status input }
}`;

/** Makes every event so large that few of them fill the buffers of the system between two ends. */
const input = { sourceUrl: 'https://example.com/video.mp4', comments: Array.from({ length: 12 }, () => 'x'.repeat(20_000)) };

/** Versions of a job: with their events, far more than all buffers together take. */
const many = 60;

/** One watcher that can stop reading. */
interface Slow {
  versions(): number[];
  pause(): void;
  resume(): void;
  /** Waits for the orderly end. */
  end(): Promise<unknown>;
  /** How the connection ended. */
  over: Promise<unknown>;
}

/** Ways to watch, each over a connection of its own. */
const ways: { over: string; open: (longhaul: Longhaul, key: string, job: Job, afterVersion?: number) => Promise<Slow> }[] = [
  {
    over: 'WebSocket',
    open: async ({ url }, key, job, afterVersion = 0) => {
      const socket = await RawSocket.open(url, key);
      socket.subscribe('1', { query, variables: { id: job.id, afterVersion } });
      await socket.until(() => socket.payloads('1').length === 1);
      return {
        versions: () => socket.payloads('1').map(versionOf),
        pause: () => socket.ws.pause(),
        resume: () => socket.ws.resume(),
        end: () => socket.end('1'),
        over: socket.closed,
      };
    },
  },
  {
    over: 'server-sent events',
    open: async ({ url }, key, job, afterVersion = 0) => {
      const events = await RawEvents.open(url, key, { query, variables: { id: job.id, afterVersion } });
      await events.until(() => events.payloads.length === 1);
      return {
        versions: () => events.payloads.map(versionOf),
        pause: () => void events.response.pause(),
        resume: () => void events.response.resume(),
        end: () => events.end(),
        over: events.over,
      };
    },
  },
];

let longhaul: Longhaul;
let impatient: { longhaul: Longhaul; workspace: TestWorkspace; key: string };
let workspace: TestWorkspace;
let key: string;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
  workspace = await longhaul.workspace();
  key = await workspace.key();
  const other = await startLonghaul({ STALLED_SECONDS: '1' });
  const tenant = await other.workspace();
  impatient = { longhaul: other, workspace: tenant, key: await tenant.key() };
});
afterAll(async () => {
  await longhaul.stop();
  await impatient.longhaul.stop();
});

test.each(ways)('P7, S3: who stops reading over $over delays nobody, and gets the newest and the final version', async ({ open }) => {
  const job = await submit(longhaul, workspace.id, { input });
  const token = await claim(longhaul, job);
  const [slow, fast] = [await open(longhaul, key, job), await open(longhaul, key, job)];
  slow.pause();
  await report(longhaul, token, fast);
  await untilFigures(longhaul, { stalled_connections: 1, broadcasts: 1, subscriptions: 2 });
  expect(strictlyGrowing(fast.versions())).toBe(true);
  // It has read none of it, and was not written most of it: what waits for it is one version.
  const newest = fast.versions().at(-1) ?? 0;
  slow.resume();
  await expect.poll(() => slow.versions().at(-1), { timeout: 10_000 }).toBe(newest);
  await untilFigures(longhaul, { stalled_connections: 0 });
  expect(strictlyGrowing(slow.versions())).toBe(true);
  expect(slow.versions().length).toBeLessThan(fast.versions().length * 0.75);

  slow.pause();
  await report(longhaul, token, fast);
  await longhaul.services.jobs.complete(null, { token, output: { done: true } });
  await fast.end();
  slow.resume();
  await slow.end();
  expect(strictlyGrowing(slow.versions())).toBe(true);
  expect(slow.versions().at(-1)).toBe(fast.versions().at(-1));
});

test.each(ways)('S3, P4: who does not read over $over for STALLED_SECONDS is closed, and resumes without a loss', async ({ open, over }) => {
  const { longhaul: target, workspace: tenant, key: secret } = impatient;
  const job = await submit(target, tenant.id, { input });
  const token = await claim(target, job);
  const [slow, fast] = [await open(target, secret, job), await open(target, secret, job)];
  slow.pause();
  for (let stalled = false; ; ) {
    await report(target, token, fast, 1);
    const { stalled_connections } = await figuresOf(target);
    if (stalled && stalled_connections === 0) break;
    stalled = stalled_connections === 1;
  }
  slow.resume();
  // Told 1013 where it reads on within a moment, and cut where it does not: its client does the same on either.
  expect(over === 'WebSocket' ? [1013, 1006] : ['cut']).toContain(await slow.over);
  await untilFigures(target, { subscriptions: 1, broadcasts: 1 });
  expect(strictlyGrowing(slow.versions())).toBe(true);

  const seen = slow.versions().at(-1) ?? 0;
  const again = await open(target, secret, job, seen);
  await report(target, token, fast, 3);
  await target.services.jobs.complete(null, { token, output: { done: true } });
  await Promise.all([again.end(), fast.end()]);
  expect(strictlyGrowing([...slow.versions(), ...again.versions()])).toBe(true);
  expect(again.versions().at(-1)).toBe(fast.versions().at(-1));
});

test('S3: an event stream that has said everything to somebody who does not read is cut as well', async () => {
  const { longhaul: target, workspace: tenant, key: secret } = impatient;
  const job = await submit(target, tenant.id, { input });
  const token = await claim(target, job);
  const [slow, fast] = await Promise.all([1, 2].map(() => ways[1]?.open(target, secret, job)));
  if (slow === undefined || fast === undefined) throw new Error('there is nobody');
  slow.pause();
  await report(target, token, fast, many);
  await target.services.jobs.complete(null, { token, output: { done: true } });
  await fast.end();
  await untilFigures(target, { event_streams: 0, subscriptions: 0, broadcasts: 0, stalled_connections: 0 });
});

test('S3: a socket whose other subscriptions are congested answers queries, and completes what it is told to', async () => {
  const job = await submit(longhaul, workspace.id, { input });
  const token = await claim(longhaul, job);
  const fast = await ways[0]?.open(longhaul, key, job);
  const socket = await RawSocket.open(longhaul.url, key);
  socket.subscribe('watch', { query, variables: { id: job.id } });
  await socket.until(() => socket.payloads('watch').length === 1);
  socket.ws.pause();
  if (fast !== undefined) await report(longhaul, token, fast);
  await untilFigures(longhaul, { stalled_connections: 1 });
  socket.complete('watch');
  // Nobody waits any more, whatever has not been read.
  await untilFigures(longhaul, { stalled_connections: 0, subscriptions: 1 });
  socket.subscribe('query', { query: '{ jobTypes { name } }' });
  socket.ws.resume();
  await socket.end('query');
  expect(socket.payloads('query')).toHaveLength(1);
  expect((await figuresOf(longhaul)).stalled_connections).toBe(0);
});

test('S3: a connection that is given up is closed with 1013, however often it is', async () => {
  const stalled = new StalledConnections(60_000);
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  onTestFinished(() => {
    stalled.stop();
    server.close();
  });
  await once(server, 'listening');
  const address = server.address();
  const client = new WebSocket(`ws://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`);
  const [socket, request] = await connectionTo(server);
  const connection = new SocketConnection(socket, request.socket, stalled);
  const listeners = socket.listenerCount('close');
  for (let time = 0; time < 100; time += 1) connection.giveUp();
  expect(socket.listenerCount('close')).toBe(listeners + 1);
  const [code, reason] = await once(client, 'close');
  expect([code, String(reason)]).toEqual([1013, 'Too slow']);
});

function connectionTo(server: WebSocketServer): Promise<[WebSocket, IncomingMessage]> {
  return new Promise((resolve) => server.once('connection', (...connection) => resolve(connection)));
}

/** Of all tests: a report that says what the last one said makes no version. */
let reports = 0;

/** Reports progress until the watcher has seen that many versions more. */
async function report({ services }: Longhaul, token: string, watcher: Slow, versions = many): Promise<void> {
  for (let version = 0; version < versions; version += 1) {
    const before = watcher.versions().length;
    reports += 1;
    await services.jobs.report(null, { token, message: `report ${reports}` });
    await expect.poll(() => watcher.versions().length, { interval: 2, timeout: 10_000 }).toBeGreaterThan(before);
  }
}

function strictlyGrowing(versions: readonly number[]): boolean {
  return versions.every((version, index) => index === 0 || version > (versions[index - 1] ?? 0));
}

/** Without reading it whole: it is large, and read often. */
function versionOf(payload: string): number {
  return Number(/"version":(\d+)/.exec(payload)?.[1]);
}
