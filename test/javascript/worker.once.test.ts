import { z } from 'zod';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { JobFailed, type JobLogLine } from '../../clients/js/src/index.ts';
import { defineHandler, Fatal, type Handler, Retryable, startWorker, type Worker, type WorkerOptions } from '../../clients/js/src/worker/index.ts';
import { becomeDue } from '../support/domain.ts';
import { eventually } from '../support/eventually.ts';
import { answering, inTrouble, losingAnswers, packageUser, type PackageUser } from '../support/javascript-client.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await startLonghaul();
});
afterAll(() => longhaul.stop());

const sourceUrl = 'https://example.com/a.mp4';

test('a handler gets its input, tells how far it is, writes lines, reads and saves files, and its output is the job\'s', async () => {
  const { client } = await packageUser(longhaul);
  const handler = defineHandler({
    type: 'comments',
    input: z.object({ sourceUrl: z.string() }),
    output: z.object({ bytes: z.number() }),
    async run({ input, progress, log, files, attempt, signal, checkpoint }) {
      expect([attempt, signal.aborted, checkpoint.last]).toEqual([1, false, null]);
      progress(40, 'reading', 'read');
      log.info('read', { source: input.sourceUrl });
      const source = await files.open(input.sourceUrl);
      const text = await (await source.blob()).text();
      await files.save('copy', text.toUpperCase(), { filename: 'copy.txt', mediaType: 'text/plain' });
      await files.save('stream', (async function* () {
        for (let part = 0; part < 5; part += 1) yield Buffer.alloc(3 * 1024 * 1024, part);
      })());
      log.warn('done');
      return { bytes: source.bytes };
    },
  });
  await start({ client, handlers: [handler] });
  const handle = await client.submit('comments', { sourceUrl: new File(['some words'], 'words.txt') });
  expect(await handle.result()).toEqual({ bytes: 10 });
  const job = await handle.job();
  expect(job).toMatchObject({
    progress: { percentage: 40, message: 'reading', step: 'read' },
    artifacts: [{ name: 'copy', filename: 'copy.txt', mediaType: 'text/plain' }, { name: 'stream', bytes: 15 * 1024 * 1024 }],
  });
  expect(await (await (await client.download(handle)).blob()).text()).toBe('SOME WORDS');
  expect((await linesOf(client, handle.id)).map(({ level, message, fields }) => [level, message, fields])).toEqual([
    ['INFO', 'read', { source: expect.stringMatching(/^upload:/) }], ['WARN', 'done', null],
  ]);
});

test('a file is saved in spite of an error of the server and a full disk', async () => {
  const troubles = [
    answering(/createUpload/, 200, { errors: [{ message: 'Unexpected.', extensions: { code: 'INTERNAL' } }], data: { createUpload: null } }),
    answering(/^\[object Blob\]/, 507, { error: { code: 'INSUFFICIENT_STORAGE', message: 'There is no room.' } }),
    answering(/^\[object Blob\]/, 500, { error: { code: 'INTERNAL', message: 'Unexpected.' } }),
  ];
  const { client } = await packageUser(longhaul, { fetch: inTrouble(troubles) });
  const handler = defineHandler({ type: 'comments', run: ({ files }) => files.save('copy', 'some words') });
  await start({ client, handlers: [handler] });
  const handle = await client.submit('comments', { sourceUrl }, { maxAttempts: 1 });
  await handle.result();
  expect(troubles).toEqual([]);
  expect((await handle.job()).artifacts).toMatchObject([{ name: 'copy', bytes: 10 }]);
});

test('a worker that hears of its lost lease by saving a file says nothing more about that job', async () => {
  const refusal = { data: { createUpload: { __typename: 'LeaseLostError', code: 'LEASE_LOST', message: 'It is over.' } } };
  const { client, requests } = await packageUser(longhaul, { fetch: inTrouble([answering(/createUpload/, 200, refusal)]) });
  const reasons = Promise.withResolvers<unknown>();
  const handler = defineHandler({
    type: 'comments',
    run: ({ files, signal }) => files.save('copy', 'some words').finally(() => reasons.resolve(signal.reason)),
  });
  const worker = await start({ client, handlers: [handler] });
  await client.submit('comments', { sourceUrl });
  expect(await reasons.promise).toBe('LEASE_LOST');
  await worker.stop();
  expect(requests.some(({ body }) => /completeJob|failJob|releaseJob/.test(body))).toBe(false);
});

test('what a handler throws says whether there is another attempt, and when', async () => {
  const { client, tenant } = await packageUser(longhaul);
  const thrown = [new Retryable({ after: 3_600, code: 'BUSY', message: 'not now' }), new Error('a bug'), new Fatal('NO_SOUND', 'There is no sound.')];
  const attempts: [number, unknown][] = [];
  const handler = defineHandler({
    type: 'comments',
    run({ attempt, checkpoint }) {
      attempts.push([attempt, checkpoint.last]);
      checkpoint.save({ attempt });
      throw thrown[attempt - 1] ?? new Error('one attempt too many');
    },
  });
  await start({ client, handlers: [handler] });
  const handle = await client.submit('comments', { sourceUrl });
  const uuid = handle.id.replace('job_', '');
  await eventually(async () => expect((await handle.job()).nextAttemptAt).not.toBeNull());
  const { nextAttemptAt } = await handle.job();
  expect(Date.parse(nextAttemptAt ?? '') - Date.now()).toBeGreaterThan(3_500_000);
  await becomeDue(longhaul, uuid);
  // The third comes by itself in some seconds.
  await eventually(async () => expect((await tenant.read(uuid)).failedAttempts).toBeGreaterThanOrEqual(2));
  await becomeDue(longhaul, uuid);
  const error = await handle.result().catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(JobFailed);
  expect(error).toMatchObject({ code: 'NO_SOUND', message: 'There is no sound.' });
  expect(attempts).toEqual([[1, null], [2, { attempt: 1 }], [3, { attempt: 2 }]]);
});

test('an input and an output that their schemas do not take fail the job', async () => {
  const { client } = await packageUser(longhaul);
  const handlers: Handler[] = [
    defineHandler({ type: 'comments', input: z.object({ words: z.number() }), run: () => ({}) }),
    defineHandler({ type: 'fingerprint', output: z.object({ words: z.number() }), run: () => ({ words: 'many' }) as never }),
  ];
  await start({ client, handlers });
  await expect(client.run('comments', { sourceUrl })).rejects.toMatchObject({ code: 'INVALID_INPUT', message: expect.stringContaining('words') });
  await expect(client.run('fingerprint', { sourceUrl })).rejects.toMatchObject({ code: 'INVALID_OUTPUT', message: expect.stringContaining('words') });
});

test('a cancelled job stops its handler at once, and its lease is not written to any more', async () => {
  const { client, requests } = await packageUser(longhaul);
  const stopped = Promise.withResolvers<unknown>();
  const worker = await start({ client, handlers: [untilStopped((reason) => stopped.resolve(reason))] });
  const handle = await client.submit('comments', { sourceUrl });
  await eventually(() => expect([worker.state.running, longhaul.services.jobs.watched.workers]).toEqual([1, 1]));
  await handle.cancel();
  // It was told so: the next heartbeat would have heard of a lost lease alone.
  expect(await stopped.promise).toBe('CANCELLED');
  expect(requests.some(({ body }) => /completeJob|failJob/.test(body))).toBe(false);
});

test('a worker that stops lets short work end, hands back long work, and claims no more', async () => {
  const { client, tenant } = await packageUser(longhaul);
  const stops: unknown[] = [];
  const long = untilStopped((reason) => stops.push(reason));
  const shortEnds = Promise.withResolvers<string>();
  const short = defineHandler({ type: 'fingerprint', run: () => shortEnds.promise });
  const worker = await start({ client, handlers: [long, short], concurrency: 2, drainSeconds: 1 });
  const [one, other] = [await client.submit('comments', { sourceUrl }), await client.submit('fingerprint', { sourceUrl })];
  await eventually(() => expect(worker.state).toEqual({ status: 'ok', running: 2 }));
  const stopped = Promise.all([worker.stop(), worker.stop()]);
  shortEnds.resolve('short');
  await stopped;
  expect(stops).toEqual(['DRAIN']);
  expect(await other.result()).toBe('short');
  const { status, attempt } = await tenant.read(one.id.replace('job_', ''));
  expect({ status, attempt }).toEqual({ status: 'PENDING', attempt: 1 });
  const { job } = await client.query<{ job: { attempts: { outcome: string }[] } }>('query ($id: ID!) { job(id: $id) { attempts { outcome } } }', { id: one.id });
  expect(job.attempts).toEqual([{ outcome: 'RELEASED' }]);
});

test('jobs whose claim is answered while the worker stops are handed back', async () => {
  const claimed = Promise.withResolvers<void>();
  const stopping = Promise.withResolvers<void>();
  const { client, tenant } = await packageUser(longhaul, {
    fetch: async (input, init) => {
      const response = await fetch(input, init);
      if (!String(init?.body).includes('claimJobs')) return response;
      const text = await response.text();
      if (text.includes('lease_')) {
        claimed.resolve();
        await stopping.promise;
        init?.signal?.throwIfAborted();
      }
      return new Response(text, response);
    },
  });
  const worker = await start({ client, handlers: [untilStopped(() => {})] });
  const { id } = await client.submit('comments', { sourceUrl }, { maxAttempts: 1 });
  await claimed.promise;
  const stopped = worker.stop();
  stopping.resolve();
  await stopped;
  expect(await tenant.read(id.replace('job_', ''))).toMatchObject({ status: 'PENDING', failedAttempts: 0 });
});

test('no more run than there is room for, of each type and of all, and each job once, though answers are lost', async () => {
  const { client, tenant } = await packageUser(longhaul, { fetch: losingAnswers(/completeJob/, 5) });
  const running = { comments: 0, fingerprint: 0 };
  const most = { comments: 0, fingerprint: 0, all: 0 };
  const handlers = (['comments', 'fingerprint'] as const).map((type) => defineHandler({
    type,
    run: async () => {
      running[type] += 1;
      most[type] = Math.max(most[type], running[type]);
      most.all = Math.max(most.all, running.comments + running.fingerprint);
      await new Promise((resolve) => setTimeout(resolve, 50));
      running[type] -= 1;
    },
  }));
  const jobs = await client.submitMany(Array.from({ length: 20 }, (_, n) => ({ type: n % 2 === 0 ? 'comments' : 'fingerprint', input: { sourceUrl } })));
  await start({ client, handlers, concurrency: 4, perType: { comments: 1 } });
  await Promise.all(jobs.map((job) => job.result()));
  expect(most.comments).toBe(1);
  expect(most.all).toBeLessThanOrEqual(4);
  expect(await tenant.count('FROM job_attempt WHERE job_id IN (SELECT id FROM job WHERE workspace_id = $1)')).toBe(20);
});

test('a worker tells its health, and a key that may not work ends it with the reason', async () => {
  const { client, workspace } = await packageUser(longhaul);
  const worker = await start({ client, handlers: [untilStopped(() => {})], healthPort: 0 });
  expect(worker.state).toEqual({ status: 'ok', running: 0 });
  const reader = await packageUser(longhaul, { auth: await workspace.key({ scopes: ['READ'] }) });
  const refused = await startWorker({ client: reader.client, handlers: [untilStopped(() => {})], signals: false });
  await expect(refused.ended).rejects.toMatchObject({ code: 'FORBIDDEN' });
  await refused.stop();
});

/** Started without the process's signals; stopped after the test. */
async function start(options: WorkerOptions): Promise<Worker> {
  const worker = await startWorker({ signals: false, drainSeconds: 0, ...options });
  onTestFinished(() => worker.stop());
  return worker;
}

function untilStopped(told: (reason: unknown) => void): Handler {
  return defineHandler({
    type: 'comments',
    run: ({ signal }) => new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        told(signal.reason);
        reject(new Error('stopped'));
      });
    }),
  });
}

async function linesOf(client: PackageUser['client'], id: string): Promise<JobLogLine[]> {
  return Array.fromAsync(client.handle(id).logs());
}
