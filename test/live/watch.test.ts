import { parse } from 'graphql';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Job } from '../../src/jobs/model/job.ts';
import { JobProgressDocument, type JobProgressSubscription } from '../graphql/generated/graphql.ts';
import { next, rest, transports, type Watch, watchSocket } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { backend, type Longhaul, sharedLonghaul, startLonghaul, type TestWorkspace } from '../support/longhaul.ts';
import { claim, globalId, submit } from '../support/steps.ts';

let longhaul: Longhaul;
let workspace: TestWorkspace;
let key: string;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
  workspace = await longhaul.workspace();
  key = await workspace.key();
});
afterAll(() => longhaul.stop());

type JobWatch = Watch<JobProgressSubscription>;

overEach('P1, P2, P3: a watcher sees the job as it is, then newer versions, the final one once, then the end', async (open) => {
  const job = await submit(longhaul, workspace.id);
  const watch = open(job);
  const seen = [(await next(watch)).jobProgress];
  expect(seen[0]).toEqual({
    id: globalId(job),
    version: 1,
    status: 'PENDING',
    progress: null,
    downloadUrl: null,
    cancelReason: null,
  });
  const token = await claim(longhaul, job);
  seen.push((await next(watch)).jobProgress);
  for (const percentage of [25, 50]) {
    await longhaul.services.jobs.report(null, { token, step: 'working', percentage });
    seen.push((await next(watch)).jobProgress);
  }
  await longhaul.services.jobs.complete(null, { token, output: { done: true } });
  seen.push(...(await rest(watch)).map(({ jobProgress }) => jobProgress));

  expect(seen.map(({ status, progress }) => [status, progress?.percentage ?? null])).toEqual([
    ['PENDING', null],
    ['RUNNING', null],
    ['RUNNING', 25],
    ['RUNNING', 50],
    ['COMPLETED', 50],
  ]);
  const versions = seen.map(({ version }) => version);
  expect(versions).toEqual([...new Set(versions)].toSorted((a, b) => a - b));
});

overEach('P1, P3: a job that had ended is sent once, and that is all', async (open) => {
  const job = await cancelled();
  expect(await rest(open(job))).toMatchObject([
    { jobProgress: { status: 'CANCELLED', version: job.version, cancelReason: 'watched' } },
  ]);
});

overEach('a plain UUID names the job as well', async (open) => {
  const job = await cancelled();
  expect(await rest(open(job, undefined, job.id))).toMatchObject([{ jobProgress: { id: globalId(job) } }]);
});

overEach('P4: with afterVersion, what was seen before is left out', async (open) => {
  const job = await submit(longhaul, workspace.id);
  const watch = open(job, 1);
  const first = next(watch);
  await watched();
  const token = await claim(longhaul, job);
  expect(await first).toMatchObject({ jobProgress: { version: 2, status: 'RUNNING' } });
  await longhaul.services.jobs.complete(null, { token });
  expect(await rest(watch)).toMatchObject([{ jobProgress: { version: 3, status: 'COMPLETED' } }]);
});

overEach('P4: with afterVersion just before the final version, only that is sent', async (open) => {
  const job = await cancelled();
  expect(await rest(open(job, job.version - 1))).toMatchObject([{ jobProgress: { status: 'CANCELLED' } }]);
});

overEach('P4: with afterVersion at or past the final version it only ends', async (open) => {
  const job = await cancelled();
  expect(await rest(open(job, job.version))).toEqual([]);
  expect(await rest(open(job, job.version + 10))).toEqual([]);
});

overEach('P4: with afterVersion past the final version of a job that still runs it ends with the job', async (open) => {
  const job = await submit(longhaul, workspace.id);
  const all = rest(open(job, 100));
  await watched();
  await longhaul.services.jobs.cancel(workspace.id, job.id);
  expect(await all).toEqual([]);
});

overEach('who leaves is watched for no more', async (open) => {
  const job = await submit(longhaul, workspace.id);
  const watch = open(job);
  await next(watch);
  expect(longhaul.services.jobs.watched.jobs).toBe(1);
  await watch.return?.();
  await nobodyWatches();
});

overEach('S1: two who watch one job see the same', async (open) => {
  const job = await submit(longhaul, workspace.id);
  const watches = [open(job), open(job)];
  for (const watch of watches) expect(await next(watch)).toMatchObject({ jobProgress: { version: 1 } });
  // One entry for the job, however many watch it.
  expect(longhaul.services.jobs.watched.jobs).toBe(1);
  const all = watches.map((watch) => rest(watch));
  await longhaul.services.jobs.cancel(workspace.id, job.id);
  for (const seen of await Promise.all(all)) expect(seen).toMatchObject([{ jobProgress: { status: 'CANCELLED' } }]);
  await nobodyWatches();
});

overEach('S1: one who leaves takes nothing from another', async (open) => {
  const job = await submit(longhaul, workspace.id);
  const [leaving, staying] = [open(job), open(job)];
  await Promise.all([next(leaving), next(staying)]);
  await leaving.return?.();
  const all = rest(staying);
  await longhaul.services.jobs.cancel(workspace.id, job.id);
  expect(await all).toMatchObject([{ jobProgress: { status: 'CANCELLED' } }]);
});

test('many jobs are watched over one socket and end each for itself', async () => {
  const jobs = await Promise.all(Array.from({ length: 5 }, () => submit(longhaul, workspace.id)));
  const watches = jobs.map((job) => watchSocket(longhaul.url, key, JobProgressDocument, { id: globalId(job) }));
  for (const watch of watches) await next(watch);
  const all = watches.map((watch) => rest(watch));
  for (const job of jobs) await longhaul.services.jobs.cancel(workspace.id, job.id);
  expect((await Promise.all(all)).map((events) => events.map(({ jobProgress }) => jobProgress.id))).toEqual(
    jobs.map((job) => [globalId(job)]),
  );
});

test.each([
  { what: 'a wrong key', params: { authorization: `Bearer lh_${'0'.repeat(64)}` } },
  { what: 'no key', params: {} },
  { what: 'a key that is no text', params: { authorization: 7 } },
])('W1: a socket with $what is closed with 4401', async ({ params }) => {
  const socket = new WebSocket(`${longhaul.url.replace(/^http/, 'ws')}/graphql`, 'graphql-transport-ws');
  socket.addEventListener('open', () => socket.send(JSON.stringify({ type: 'connection_init', payload: params })));
  const closed = await new Promise<CloseEvent>((resolve) => socket.addEventListener('close', resolve));
  expect({ code: closed.code, reason: closed.reason }).toEqual({ code: 4401, reason: 'Invalid or missing API key' });
});

test('W1: a socket takes the key as apiKey too', async () => {
  const socket = new WebSocket(`${longhaul.url.replace(/^http/, 'ws')}/graphql`, 'graphql-transport-ws');
  socket.addEventListener('open', () => socket.send(JSON.stringify({ type: 'connection_init', payload: { apiKey: key } })));
  const answer = await new Promise<MessageEvent>((resolve) => socket.addEventListener('message', resolve));
  socket.close();
  expect(JSON.parse(String(answer.data))).toEqual({ type: 'connection_ack' });
});

test('W1: nothing but /graphql takes sockets', async () => {
  const socket = new WebSocket(`${longhaul.url.replace(/^http/, 'ws')}/elsewhere`, 'graphql-transport-ws');
  const closed = await new Promise<CloseEvent>((resolve) => socket.addEventListener('close', resolve));
  expect(closed.code).toBe(1006);
});

test.each([
  { what: 'a field that there is not', document: 'subscription { nothing }', code: 'BAD_USER_INPUT' },
  {
    what: 'a selection nested too deeply',
    document: `subscription { jobProgress(id: "x") { ${'retryOf { '.repeat(40)} id ${'} '.repeat(40)} } }`,
    code: 'LIMIT_EXCEEDED',
  },
])('$what is refused over a socket as it is over HTTP', async ({ document, code }) => {
  const watch = watchSocket(longhaul.url, key, parse(document), {});
  await expect(watch.next()).rejects.toMatchObject([{ extensions: { code } }]);
});

test.skipIf(backend === 'embedded')('a watcher on another process sees every change', async () => {
  const second = await startLonghaul({}, { sharing: longhaul });
  try {
    for (const { watch: open } of transports) {
      const job = await submit(longhaul, workspace.id);
      const watch = open(second.url, key, JobProgressDocument, { id: globalId(job) });
      expect(await next(watch)).toMatchObject({ jobProgress: { version: 1 } });
      const token = await claim(longhaul, job);
      expect(await next(watch)).toMatchObject({ jobProgress: { version: 2, status: 'RUNNING' } });
      await longhaul.services.jobs.complete(null, { token });
      expect(await rest(watch)).toMatchObject([{ jobProgress: { version: 3, status: 'COMPLETED' } }]);
    }
  } finally {
    await second.stop();
  }
});

test.each(transports)('S4, E3: a watcher over $over is not told that all was said when the process stops', async ({ watch: open }) => {
  const stopping = await startLonghaul();
  const tenant = await stopping.workspace();
  const job = await submit(stopping, tenant.id);
  const watch = open(stopping.url, await tenant.key(), JobProgressDocument, { id: globalId(job) });
  await next(watch);
  const following = watch.next();
  const refused = expect(following).rejects.toBeDefined();
  await stopping.stop();
  await refused;
});

/** The same scenario over WebSocket and over server-sent events; nobody watches afterwards. */
function overEach(
  scenario: string,
  run: (open: (job: Job, afterVersion?: number, id?: string) => JobWatch) => Promise<void>,
): void {
  test.each(transports)(`over $over: ${scenario}`, async ({ watch }) => {
    await run((job, afterVersion, id = globalId(job)) =>
      watch(longhaul.url, key, JobProgressDocument, { id, afterVersion: afterVersion ?? null }),
    );
    await nobodyWatches();
  });
}

async function cancelled(): Promise<Job> {
  const job = await submit(longhaul, workspace.id);
  return longhaul.services.jobs.cancel(workspace.id, job.id, { reason: 'watched' });
}

/** Until the server has somebody who watches. */
async function watched(): Promise<void> {
  await eventually(() => expect(longhaul.services.jobs.watched.jobs).toBe(1));
}

async function nobodyWatches(): Promise<void> {
  await eventually(() => expect(longhaul.services.jobs.watched.jobs).toBe(0));
}
