import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { z } from 'zod';
import { createClient, type Job, type Updates } from '../../clients/js/src/index.ts';
import { endUnseen } from '../support/deleting.ts';
import { eventually } from '../support/eventually.ts';
import { packageUser, RefusedSocket, ways } from '../support/javascript-client.ts';
import { type Longhaul, sharedLonghaul } from '../support/longhaul.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
});
afterAll(() => longhaul.stop());

const input = { sourceUrl: 'https://example.com/a.mp4' };

test.each(ways)('a job is watched to its end over $over, in versions that only grow, and its result read', async ({ over, options }) => {
  const { client, tenant, sockets } = await packageUser(longhaul, options);
  const handle = await client.submit('comments', input, { tags: ['a'] });
  const seen: Job[] = [];
  const updates = handle.updates();
  let token = '';
  for await (const job of updates) {
    seen.push(job);
    if (job.status === 'PENDING') token = (await tenant.claim({ types: ['comments'] }))[0]?.token ?? '';
    else if (job.status === 'RUNNING' && job.progress === null) await tenant.report(token, { percentage: 40 });
    else if (job.status === 'RUNNING') await tenant.complete(token, { lines: 3 });
  }
  expect(seen.map(({ status, progress }) => [status, progress?.percentage])).toEqual([
    ['PENDING', undefined], ['RUNNING', undefined], ['RUNNING', 40], ['COMPLETED', 40],
  ]);
  expect(seen.at(-1)).toMatchObject({ id: handle.id, output: { lines: 3 }, tags: ['a'], artifacts: [] });
  expectGrowing(seen);
  expect(updates.transport).toBe(over);
  expect(sockets).toHaveLength(over === 'websocket' ? 1 : 0);
  expect(await handle.result()).toEqual({ lines: 3 });
});

test.each(ways)("what a worker writes down comes once and in order over $over, until the job's last line", async ({ options }) => {
  const { client, tenant } = await packageUser(longhaul, options);
  const { job, token } = await tenant.running();
  await tenant.log(token, 'one', 'two');
  const lines: [number, string][] = [];
  for await (const { sequence, message } of client.handle(job.id).logs()) {
    lines.push([sequence, message]);
    if (sequence !== 2) continue;
    await tenant.log(token, 'three');
    await tenant.complete(token);
  }
  expect(lines).toEqual([[1, 'one'], [2, 'two'], [3, 'three']]);
});

test.each(ways)('a job that is deleted unseen over $over ends the waiting for it, and for its log, with an error', async ({ options }) => {
  const { client, tenant } = await packageUser(longhaul, options);
  const { job, token } = await tenant.running();
  await tenant.log(token, 'one');
  const handle = client.handle(job.id);
  const seen: string[] = [];
  const follow = async () => {
    for await (const { message } of handle.logs()) {
      seen.push(message);
      await endUnseen(longhaul, job);
    }
  };
  const waiting = handle.result();
  const notFound = { name: 'NotFoundError', code: 'NOT_FOUND', retryable: false };
  const refused = expect(waiting).rejects.toMatchObject(notFound);
  // Both are there before the job goes.
  await eventually(() => expect(longhaul.services.jobs.watched.jobs).toBe(1));
  await expect(follow()).rejects.toMatchObject(notFound);
  await refused;
  expect(seen).toEqual(['one']);
});

test("an error that ends a socket's subscription reaches a reader with whom everything waits that may", async () => {
  const server = new WebSocketServer({ port: 0, handleProtocols: () => 'graphql-transport-ws' });
  onTestFinished(() => void server.close());
  const errors = [{ message: 'It was deleted.', extensions: { code: 'NOT_FOUND' } }];
  const first = Array.from({ length: 1_001 }, (_, index) => ({ data: { jobLogs: [{ sequence: index + 1 }] } }));
  const places: unknown[] = [];
  server.on('connection', (socket) => {
    socket.on('message', (text) => {
      const { type, id, payload } = JSON.parse(String(text));
      if (type === 'connection_init') socket.send('{"type":"connection_ack"}');
      if (type !== 'subscribe') return;
      const results = places.length === 0 ? [...first, { errors }] : [{ errors }];
      places.push(payload.variables.afterSequence);
      for (const result of results) socket.send(JSON.stringify({ id, type: 'next', payload: result }));
      socket.send(JSON.stringify({ id, type: 'complete' }));
      socket.send('{"type":"ping"}');
      socket.once('message', () => allHeard.resolve());
    });
  });
  const allHeard = Promise.withResolvers<void>();
  const { port } = z.object({ port: z.number() }).parse(server.address());
  const client = createClient({ url: `http://localhost:${port}`, auth: 'x' });
  const seen: number[] = [];
  const follow = async () => {
    for await (const { sequence } of client.handle('job_x').logs()) {
      seen.push(sequence);
      await allHeard.promise;
    }
  };
  await expect(follow()).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect(seen).toEqual(first.map((_, index) => index + 1));
  expect(places).toEqual([undefined, 1_001]);
});

test.each(ways)('a workspace is followed over $over from a cursor, and from now on without one', async ({ over, options }) => {
  const { client, tenant } = await packageUser(longhaul, options);
  const first = await tenant.create({ tags: ['x'] });
  const updates = client.updates({ tags: ['x'] });
  const seen: [string, string][] = [];
  const cursors: string[] = [];
  const watching = (async () => {
    for await (const { job, cursor } of updates) {
      cursors.push(cursor);
      seen.push([job.uuid, job.status]);
      if (job.status === 'CANCELLED') return;
    }
  })();
  // A transport that is open does not say that the watch has begun: the first job that is seen does.
  await eventually(async () => (await tenant.create({ tags: ['x'] }), expect(seen).not.toEqual([])));
  expect(updates.transport).toBe(over);
  const second = await tenant.create({ tags: ['x'] });
  await tenant.create();
  await tenant.cancel(second.id);
  await watching;
  expect(seen.every(([id]) => id > first.id && id <= second.id)).toBe(true);
  expect(seen.slice(-2)).toEqual([[second.id, 'PENDING'], [second.id, 'CANCELLED']]);

  await tenant.cancel(first.id);
  const resumed: [string, string][] = [];
  for await (const { job } of client.updates({ tags: ['x'] }, cursors.at(-2))) {
    resumed.push([job.uuid, job.status]);
    if (job.uuid === first.id) break;
  }
  expect(resumed).toEqual([[second.id, 'CANCELLED'], [first.id, 'CANCELLED']]);
});

test('twenty loops share one socket, which closes when the last is left', async () => {
  const { client, tenant, sockets } = await packageUser(longhaul);
  const jobs = await tenant.createAll(Array.from({ length: 20 }, () => ({})));
  const loops = jobs.map(async ({ id }) => {
    const statuses: string[] = [];
    for await (const { status } of client.handle(id).updates()) statuses.push(status);
    return statuses;
  });
  await eventually(() => expect(longhaul.services.jobs.watched.jobs).toBeGreaterThanOrEqual(20));
  for (const { id } of jobs) await tenant.cancel(id);
  for (const statuses of await Promise.all(loops)) expect(statuses.at(-1)).toBe('CANCELLED');
  expect(sockets).toHaveLength(1);
  await eventually(() => expect(sockets[0]?.readyState).toBe(WebSocket.CLOSED));
});

test.each(ways)('a loop over $over that is left while it waits is over at once, and the server is rid of it', async ({ over, options }) => {
  const { client, tenant, sockets } = await packageUser(longhaul, options);
  const { id } = await tenant.create();
  const updates: Updates<Job> = client.handle(id).updates();
  const loop = updates[Symbol.asyncIterator]();
  expect((await loop.next()).value).toMatchObject({ status: 'PENDING' });
  const waiting = loop.next();
  expect(updates.transport).toBe(over);
  await loop.return?.();
  expect(await waiting).toEqual({ done: true, value: undefined });
  for (const socket of sockets) await eventually(() => expect(socket.readyState).toBe(WebSocket.CLOSED));
});

test('where sockets are not let through it goes on over server-sent events, and stays there', async () => {
  const { client, tenant } = await packageUser(longhaul, { WebSocket: RefusedSocket });
  const { id } = await tenant.create();
  for (const updates of [client.handle(id).updates(), client.handle(id).updates()]) {
    for await (const { status } of updates) {
      expect(status).toBe('PENDING');
      break;
    }
    expect(updates.transport).toBe('events');
  }
});

test.each(['websocket', 'events'] as const)('over %s a connection that is cut again and again hides nothing', async (over) => {
  const bodies: ReadableStreamDefaultController[] = [];
  const { client, tenant, sockets } = await packageUser(longhaul, over === 'websocket' ? {} : { WebSocket: undefined, fetch: cuttable(bodies) });
  const { job, token } = await tenant.running();
  const seen: Job[] = [];
  const heard: (string | null)[] = [];
  for await (const update of client.handle(job.id).updates({ onTransport: (name) => heard.push(name) })) {
    seen.push(update);
    if (over === 'websocket') sockets.at(-1)?.close(4499, 'cut');
    else bodies.at(-1)?.error(new TypeError('cut'));
    if (seen.length < 3) await tenant.report(token, { percentage: seen.length * 10 });
    else if (update.status === 'RUNNING') await tenant.complete(token);
  }
  expect(seen.map(({ progress }) => progress?.percentage)).toEqual([undefined, 10, 20, 20]);
  expect(seen.at(-1)?.status).toBe('COMPLETED');
  expectGrowing(seen);
  // Told of every break, and of every end of one.
  expect(heard.slice(0, 3)).toEqual([over, null, over]);
  expect(heard).toEqual(heard.map((_name, at) => (at % 2 === 0 ? over : null)));
});

function expectGrowing(jobs: readonly Job[]): void {
  const versions = jobs.map(({ version }) => version);
  expect(versions).toEqual([...new Set(versions)].toSorted((one, other) => one - other));
}

/** Answers whose bodies can be broken by hand. */
function cuttable(bodies: ReadableStreamDefaultController[]): typeof fetch {
  return async (url, init) => {
    const response = await fetch(url, init);
    const reader = response.body?.getReader();
    const body = new ReadableStream({
      start: (controller) => void bodies.push(controller),
      pull: async (controller) => {
        const { done = true, value } = (await reader?.read()) ?? {};
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: (reason) => reader?.cancel(reason),
    });
    return new Response(body, response);
  };
}
