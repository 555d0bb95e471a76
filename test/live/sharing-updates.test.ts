import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Job } from '../../src/jobs/model/job.ts';
import { Tenant } from '../support/domain.ts';
import { type Figures, figuresOf, untilFigures, untilNothingIsLeft } from '../support/figures.ts';
import { type Longhaul, sharedLonghaul, type TestWorkspace } from '../support/longhaul.ts';
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

const query = `subscription ($after: String) { jobUpdates(after: $after) { cursor job { uuid version status } } }`;

interface Seen {
  cursor: string;
  job: { uuid: string; version: number };
}

const seenBy = (socket: RawSocket, id: string): Seen[] =>
  socket.payloads(id).map((payload) => JSON.parse(payload).data.jobUpdates);

const changesSeen = (socket: RawSocket, id: string) => new Set(seenBy(socket, id).map(({ job }) => `${job.uuid} ${job.version}`));

/** Watches from now on, and gives the cursor of a place that everything to come is behind. */
async function begin(socket: RawSocket): Promise<string> {
  socket.subscribe('first', { query });
  // A watch from now on does not say when it has begun.
  await expect.poll(async () => (await tenant.create(), changesSeen(socket, 'first').size)).toBeGreaterThan(0);
  const mark = await tenant.create();
  await expect.poll(() => changesSeen(socket, 'first')).toContain(changeOf(mark));
  return seenBy(socket, 'first').find(({ job }) => job.uuid === mark.id)?.cursor ?? '';
}

const changeOf = ({ id, version }: Job) => `${id} ${version}`;

test('S1, U1: watchers that come back from places of their own see what they missed, then share what is to come', async () => {
  const socket = await RawSocket.open(longhaul.url, key);
  await begin(socket);
  const already = seenBy(socket, 'first').length;
  const jobs: Job[] = [];
  for (let count = 0; count < 6; count += 1) jobs.push(await tenant.create());
  await expect.poll(() => seenBy(socket, 'first').length).toBe(already + 6);
  const cursors = seenBy(socket, 'first').slice(already).map(({ cursor }) => cursor);

  for (const [index, after] of cursors.entries()) socket.subscribe(`from ${index}`, { query, variables: { after } });
  for (const [index] of cursors.entries()) {
    await expect.poll(() => changesSeen(socket, `from ${index}`)).toEqual(new Set(jobs.slice(index + 1).map(changeOf)));
  }
  await untilFigures(longhaul, { subscriptions: 7, broadcasts: 1 });

  const cancelled = await tenant.cancel(jobs[0]?.id ?? '');
  const late = await tenant.create();
  for (const id of ['first', ...cursors.map((_, index) => `from ${index}`)]) {
    await expect.poll(() => changesSeen(socket, id)).toContain(changeOf(late));
    expect(changesSeen(socket, id)).toContain(changeOf(cancelled));
  }
  socket.ws.close();
  await untilNothingIsLeft(longhaul, before);
});

test('U1: nothing is lost where changes go on while a watcher catches up and is handed over', async () => {
  const socket = await RawSocket.open(longhaul.url, key);
  const after = await begin(socket);
  const jobs: Job[] = [];
  for (let round = 0; round < 10; round += 1) {
    jobs.push(...(await tenant.createAll(Array.from({ length: 20 }, () => ({})))));
    socket.subscribe(`from ${round}`, { query, variables: { after } });
  }
  jobs.push(await tenant.create());
  for (let round = 0; round < 10; round += 1) {
    await expect.poll(() => changesSeen(socket, `from ${round}`)).toEqual(new Set(jobs.map(changeOf)));
  }
  await untilFigures(longhaul, { subscriptions: 11, broadcasts: 1 });
  socket.ws.close();
  await untilNothingIsLeft(longhaul, before);
});

test('a watcher that leaves while it is handed over leaves nothing behind', async () => {
  const socket = await RawSocket.open(longhaul.url, key);
  const after = await begin(socket);
  socket.complete('first');
  for (let round = 0; round < 200; round += 1) {
    socket.subscribe(`round ${round}`, { query, variables: { after } });
    for (let turn = 0; turn < round % 5; turn += 1) await new Promise(setImmediate);
    socket.complete(`round ${round}`);
  }
  await untilFigures(longhaul, { subscriptions: 0, broadcasts: 0 });
  socket.ws.close();
  await untilNothingIsLeft(longhaul, before);
});
