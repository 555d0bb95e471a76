import { once } from 'node:events';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { Heartbeat } from '../../src/graphql/live/heartbeat.ts';
import type { Job } from '../../src/jobs/model/job.ts';
import { eventually } from '../support/eventually.ts';
import { type Figures, figuresOf, untilFigures, untilNothingIsLeft } from '../support/figures.ts';
import { type Longhaul, startLonghaul, type TestWorkspace } from '../support/longhaul.ts';
import { RawEvents } from '../support/raw-events.ts';
import { RawSocket } from '../support/raw-socket.ts';
import { submit } from '../support/steps.ts';

const limits = { MAX_SOCKETS_PER_KEY: '2', MAX_SUBSCRIPTIONS_PER_KEY: '3' };

let longhaul: Longhaul;
let workspace: TestWorkspace;
let job: Job;
let before: Figures;
beforeAll(async () => {
  longhaul = await startLonghaul(limits);
  workspace = await longhaul.workspace();
  job = await submit(longhaul, workspace.id);
  before = await figuresOf(longhaul);
});
afterAll(() => longhaul.stop());

const query = 'subscription ($id: ID!) { jobProgress(id: $id) { version } }';

test('W5: a key has so many sockets and no more, and gets each back that is closed', async () => {
  const [key, another] = [await workspace.key(), await workspace.key()];
  const [first, second] = [await RawSocket.open(longhaul.url, key), await RawSocket.open(longhaul.url, key)];
  for (let round = 0; round < 3; round += 1) {
    const refused = await RawSocket.connect(longhaul.url);
    refused.init(key);
    expect(await refused.closed).toBe(1013);
  }
  // Another key's are its own.
  const other = await RawSocket.open(longhaul.url, another);
  first.ws.close();
  await untilFigures(longhaul, { websockets: 2 });
  const third = await RawSocket.open(longhaul.url, key);
  second.ws.terminate();
  await untilFigures(longhaul, { websockets: 2 });
  const fourth = await RawSocket.open(longhaul.url, key);
  for (const socket of [third, fourth, other]) socket.ws.close();
  await untilNothingIsLeft(longhaul, before);
});

test('W5: a browser token shuts out neither its key nor the tokens for other things', async () => {
  const key = await workspace.key();
  const tokenFor = async (tag: string) => {
    const made = await longhaul.graphql(
      'mutation ($tag: String) { createAccessToken(input: { tag: $tag }) { ... on CreateAccessTokenPayload { token } } }',
      { tag },
      key,
    );
    return JSON.stringify(made.data).match(/"token":"([^"]+)"/)?.[1] ?? '';
  };
  const refused = async (secret: string) => {
    const socket = await RawSocket.connect(longhaul.url);
    socket.init(secret);
    return socket.closed;
  };
  const greedy = await RawSocket.open(longhaul.url, await tokenFor('a'));
  expect(await refused(await tokenFor('a'))).toBe(1013);
  const modest = await RawSocket.open(longhaul.url, await tokenFor('b'));
  // Together they have as many as the key.
  expect(await refused(await tokenFor('c'))).toBe(1013);
  const own = [await RawSocket.open(longhaul.url, key), await RawSocket.open(longhaul.url, key)];
  expect(await refused(key)).toBe(1013);

  for (const id of ['1', '2', '3', '4']) await watchAll(greedy, id);
  await greedy.until(() => greedy.texts.join().split('LIMIT_EXCEEDED').length - 1 === 2);
  await watchAll(modest, '1');
  const [first] = own;
  if (first !== undefined) for (const id of ['1', '2', '3']) await watchAll(first, id);
  expect([modest, ...own].map(({ texts }) => texts.join()).join()).not.toContain('LIMIT_EXCEEDED');
  for (const socket of [greedy, modest, ...own]) socket.ws.close();
  await untilNothingIsLeft(longhaul, before);
});

test('W5: sockets that come at one moment are counted one by one', async () => {
  const key = await workspace.key();
  const sockets = await Promise.all(Array.from({ length: 10 }, () => RawSocket.connect(longhaul.url)));
  for (const socket of sockets) socket.init(key);
  const closed: number[] = [];
  for (const socket of sockets) void socket.closed.then((code) => closed.push(code));
  await untilFigures(longhaul, { websockets: 2 });
  await eventually(() => expect(closed).toEqual(Array.from({ length: 8 }, () => 1013)));
  for (const socket of sockets) socket.ws.close();
  await untilNothingIsLeft(longhaul, before);
});

test('W5: subscriptions count over sockets and event streams together, and are given back however they end', async () => {
  const key = await workspace.key();
  const [socket, another] = [await RawSocket.open(longhaul.url, key), await RawSocket.open(longhaul.url, key)];
  const watch = async (one: RawSocket, id: string) => {
    one.subscribe(id, { query, variables: { id: job.id } });
    await one.until(() => one.messages(id).length > 0);
    return JSON.stringify(one.messages(id));
  };
  expect(await watch(socket, '1')).toContain('"version":1');
  expect(await watch(another, '2')).toContain('"version":1');
  const events = await RawEvents.open(longhaul.url, key, { query, variables: { id: job.id } });
  await events.until(() => events.payloads.length === 1);

  // The fourth, over either; the socket stays open.
  expect(await watch(socket, '4')).toContain('LIMIT_EXCEEDED');
  expect(await watch(another, '5')).toContain('LIMIT_EXCEEDED');
  const refused = await RawEvents.open(longhaul.url, key, { query, variables: { id: job.id } });
  expect((await refused.end())[0]?.data).toContain('LIMIT_EXCEEDED');
  await untilFigures(longhaul, { subscriptions: 3 });

  // Given back by who completes, who is cut off and who is refused.
  socket.complete('1');
  await untilFigures(longhaul, { subscriptions: 2 });
  for (let round = 0; round < 5; round += 1) {
    socket.subscribe(`none ${round}`, { query, variables: { id: 'none' } });
    await socket.end(`none ${round}`);
    expect(socket.payloads(`none ${round}`).join()).toContain('NOT_FOUND');
  }
  expect(await watch(socket, '6')).toContain('"version":1');
  events.response.destroy();
  await untilFigures(longhaul, { subscriptions: 2 });
  expect(await watch(socket, '7')).toContain('"version":1');
  another.ws.terminate();
  await untilFigures(longhaul, { subscriptions: 2 });
  expect(await watch(socket, '8')).toContain('"version":1');
  expect(await watch(socket, '9')).toContain('LIMIT_EXCEEDED');
  socket.ws.close();
  await untilNothingIsLeft(longhaul, before);
});

test('W5: a subscription is given back when its job ends', async () => {
  const key = await workspace.key();
  const socket = await RawSocket.open(longhaul.url, key);
  for (let round = 0; round < 5; round += 1) {
    const ending = await submit(longhaul, workspace.id);
    await longhaul.services.jobs.cancel(workspace.id, ending.id);
    for (const id of ['a', 'b', 'c']) socket.subscribe(`${id}${round}`, { query, variables: { id: ending.id } });
    for (const id of ['a', 'b', 'c']) expect((await socket.end(`${id}${round}`)).type).toBe('complete');
    expect(socket.texts.join()).not.toContain('LIMIT_EXCEEDED');
  }
  socket.ws.close();
  await untilNothingIsLeft(longhaul, before);
});

test('W2: a socket that says nothing is closed with 4408', async () => {
  const socket = await RawSocket.connect(longhaul.url);
  expect(await socket.closed).toBe(4408);
});

test('W4: a message over 4 MiB closes with 1009, one just below does not', async () => {
  const key = await workspace.key();
  const socket = await RawSocket.open(longhaul.url, key);
  socket.send(pingOf(4 * 1024 * 1024));
  await socket.until(() => socket.texts.some((text) => text.includes('pong')));
  socket.send(pingOf(4 * 1024 * 1024 + 1_000));
  expect(await socket.closed).toBe(1009);
  await untilNothingIsLeft(longhaul, before);
});

test.each([
  { what: 'something that is no JSON', text: 'hello', code: 4400 },
  { what: 'a message that there is not', text: '{"type":"unknown"}', code: 4400 },
  { what: 'a subscription without a query', text: '{"id":"1","type":"subscribe","payload":{}}', code: 4400 },
  { what: 'a second connection_init', text: '{"type":"connection_init"}', code: 4429 },
])('W1: $what closes with $code', async ({ text, code }) => {
  const socket = await RawSocket.open(longhaul.url, await workspace.key());
  socket.ws.send(text);
  expect(await socket.closed).toBe(code);
  await untilNothingIsLeft(longhaul, before);
});

test('W1: who subscribes before being let in is closed with 4401, who takes an id twice with 4409', async () => {
  const early = await RawSocket.connect(longhaul.url);
  early.subscribe('1', { query, variables: { id: job.id } });
  expect(await early.closed).toBe(4401);
  const twice = await RawSocket.open(longhaul.url, await workspace.key());
  for (const _ of [1, 2]) twice.subscribe('1', { query, variables: { id: job.id } });
  expect(await twice.closed).toBe(4409);
  await untilNothingIsLeft(longhaul, before);
});

test('W3: who has not answered a ping by the next one is cut, and nobody else', async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const heartbeat = new Heartbeat(server.clients);
  onTestFinished(() => {
    heartbeat.stop();
    server.close();
  });
  server.on('connection', (socket) => socket.on('pong', () => heartbeat.heard(socket)));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const open = async (options: { autoPong: boolean }) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, options);
    onTestFinished(() => socket.terminate());
    await once(socket, 'open');
    return socket;
  };
  const [alive, silent] = [await open({ autoPong: true }), await open({ autoPong: false })];
  const cut = once(silent, 'close');
  for (let beat = 0; beat < 3; beat += 1) {
    const pinged = once(alive, 'ping');
    heartbeat.beat();
    await pinged;
    // What the server has read after this came after the pong.
    const answered = Promise.withResolvers<void>();
    for (const socket of server.clients) socket.once('message', () => answered.resolve());
    alive.send('');
    await answered.promise;
  }
  expect((await cut)[0]).toBe(1006);
  expect([alive.readyState, server.clients.size]).toEqual([WebSocket.OPEN, 1]);
});

test('S3: a client that floods with queries and does not read is closed, and others are answered meanwhile', async () => {
  const key = await workspace.key();
  const large = await submit(longhaul, workspace.id, {
    type: 'tool',
    input: { sourceUrl: 'https://example.com/video.mp4', padding: Array.from({ length: 12 }, () => 'x'.repeat(19_000)) },
  });
  const aliases = Array.from({ length: 40 }, (_, index) => `i${index}: input`).join(' ');
  const flooding = await RawSocket.open(longhaul.url, key);
  flooding.ws.pause();
  // 9 MiB each.
  for (let index = 0; index < 20; index += 1) {
    flooding.subscribe(String(index), { query: `query ($id: ID!) { job(id: $id) { ${aliases} } }`, variables: { id: large.id } });
  }
  const reading = await RawSocket.open(longhaul.url, key);
  reading.subscribe('1', { query: '{ jobTypes { name } }' });
  await reading.end('1');
  await untilFigures(longhaul, { websockets: 1 });
  flooding.ws.resume();
  expect([1006, 1013]).toContain(await flooding.closed);
  reading.ws.close();
  await untilNothingIsLeft(longhaul, before);
});

/** Watches all jobs; the subscription has been accepted or refused when this resolves. */
async function watchAll(socket: RawSocket, id: string): Promise<void> {
  socket.subscribe(id, { query: 'subscription { jobUpdates { cursor } }' });
  socket.subscribe(`after ${id}`, { query: '{ jobTypes { name } }' });
  await socket.end(`after ${id}`);
}

/** A message of about this size. */
function pingOf(bytes: number): object {
  return { type: 'ping', payload: { padding: 'x'.repeat(bytes - 50) } };
}
