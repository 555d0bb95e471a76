import { once } from 'node:events';
import { type ClientRequest, createServer, get, type ServerResponse } from 'node:http';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { OpenStreams } from '../../src/graphql/live/event-stream.ts';
import { type Figures, figuresOf, untilFigures, untilNothingIsLeft } from '../support/figures.ts';
import { type Longhaul, sharedLonghaul, type TestWorkspace } from '../support/longhaul.ts';
import { RawEvents } from '../support/raw-events.ts';
import { claim, submit } from '../support/steps.ts';

let longhaul: Longhaul;
let workspace: TestWorkspace;
let key: string;
let before: Figures;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
  workspace = await longhaul.workspace();
  key = await workspace.key();
  before = await figuresOf(longhaul);
});
afterAll(() => longhaul.stop());

const query = 'subscription ($id: ID!, $afterVersion: Int) { jobProgress(id: $id, afterVersion: $afterVersion) { version status } }';
const methods = ['POST', 'GET'] as const;

test.each(methods)('E1, E2: a %s is answered with events that have versions as ids, and with the end', async (method) => {
  const job = await submit(longhaul, workspace.id);
  const events = await RawEvents.open(longhaul.url, key, { query, variables: { id: job.id } }, { method });
  expect(events.response.statusCode).toBe(200);
  expect(events.response.headers).toMatchObject({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache, no-transform',
    'x-accel-buffering': 'no',
  });
  await events.until(() => events.payloads.length === 1);
  await claim(longhaul, job);
  await events.until(() => events.payloads.length === 2);
  await longhaul.services.jobs.cancel(workspace.id, job.id);

  expect(await events.over).toBe('ended');
  // A comment may come at any time: it keeps the connection open (E4).
  expect(events.text.replaceAll(/^:\n\n/gm, '')).toBe(
    'event: next\nid: 1\ndata: {"data":{"jobProgress":{"version":1,"status":"PENDING"}}}\n\n' +
      'event: next\nid: 2\ndata: {"data":{"jobProgress":{"version":2,"status":"RUNNING"}}}\n\n' +
      'event: next\nid: 3\ndata: {"data":{"jobProgress":{"version":3,"status":"CANCELLED"}}}\n\n' +
      'event: complete\ndata:\n\n',
  );
  await untilNothingIsLeft(longhaul, before);
});

test.each([
  { lastEventId: '2', afterVersion: undefined, ids: ['3'] },
  { lastEventId: '2', afterVersion: 0, ids: ['3'] },
  // A client that repeats its request states what it had seen at first.
  { lastEventId: '2', afterVersion: 1, ids: ['3'] },
  { lastEventId: '1', afterVersion: 2, ids: ['3'] },
  { lastEventId: '0', afterVersion: 3, ids: ['3'] },
  { lastEventId: '3', afterVersion: 1, ids: [] },
  { lastEventId: 'none of ours', afterVersion: 2, ids: ['3'] },
  { lastEventId: 'none of ours', afterVersion: 3, ids: [] },
  { lastEventId: '', afterVersion: 3, ids: [] },
])('E2: Last-Event-ID $lastEventId wins over afterVersion $afterVersion', async ({ lastEventId, afterVersion, ids }) => {
  const job = await submit(longhaul, workspace.id);
  await claim(longhaul, job);
  await longhaul.services.jobs.cancel(workspace.id, job.id);
  for (const method of methods) {
    const variables = { id: job.id, ...(afterVersion === undefined ? {} : { afterVersion }) };
    const events = await RawEvents.open(longhaul.url, key, { query, variables }, { method, lastEventId });
    const all = await events.end();
    expect(all.map(({ event, id }) => [event, id])).toEqual([...ids.map((id) => ['next', id]), ['complete', null]]);
  }
});

test('E3: a stream that was cut resumes from the last id, and misses nothing', async () => {
  const job = await submit(longhaul, workspace.id);
  const first = await RawEvents.open(longhaul.url, key, { query, variables: { id: job.id } });
  await first.until(() => first.payloads.length === 1);
  const [{ id: lastEventId } = { id: null }] = first.events;
  first.response.destroy();
  expect(await first.over).toBe('cut');
  await claim(longhaul, job);
  const options = lastEventId === null ? {} : { lastEventId };
  const second = await RawEvents.open(longhaul.url, key, { query, variables: { id: job.id } }, options);
  await second.until(() => second.payloads.length === 1);
  await longhaul.services.jobs.cancel(workspace.id, job.id);
  expect((await second.end()).map(({ id }) => id)).toEqual(['2', '3', null]);
});

test('E1, P8: a refusal is one event with errors, and the end', async () => {
  const events = await RawEvents.open(longhaul.url, key, { query, variables: { id: 'none' } });
  const [refusal, end, ...more] = await events.end();
  expect(JSON.parse(refusal?.data ?? '')).toMatchObject({ errors: [{ extensions: { code: 'NOT_FOUND' } }] });
  expect([refusal?.event, end?.event, more]).toEqual(['next', 'complete', []]);
  expect(await events.over).toBe('ended');
  await untilNothingIsLeft(longhaul, before);
});

test('E5: who has no key, a wrong one, or one in the URL, is refused and watches nothing', async () => {
  const job = await submit(longhaul, workspace.id);
  const asked = { query, variables: { id: job.id } };
  const wrong = await RawEvents.open(longhaul.url, `lh_${'0'.repeat(64)}`, asked);
  expect(wrong.response.statusCode).toBe(401);
  for (const search of [{}, { apiKey: key }, { authorization: `Bearer ${key}` }, { 'x-api-key': key }]) {
    const events = await RawEvents.open(longhaul.url, null, asked, { method: 'GET', search });
    await events.over;
    expect(`${events.response.statusCode} ${events.text}`).toMatch(/^401 |UNAUTHENTICATED|Unexpected|BAD_USER_INPUT/);
    expect(events.text).not.toContain(job.id);
    expect(events.text).not.toContain('PENDING');
  }
  const unauthenticated = await RawEvents.open(longhaul.url, null, asked);
  await unauthenticated.over;
  expect(unauthenticated.text).toContain('UNAUTHENTICATED');
  await untilFigures(longhaul, { broadcasts: 0, subscriptions: 0 });
});

test('E4: a quiet stream is sent comments, and one that has said everything is not', async () => {
  const streams = new OpenStreams();
  const [quiet, said] = [await responseOf(streams), await responseOf(streams)];
  said.response.write('data: last\n\n');
  said.response.end();
  streams.beat();
  streams.beat();
  quiet.response.end();
  expect((await quiet.answer).text).toBe('data: first\n\n:\n\n:\n\n');
  expect((await said.answer).text).toBe('data: first\n\ndata: last\n\n');
  await expect.poll(() => streams.size).toBe(0);
  await streams.stop();
});

test('E3: when the process stops, each stream is told when to come back and cut, those that open meanwhile too', async () => {
  const streams = new OpenStreams();
  const open = [await responseOf(streams), await responseOf(streams)];
  const said = await responseOf(streams);
  said.response.end();
  await streams.stop();
  const late = await responseOf(streams);
  for (const { answer } of [...open, late]) {
    const { text, cut } = await answer;
    const [, retry] = /^data: first\n\nretry: (\d+)\n\n$/.exec(text) ?? [];
    expect(Number(retry)).toBeGreaterThanOrEqual(1_000);
    expect(Number(retry)).toBeLessThanOrEqual(5_000);
    expect(cut).toBe(true);
  }
  expect(await said.answer).toEqual({ text: 'data: first\n\n', cut: false });
  await expect.poll(() => streams.size).toBe(0);
});

/** A response that has begun and that the streams know of, and its answer at the other end. */
async function responseOf(streams: OpenStreams) {
  const begun = Promise.withResolvers<ServerResponse>();
  const server = createServer((_request, response) => {
    response.writeHead(200).write('data: first\n\n');
    streams.add(response, 'events');
    begun.resolve(response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const answer = readToTheEnd(get(`http://127.0.0.1:${port}`));
  return { answer, response: await begun.promise };
}

/** Read at once, as it comes: a stream that breaks takes what nobody has read with it. */
function readToTheEnd(request: ClientRequest): Promise<{ text: string; cut: boolean }> {
  return new Promise((resolve) => {
    request.once('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('error', () => undefined);
      response.once('close', () => resolve({ text, cut: !response.complete }));
    });
  });
}
