import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { deleteLogs } from '../../src/jobs/logs/delete.ts';
import { JobDeletedError } from '../../src/jobs/model/job-errors.ts';
import { deleteEnded } from '../../src/jobs/retention/delete-jobs.ts';
import { JobProgressDocument, StartBulkActionDocument, type StartBulkActionInput, WatchLogsDocument } from '../graphql/generated/graphql.ts';
import { ask, next, rest, transports, type Watch } from '../support/client.ts';
import { endUnseen } from '../support/deleting.ts';
import { refusal, Tenant } from '../support/domain.ts';
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

const progress = 'subscription ($id: ID!) { jobProgress(id: $id) { status } }';
const logs = 'subscription ($id: ID!) { jobLogs(id: $id) { sequence } }';

const notFound = [{ message: expect.stringMatching(/^The job was deleted/), extensions: { code: 'NOT_FOUND' } }];

async function events<Data>(watch: Watch<Data>): Promise<unknown[]> {
  const all = [];
  for await (const event of watch) all.push(event);
  return all;
}

test.each(transports)('P9: over $over a watcher who missed the end of a job that is deleted is told that it is gone', async ({ watch: open }) => {
  const { job } = await tenant.running();
  const watches = [open(longhaul.url, key, JobProgressDocument, { id: job.id }), open(longhaul.url, key, JobProgressDocument, { id: job.id })];
  for (const watch of watches) expect(await next(watch)).toMatchObject({ jobProgress: { status: 'RUNNING' } });
  await endUnseen(longhaul, job);
  for (const watch of watches) expect(await events(watch)).toEqual([{ errors: notFound }]);
  await untilNothingIsLeft(longhaul, before);
});

test('P9, S2: it is an event with errors and no data, the same over each transport, and then the end', async () => {
  const { job } = await tenant.running();
  const socket = await RawSocket.open(longhaul.url, key);
  socket.subscribe('1', { query: progress, variables: { id: job.id } });
  const stream = await RawEvents.open(longhaul.url, key, { query: progress, variables: { id: job.id } });
  await socket.until(() => socket.payloads('1').length === 1);
  await stream.until(() => stream.payloads.length === 1);
  await endUnseen(longhaul, job);
  expect(await socket.end('1')).toEqual({ id: '1', type: 'complete' });
  expect((await stream.end()).slice(1)).toMatchObject([{ event: 'next', id: null }, { event: 'complete' }]);
  expect(socket.payloads('1')).toEqual(stream.payloads);
  const [, error = ''] = stream.payloads;
  expect(JSON.parse(error)).toEqual({ errors: notFound });
  socket.ws.close();
  await untilNothingIsLeft(longhaul, before);
});

test('P3, P9: who has not read what it was offered gets that first, and no error after the final version', async () => {
  const { services } = longhaul;
  const settled = () => services.loops.find(({ name }) => name === 'reading watched jobs')?.settle();
  const [ended, unseen] = [await tenant.create(), await tenant.create()];
  const watches = [services.jobs.watch(ended.id), services.jobs.watch(unseen.id)] as const;
  for (const watch of watches) expect(await watch.next()).toMatchObject({ value: { status: 'PENDING' } });
  await tenant.cancel(ended.id);
  await tenant.start(unseen);
  for (const { id } of [ended, unseen]) services.jobs.look(id);
  await settled();

  await services.database.transaction((transaction) => deleteEnded(transaction, [ended.id]));
  services.jobs.look(ended.id);
  await endUnseen(longhaul, unseen);
  services.jobs.look(unseen.id);
  await settled();
  expect(await watches[0].next()).toMatchObject({ value: { status: 'CANCELLED' } });
  expect(await watches[1].next()).toMatchObject({ value: { status: 'RUNNING' } });
  await refusal(JobDeletedError, watches[1].next());
  for (const watch of watches) expect(await watch.next()).toEqual({ value: undefined, done: true });
});

test.each(transports)('G8: over $over a watcher of the log of a job that is deleted with lines unsent is told that it is gone', async ({ watch: open }) => {
  const { job, token } = await tenant.running();
  await tenant.log(token, 'one', 'two');
  const watch = open(longhaul.url, key, WatchLogsDocument, { id: job.id });
  expect((await next(watch)).jobLogs).toHaveLength(2);
  await endUnseen(longhaul, job);
  expect(await events(watch)).toEqual([{ errors: notFound }]);
  await untilNothingIsLeft(longhaul, before);
});

/** Pages of a hundred lines that fill a megabyte: together more than all buffers between two ends take. */
const lines = 3_000;

async function finishedWithLongLog(): Promise<string> {
  const { job, token } = await tenant.running();
  await tenant.log(token, 'one');
  await longhaul.fill(
    `WITH counter AS (UPDATE job_log_counter SET last = $2 WHERE job_id = $1)
     INSERT INTO job_log (job_id, sequence, attempt, level, at, message) SELECT $1, n, 1, 1, now(), repeat('x', 10000) FROM generate_series(2, $2::int) AS n`,
    [job.id, lines],
  );
  await tenant.complete(token);
  return job.id;
}

test('G8: who is in the middle of a log that a bulk action deletes gets an error, and no success or gap', async () => {
  const id = await finishedWithLongLog();
  const query = 'subscription ($id: ID!) { jobLogs(id: $id) { sequence message } }';
  const socket = await RawSocket.open(longhaul.url, key);
  socket.subscribe('1', { query, variables: { id } });
  await socket.until(() => socket.payloads('1').length > 0);
  socket.ws.pause();
  const stream = await RawEvents.open(longhaul.url, key, { query, variables: { id } });
  await stream.until(() => stream.payloads.length > 0);
  stream.response.pause();
  await untilFigures(longhaul, { stalled_connections: 2 });

  const input: StartBulkActionInput = { kind: 'DELETE', filter: { ids: [id] } };
  expect(await ask(longhaul.url, key, StartBulkActionDocument, { input })).toMatchObject({ startBulkAction: { __typename: 'StartBulkActionPayload' } });
  await vi.waitFor(async () => expect(await longhaul.services.jobs.find(workspace.id, id)).toBeNull(), { interval: 20, timeout: 20_000 });
  socket.ws.resume();
  stream.response.resume();
  await Promise.all([socket.end('1'), stream.end()]);
  for (const payloads of [socket.payloads('1'), stream.payloads]) {
    const results: { data?: { jobLogs: { sequence: number }[] } }[] = payloads.map((text) => JSON.parse(text));
    expect(results.pop()).toEqual({ errors: notFound });
    const sequences = results.flatMap(({ data }) => data?.jobLogs.map(({ sequence }) => sequence));
    expect(sequences).toEqual(Array.from(sequences, (_, index) => index + 1));
    expect(sequences.length).toBeLessThan(lines);
  }
  socket.ws.close();
  await untilNothingIsLeft(longhaul, before);
}, 60_000);

test('G8: between the deletion of the lines and that of the job nobody takes the log for empty', async () => {
  const { job, token } = await tenant.running();
  await tenant.log(token, 'one');
  await tenant.complete(token);
  const { database, jobs } = longhaul.services;
  const watch = jobs.logs.watch({ workspaceId: workspace.id, jobId: job.id, level: 'DEBUG', from: 0, signal: null });
  await watch.started;
  expect(await watch.missed(0, watch.start)).toMatchObject({ lines: [{ message: 'one' }] });
  await deleteLogs(database.hot, [job.id]);
  await refusal(JobDeletedError, watch.missed(0, watch.start));
  await refusal(JobDeletedError, watch.next());
  await watch.return();
  const late = await RawEvents.open(longhaul.url, key, { query: logs, variables: { id: job.id } });
  await late.end();
  expect(late.payloads.map((text) => JSON.parse(text))).toEqual([{ errors: notFound }]);
});

test.each(transports)('G2: over $over a log whose end is known ends well, although the job is deleted next', async ({ watch: open }) => {
  const { job, token } = await tenant.running();
  await tenant.log(token, 'one', 'two');
  await tenant.complete(token);
  expect(await rest(open(longhaul.url, key, WatchLogsDocument, { id: job.id }))).toMatchObject([{ jobLogs: [{ message: 'one' }, { message: 'two' }] }]);
  await longhaul.services.database.transaction((transaction) => deleteEnded(transaction, [job.id]));
  expect(await events(open(longhaul.url, key, WatchLogsDocument, { id: job.id }))).toMatchObject([{ errors: [{ extensions: { code: 'NOT_FOUND' } }] }]);
});
