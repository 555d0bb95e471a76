import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { logTopic } from '../../src/jobs/feed/announcer.ts';
import { WatchLogsDocument, type WatchLogsSubscription } from '../graphql/generated/graphql.ts';
import { next, rest, transports, type Watch, watchSocket } from '../support/client.ts';
import { type HeldJob, Tenant } from '../support/domain.ts';
import { type Figures, figuresOf, untilFigures, untilNothingIsLeft } from '../support/figures.ts';
import { type Longhaul, sharedLonghaul, type TestWorkspace } from '../support/longhaul.ts';
import { RawEvents } from '../support/raw-events.ts';
import { RawSocket } from '../support/raw-socket.ts';

let longhaul: Longhaul;
let workspace: TestWorkspace;
let tenant: Tenant;
let key: string;
let before: Figures;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
  workspace = await longhaul.workspace();
  tenant = Tenant.of(longhaul, workspace.id);
  key = await workspace.key();
  before = await figuresOf(longhaul);
});
afterAll(() => longhaul.stop());

type LogWatch = Watch<WatchLogsSubscription>;
type Lines = WatchLogsSubscription['jobLogs'];

const query = `subscription ($id: ID!, $afterSequence: Int, $level: LogLevel) {
  jobLogs(id: $id, afterSequence: $afterSequence, level: $level) { sequence message }
}`;

const messages = (lines: Lines) => lines.map(({ message }) => message);
const upTo = (last: number, first = 1) => Array.from({ length: last - first + 1 }, (_, index) => first + index);

/** The same scenario over WebSocket and over server-sent events; nobody watches afterwards. */
function overEach(
  scenario: string,
  run: (open: (job: HeldJob, from?: { afterSequence?: number; level?: 'DEBUG' | 'WARN' }) => LogWatch) => Promise<void>,
): void {
  test.each(transports)(`over $over: ${scenario}`, async ({ watch }) => {
    await run(({ job }, from = {}) => watch(longhaul.url, key, WatchLogsDocument, { id: job.id, ...from }));
    await untilNothingIsLeft(longhaul, before);
  });
}

/** Of further events until this sequence. */
async function until(watch: LogWatch, last: number): Promise<Lines> {
  const seen: Lines = [];
  while ((seen.at(-1)?.sequence ?? 0) < last) seen.push(...(await next(watch)).jobLogs);
  return seen;
}

async function untilEnd(watch: LogWatch): Promise<Lines> {
  return (await rest(watch)).flatMap(({ jobLogs }) => jobLogs);
}

overEach('G1, G2: a watcher sees what there is, then what comes, and the end after the last line', async (open) => {
  const held = await tenant.running();
  await tenant.log(held.token, 'one', 'two');
  const watch = open(held);
  expect(messages(await until(watch, 2))).toEqual(['one', 'two']);
  await tenant.log(held.token, 'three');
  expect(messages(await until(watch, 3))).toEqual(['three']);
  await tenant.log(held.token, 'four', 'five');
  await tenant.complete(held.token);
  expect(messages(await untilEnd(watch))).toEqual(['four', 'five']);
});

overEach('G1: thousands of lines arrive in order, each once, at most a hundred in one event', async (open) => {
  const held = await tenant.running();
  const thousand = () => tenant.log(held.token, ...Array.from({ length: 1_000 }, (_, index) => `line ${index}`));
  await thousand();
  const watch = open(held);
  const first = await next(watch);
  await thousand();
  await tenant.complete(held.token);
  const events = [first, ...(await rest(watch))].map(({ jobLogs }) => jobLogs);
  expect(events.flat().map(({ sequence }) => sequence)).toEqual(upTo(2_000));
  expect(Math.max(...events.map(({ length }) => length))).toBeLessThanOrEqual(100);
});

overEach('G2: a job that had ended is sent whole; one without lines only ends', async (open) => {
  const [told, silent] = [await tenant.running(), await tenant.running()];
  await tenant.log(told.token, 'one', 'two');
  await tenant.complete(told.token);
  await tenant.cancel(silent.job.id);
  expect(messages(await untilEnd(open(told)))).toEqual(['one', 'two']);
  expect(await untilEnd(open(silent))).toEqual([]);
});

overEach('G2: a job that waits for another attempt has not ended', async (open) => {
  const held = await tenant.running();
  const watch = open(held);
  await tenant.log(held.token, 'first attempt');
  await tenant.release(held.token);
  expect(messages(await until(watch, 1))).toEqual(['first attempt']);
  const second = await tenant.start(held.job);
  await tenant.log(second.token, 'second attempt');
  await tenant.fail(second.token, { retryable: false });
  expect(messages(await untilEnd(watch))).toEqual(['second attempt']);
});

overEach('G3: with afterSequence, only later lines are sent', async (open) => {
  const held = await tenant.running();
  await tenant.log(held.token, 'one', 'two', 'three');
  const [watch, ahead] = [open(held, { afterSequence: 2 }), open(held, { afterSequence: 4 })];
  expect(messages(await until(watch, 3))).toEqual(['three']);
  await tenant.log(held.token, 'four', 'five');
  await tenant.complete(held.token);
  expect(messages(await untilEnd(watch))).toEqual(['four', 'five']);
  expect(messages(await untilEnd(ahead))).toEqual(['five']);
  expect(await untilEnd(open(held, { afterSequence: 5 }))).toEqual([]);
  expect(await untilEnd(open(held, { afterSequence: 2_000_000_000 }))).toEqual([]);
});

overEach('G4: with a level, only lines of that one and above are sent', async (open) => {
  const held = await tenant.running();
  await tenant.log(held.token, { level: 'DEBUG', message: 'old detail' }, { level: 'WARN', message: 'old warning' });
  const watch = open(held, { level: 'WARN' });
  expect(messages(await until(watch, 2))).toEqual(['old warning']);
  await tenant.log(held.token, { level: 'INFO', message: 'news' });
  await tenant.log(held.token, { level: 'ERROR', message: 'trouble' }, { level: 'DEBUG', message: 'detail' });
  await tenant.complete(held.token);
  expect(messages(await untilEnd(watch))).toEqual(['trouble']);
});

overEach('G5: who comes late begins with the first line that is kept', async (open) => {
  const held = await tenant.running();
  for (let call = 0; call < 10; call += 1) await tenant.log(held.token, ...Array.from({ length: 1_000 }, () => ''));
  await tenant.log(held.token, 'one too many', 'another');
  await tenant.complete(held.token);
  expect((await untilEnd(open(held))).map(({ sequence }) => sequence)).toEqual(upTo(10_002, 3));
});

overEach('G7: a job that is not there, or is another tenant\'s, is refused', async () => {
  const stranger = await (await Tenant.in(longhaul)).create();
  for (const id of [stranger.id, 'nonsense']) {
    const socket = await RawSocket.open(longhaul.url, key);
    socket.subscribe('refused', { query, variables: { id } });
    await socket.end('refused');
    expect(socket.messages('refused')).toMatchObject([{ payload: { errors: [{ extensions: { code: 'NOT_FOUND' } }] } }, { type: 'complete' }]);
    socket.ws.close();
  }
});

test('S1, S2: many who watch one log over either transport, from where they are, are read and rendered for once', async () => {
  const held = await tenant.running();
  await tenant.log(held.token, 'one', 'two', 'three');
  const socket = await RawSocket.open(longhaul.url, key);
  const places = upTo(20).map((index) => index % 4);
  for (const [index, afterSequence] of places.entries()) socket.subscribe(`watch ${index}`, { query, variables: { id: held.job.id, afterSequence } });
  const stream = await RawEvents.open(longhaul.url, key, { query, variables: { id: held.job.id } }, { lastEventId: '2' });
  await untilFigures(longhaul, { subscriptions: 21, broadcasts: 1, watched_logs: 1 });
  const seen = (index: number) => socket.payloads(`watch ${index}`);
  await socket.until(() => places.every((place, index) => place === 3 || seen(index).some((text) => text.includes('three'))));
  await stream.until(() => stream.payloads.length === 1);

  await tenant.log(held.token, 'four');
  await socket.until(() => places.every((_, index) => seen(index).at(-1)?.includes('four') === true));
  await tenant.complete(held.token);
  await Promise.all(places.map((_, index) => socket.end(`watch ${index}`)));
  await stream.end();
  const four = '{"data":{"jobLogs":[{"sequence":4,"message":"four"}]}}';
  const three = '{"data":{"jobLogs":[{"sequence":3,"message":"three"}]}}';
  for (const [index, place] of places.entries()) {
    const lines: { sequence: number }[] = seen(index).flatMap((text) => JSON.parse(text).data.jobLogs);
    expect(lines.map(({ sequence }) => sequence)).toEqual(upTo(4, place + 1));
    expect(seen(index).at(-1)).toBe(four);
  }
  // E2: the id of an event is the sequence of its last line.
  expect(stream.events).toEqual([
    { event: 'next', id: '3', data: three },
    { event: 'next', id: '4', data: four },
    { event: 'complete', id: null, data: '' },
  ]);
  socket.ws.close();
  await untilNothingIsLeft(longhaul, before);
});

test.each([
  { how: 'a literal', asked: 'subscription ($id: ID!) { jobLogs(id: $id, afterSequence: 2) { sequence message } }' },
  { how: 'a default', asked: 'subscription ($id: ID!, $from: Int = 2) { jobLogs(id: $id, afterSequence: $from) { sequence message } }' },
])('G3: the place may be $how of the document, too', async ({ asked }) => {
  const held = await tenant.running();
  await tenant.log(held.token, 'one', 'two', 'three');
  await tenant.complete(held.token);
  const stream = await RawEvents.open(longhaul.url, key, { query: asked, variables: { id: held.job.id } });
  await stream.end();
  expect(stream.payloads).toEqual(['{"data":{"jobLogs":[{"sequence":3,"message":"three"}]}}']);
});

test('P5, G2: lines that race with the end of the job are all sent, and those that lose are not written', async () => {
  for (let round = 0; round < 15; round += 1) {
    const held = await tenant.running();
    // Half of them have no line before, the others some.
    if (round % 2 === 0) await tenant.log(held.token, 'before');
    const all = untilEnd(watchSocket(longhaul.url, key, WatchLogsDocument, { id: held.job.id }));
    if (round % 3 !== 0) await untilFigures(longhaul, { watched_logs: 1 });
    const calls = await Promise.allSettled([
      tenant.log(held.token, 'a', 'b'),
      round % 2 === 0 ? tenant.complete(held.token) : tenant.cancel(held.job.id),
      tenant.log(held.token, 'c'),
    ]);
    const written = (await tenant.lines(held.job.id)).map(({ message }) => message);
    expect(messages(await all)).toEqual(written);
    const [first, , last] = calls.map(({ status }) => status === 'fulfilled');
    expect(written).toEqual([...(round % 2 === 0 ? ['before'] : []), ...(first ? ['a', 'b'] : []), ...(last ? ['c'] : [])]);
  }
  await untilNothingIsLeft(longhaul, before);
});

test('P6: a wake-up that is lost costs no line: the next poll reads it', async () => {
  const held = await tenant.running();
  const watch = watchSocket(longhaul.url, key, WatchLogsDocument, { id: held.job.id });
  const first = next(watch);
  await untilFigures(longhaul, { watched_logs: 1 });
  const { bus, loops } = longhaul.services;
  const publish = vi.spyOn(bus, 'publish').mockImplementation(() => undefined);
  try {
    await tenant.log(held.token, 'unheard');
    expect(publish).toHaveBeenCalledWith(logTopic(held.job.id), '');
  } finally {
    publish.mockRestore();
  }
  const loop = loops.find(({ name }) => name === 'reading watched logs');
  expect(loop?.succeededAt).not.toBeNull();
  expect(await first).toMatchObject({ jobLogs: [{ message: 'unheard' }] });
  await watch.return?.();
  await untilNothingIsLeft(longhaul, before);
}, 20_000);
