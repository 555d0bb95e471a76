import { setTimeout as delay } from 'node:timers/promises';
import { queryObjects } from 'node:v8';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { Broadcast } from '../../src/graphql/live/broadcast.ts';
import { EventStream } from '../../src/graphql/live/event-stream.ts';
import { Member } from '../../src/graphql/live/member.ts';
import { SocketConnection } from '../../src/graphql/live/socket.ts';
import { SocketSubscription } from '../../src/graphql/live/socket-subscription.ts';
import type { Job } from '../../src/jobs/model/job.ts';
import { type Figures, figuresOf, untilFigures, untilNothingIsLeft } from '../support/figures.ts';
import { type Longhaul, startLonghaul, type TestWorkspace } from '../support/longhaul.ts';
import { requestEvents } from '../support/raw-events.ts';
import { RawSocket } from '../support/raw-socket.ts';
import { submit } from '../support/steps.ts';

let longhaul: Longhaul;
let workspace: TestWorkspace;
let key: string;
let jobs: Job[];
let before: Figures;
beforeAll(async () => {
  longhaul = await startLonghaul({ DATABASE_POOL_SIZE: String(poolSize) });
  workspace = await longhaul.workspace();
  key = await workspace.key();
  jobs = await Promise.all(Array.from({ length: 10 }, () => submit(longhaul, workspace.id)));
  before = await figuresOf(longhaul);
});
afterAll(() => longhaul.stop());

const query = 'subscription ($id: ID!, $afterVersion: Int) { jobProgress(id: $id, afterVersion: $afterVersion) { version } }';

const poolSize = 8;

/** Closings in all. */
const rounds = 10_000;

/** How many a round has at once. */
const width = 50;

/** The ways in which somebody leaves while a subscription is being opened. Each settles when its connection is closed. */
const departures: ((job: Job) => Promise<unknown>)[] = [
  // Before anything was said.
  () => leaving((ws) => ws.terminate()),
  // Before the acknowledgement: the key is being looked up.
  () => leaving((ws) => {
    ws.send(init());
    setImmediate(() => ws.terminate());
  }),
  // Subscribed without waiting for the acknowledgement, which is against the protocol.
  (job) => leaving((ws) => {
    ws.send(init());
    ws.send(subscribe(job));
  }),
  ...[
    // Right after subscribing, in the same tick.
    (ws: WebSocket) => ws.terminate(),
    (ws: WebSocket) => ws.close(),
    (ws: WebSocket) => {
      ws.send('{"id":"1","type":"complete"}');
      ws.close();
    },
    (ws: WebSocket) => {
      ws.send('{"id":"1","type":"complete"}');
      ws.terminate();
    },
    // A moment later: while the job is read, the topic bound, the first version rendered, or after all of it.
    (ws: WebSocket) => void setImmediate(() => ws.terminate()),
    (ws: WebSocket) => void setTimeout(() => ws.terminate(), Math.random() * 8),
    (ws: WebSocket) => void setTimeout(() => ws.close(), Math.random() * 8),
  ].map((leave) => (job: Job) => leavingOnceLetIn(job, leave)),
  // The same over server-sent events.
  (job) => aborting(job, (abort) => setImmediate(abort)),
  (job) => aborting(job, (abort) => setTimeout(abort, Math.random() * 8)),
  (job) => aborting(job, (abort) => setTimeout(abort, Math.random() * 3)),
];

test(`closing during subscribe, ${rounds} times, leaves nothing`, { timeout: 120_000 }, async () => {
  const timersBefore = await timersOfIdleness();
  for (let done = 0; done < rounds; done += width) {
    await Promise.all(
      Array.from({ length: width }, (_, index) => {
        const job = jobs[(done + index) % jobs.length];
        const depart = departures[(done / width + index) % departures.length];
        if (job === undefined || depart === undefined) throw new Error('nothing to leave');
        return depart(job);
      }),
    );
  }

  await untilNothingIsLeft(longhaul, before);
  // Counted after a collection of all garbage: what is still held would be a leak, whatever holds it.
  await expect
    .poll(() => [Broadcast, Member, SocketConnection, SocketSubscription, EventStream].map((kind) => queryObjects(kind)), {
      timeout: 10_000,
      interval: 200,
    })
    .toEqual([0, 0, 0, 0, 0]);
  await expect.poll(() => channels(), { timeout: 5_000 }).toEqual(0);
  // Not `expect.poll`, which has a timer itself.
  for (let tries = 0; tries < 100 && timers() > timersBefore; tries += 1) await delay(200);
  expect(timers()).toBeLessThanOrEqual(timersBefore);
});

test('an id that comes again while its operation is being opened closes the socket, and leaves nothing', async () => {
  const [job] = jobs;
  for (let round = 0; round < 100; round += 1) {
    const socket = await RawSocket.open(longhaul.url, key);
    for (const _ of [1, 2, 3]) {
      socket.subscribe('same', { query, variables: { id: job?.id } });
      socket.complete('same');
    }
    expect(await socket.closed).toBe(4409);
  }
  await untilNothingIsLeft(longhaul, before);
});

test('an id may be used again once its operation is over', async () => {
  const [job] = jobs;
  const socket = await RawSocket.open(longhaul.url, key);
  for (let round = 1; round <= 20; round += 1) {
    socket.subscribe('same', { query, variables: { id: job?.id } });
    await socket.until(() => socket.payloads('same').length === round);
    socket.complete('same');
    await untilFigures(longhaul, { subscriptions: 0, broadcasts: 0 });
  }
  socket.ws.close();
  await untilNothingIsLeft(longhaul, before);
});

function init(): string {
  return JSON.stringify({ type: 'connection_init', payload: { apiKey: key } });
}

function subscribe({ id }: Job): string {
  return JSON.stringify({ id: '1', type: 'subscribe', payload: { query, variables: { id } } });
}

function leaving(act: (ws: WebSocket) => void): Promise<void> {
  return new Promise((resolve) => {
    const ws = new WebSocket(`${longhaul.url.replace(/^http/, 'ws')}/graphql`, 'graphql-transport-ws');
    ws.on('error', () => undefined);
    ws.once('open', () => act(ws));
    ws.once('close', () => resolve());
  });
}

function leavingOnceLetIn(job: Job, leave: (ws: WebSocket) => void): Promise<void> {
  return leaving((ws) => {
    ws.once('message', () => {
      ws.send(subscribe(job));
      leave(ws);
    });
    ws.send(init());
  });
}

function aborting({ id }: Job, when: (abort: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const request = requestEvents(longhaul.url, key, { query, variables: { id } });
    request.once('close', () => resolve());
    request.once('socket', (socket) => socket.once('connect', () => when(() => request.destroy())));
    onTestFinished(() => void request.destroy());
  });
}

/** How many there are while nothing goes on. */
async function timersOfIdleness(): Promise<number> {
  // A connection that stands idle has one, so every connection that the rounds may open is opened first.
  const { hot, reads } = longhaul.services.database;
  const pools = Array.from({ length: poolSize }, () => [hot, reads]).flat();
  await Promise.all(pools.map((pool) => pool.query('SELECT pg_sleep(0.2)')));
  // One of them may be in use by a sweep when timers are counted.
  const counts: number[] = [];
  while (counts.length < 20) {
    counts.push(timers());
    await delay(25);
  }
  return Math.max(...counts);
}

/** Those that keep the process awake. */
function timers(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
}

/** Channels of jobs on Redis that somebody is subscribed to, of this installation. */
async function channels(): Promise<number> {
  const redis = new Redis(longhaul.shared['REDIS_URL'] ?? '');
  try {
    const [row] = await longhaul.services.database.hot.query<{ value: string }>(
      "SELECT value FROM setting WHERE name = 'installation'",
    );
    const named = await redis.pubsub('CHANNELS', `longhaul:${row?.value ?? ''}:job:*`);
    return named.length;
  } finally {
    redis.disconnect();
  }
}
