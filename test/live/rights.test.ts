import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAccessToken } from '../../src/workspaces/create-access-token.ts';
import { authenticate } from '../../src/workspaces/authenticate.ts';
import { untilFigures } from '../support/figures.ts';
import { type Longhaul, sharedLonghaul } from '../support/longhaul.ts';
import { RawEvents } from '../support/raw-events.ts';
import { RawSocket } from '../support/raw-socket.ts';
import { submit } from '../support/steps.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
});
afterAll(() => longhaul.stop());

const query = 'subscription ($id: ID!) { jobProgress(id: $id) { uuid status } }';
/** Has a field that no token may see. */
const wide = 'subscription ($id: ID!) { jobProgress(id: $id) { status webhookDeliveries(first: 1) { pageInfo { hasNextPage } } } }';

test('S1, P8: the job of another workspace is not found while its owner watches it, also in the same tick', async () => {
  const [owner, stranger] = [await longhaul.workspace(), await longhaul.workspace()];
  const job = await submit(longhaul, owner.id);
  const sockets = await Promise.all([owner, stranger].map(async (one) => RawSocket.open(longhaul.url, await one.key())));
  const [own, strange] = sockets;
  if (own === undefined || strange === undefined) throw new Error('no sockets');
  for (const socket of [strange, own, strange, own]) {
    socket.subscribe(`${socket.texts.length} ${Math.random()}`, { query, variables: { id: job.id } });
  }
  own.subscribe('watch', { query, variables: { id: job.id } });
  strange.subscribe('watch', { query, variables: { id: job.id } });
  expect(await refusalOf(strange, 'watch')).toEqual(['NOT_FOUND']);
  await own.until(() => own.payloads('watch').length === 1);
  // And once more, now that there is something to join.
  strange.subscribe('again', { query, variables: { id: job.id } });
  expect(await refusalOf(strange, 'again')).toEqual(['NOT_FOUND']);
  const events = await RawEvents.open(longhaul.url, await stranger.key(), { query, variables: { id: job.id } });
  expect((await events.end())[0]?.data).toContain('NOT_FOUND');
  await untilFigures(longhaul, { broadcasts: 1 });

  await longhaul.services.jobs.cancel(owner.id, job.id);
  await own.end('watch');
  expect(strange.texts.join()).not.toContain(job.id);
  expect(events.text).not.toContain(job.id);
});

test.each([
  { what: 'that names no job', id: 'no id at all' },
  { what: 'of a job that there is not', id: '01890000-0000-7000-8000-000000000000' },
  { what: 'of something else', id: 'wsp_x' },
  { what: 'that is empty', id: '' },
  { what: 'that is very long', id: 'x'.repeat(100_000) },
])('P8: an id $what is not found', async ({ id }) => {
  const key = await (await longhaul.workspace()).key();
  const socket = await RawSocket.open(longhaul.url, key);
  socket.subscribe('1', { query, variables: { id } });
  expect(await refusalOf(socket, '1')).toEqual(['NOT_FOUND']);
  const events = await RawEvents.open(longhaul.url, key, { query, variables: { id } });
  expect((await events.end())[0]?.data).toContain('NOT_FOUND');
});

test('S1: of two keys, the one without READ is refused while the other watches, in whichever order they come', async () => {
  const workspace = await longhaul.workspace();
  const job = await submit(longhaul, workspace.id);
  const reader = await RawSocket.open(longhaul.url, await workspace.key({ scopes: ['READ'] }));
  const writer = await RawSocket.open(longhaul.url, await workspace.key({ scopes: ['WRITE'] }));
  writer.subscribe('1', { query, variables: { id: job.id } });
  reader.subscribe('1', { query, variables: { id: job.id } });
  expect(await refusalOf(writer, '1')).toEqual(['FORBIDDEN']);
  await reader.until(() => reader.payloads('1').length === 1);
  writer.subscribe('2', { query, variables: { id: job.id } });
  expect(await refusalOf(writer, '2')).toEqual(['FORBIDDEN']);
});

test('S1: a key and a token made with it, on a document with a field that tokens may not see, each get their own', async () => {
  const workspace = await longhaul.workspace();
  const key = await workspace.key();
  const job = await submit(longhaul, workspace.id);
  const token = await tokenOf(key, { jobId: job.id });
  const [byKey, byToken] = [await RawSocket.open(longhaul.url, key), await RawSocket.open(longhaul.url, token)];
  for (const socket of [byKey, byToken]) socket.subscribe('1', { query: wide, variables: { id: job.id } });
  for (const socket of [byToken, byKey]) await socket.until(() => socket.payloads('1').length === 1);
  await untilFigures(longhaul, { broadcasts: 2 });
  await longhaul.services.jobs.cancel(workspace.id, job.id);
  await Promise.all([byKey.end('1'), byToken.end('1')]);

  for (const payload of byKey.payloads('1')) expect(payload).toContain('"hasNextPage":false');
  for (const payload of byToken.payloads('1')) {
    expect(payload).toContain('FORBIDDEN');
    expect(payload).not.toContain('hasNextPage":');
  }
});

test('S1: tokens for two jobs and for a tag each see what is theirs, subscribed in the same tick', async () => {
  const workspace = await longhaul.workspace();
  const key = await workspace.key();
  const a = await submit(longhaul, workspace.id, { tags: ['red'] });
  const b = await submit(longhaul, workspace.id, { tags: ['blue'] });
  const restrictions = [{ jobId: a.id }, { jobId: b.id }, { tag: 'red' }, { tag: 'blue' }];
  const sockets = await Promise.all(
    restrictions.map(async (restriction) => RawSocket.open(longhaul.url, await tokenOf(key, restriction))),
  );
  for (const socket of sockets) {
    socket.subscribe('a', { query, variables: { id: a.id } });
    socket.subscribe('b', { query, variables: { id: b.id } });
  }
  for (const [index, socket] of sockets.entries()) {
    const [mine, theirs] = index % 2 === 0 ? ['a', 'b'] : ['b', 'a'];
    expect(await refusalOf(socket, theirs)).toEqual(['NOT_FOUND']);
    await socket.until(() => socket.payloads(mine).length === 1);
    expect(socket.texts.join()).not.toContain(index % 2 === 0 ? b.id : a.id);
  }
});

test('S1: a second token for the same thing, made with the same key, shares with the first', async () => {
  const workspace = await longhaul.workspace();
  const key = await workspace.key();
  const job = await submit(longhaul, workspace.id);
  await untilFigures(longhaul, { broadcasts: 0 });
  for (const ttlSeconds of [100, 200]) {
    const socket = await RawSocket.open(longhaul.url, await tokenOf(key, { jobId: job.id, ttlSeconds }));
    socket.subscribe('1', { query, variables: { id: job.id } });
    await socket.until(() => socket.payloads('1').length === 1);
  }
  await untilFigures(longhaul, { subscriptions: 2, broadcasts: 1 });
});

async function tokenOf(key: string, asked: { jobId?: string; tag?: string; ttlSeconds?: number }): Promise<string> {
  const { services } = longhaul;
  const viewer = await authenticate(services, { secret: key, address: '127.0.0.1' }, 'NATIVE');
  return (await createAccessToken(services.jobs, services.accessTokens, viewer, asked)).token;
}

/** What the operation was refused with: one event that has errors and no data, and the end. */
async function refusalOf(socket: RawSocket, id: string): Promise<unknown[]> {
  await socket.end(id);
  return socket.payloads(id).flatMap((payload) => {
    const { data, errors } = JSON.parse(payload);
    return data == null ? errors.map(({ extensions }: { extensions: { code: string } }) => extensions.code) : ['data'];
  });
}
