import { createHash, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { CreateJobDocument, JobDocument } from '../graphql/generated/graphql.ts';
import { ask } from '../support/client.ts';
import { type Installation, prepareInstallation, type ReadyProcess, testFolder } from '../support/process.ts';
import { hasPython, startPythonWorker } from '../support/python-worker.ts';
import { openRangeSource } from '../support/range-source.ts';
import { watchJob } from '../support/watched-job.ts';

/*
 * Real time passes here, some seconds for each test: a lease of two seconds, the sweep, the pause before the next attempt. It
 * is waited for by watching the job.
 */

test('a download goes on after a kill -9, in another process, with the rest of the file alone', async () => {
  const content = randomBytes(1_000_000);
  const source = await openRangeSource({ content, headers: { etag: '"film"' }, stopsAfter: 600_000 });
  const fleet = await prepareShortLeases();
  const [api, worker] = await Promise.all([fleet.start('api'), fleet.start('worker')]);
  const job = await create(fleet, api, 'download', source.url);
  const watch = watchJob(api.url, fleet.adminKey, job.id);
  await watch.until(({ progress }) => progress?.percentage === 60);
  // Bytes that trickle in, as it syncs what it has after two seconds.
  const kept = await vi.waitFor(
    async () => {
      source.trickle();
      const [left] = await fleet.query<{ bytes: number }>(`SELECT (value->'kept'->>'bytes')::int AS bytes FROM job_checkpoint`);
      return left?.bytes ?? Promise.reject(new Error('nothing is kept yet'));
    },
    { timeout: 20_000, interval: 50 },
  );
  worker.kill('SIGKILL');
  await worker.ended;
  source.file = { content, headers: { etag: '"film"' } };
  await fleet.start('worker');

  expect(await watch.end()).toMatchObject({ status: 'COMPLETED' });
  expect(source.asked).toEqual([
    { range: undefined, ifRange: undefined },
    { range: `bytes=${kept}-`, ifRange: '"film"' },
  ]);
  const { job: ended } = await ask(api.url, fleet.adminKey, JobDocument, { id: job.id });
  const file = Buffer.from(await (await fetch(ended?.downloadUrl ?? '')).arrayBuffer());
  expect(file.equals(content)).toBe(true);
  expect(ended).toMatchObject({ output: { bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') } });
  const attempts = await fleet.query('SELECT outcome FROM job_attempt ORDER BY number');
  expect(attempts).toEqual([{ outcome: 'EXPIRED' }, { outcome: 'COMPLETED' }]);
}, 90_000);

test.runIf(hasPython())('the example in Python goes on from its checkpoint after a kill -9', async () => {
  const fleet = await prepareShortLeases();
  const api = await fleet.start('api');
  const start = () => startPythonWorker('test/support/waiting_worker.py', { LONGHAUL_URL: api.url, LONGHAUL_API_KEY: fleet.adminKey, TYPES: 'stepwise' });
  const job = await create(fleet, api, 'stepwise', 'https://example.com/film.mp4');
  const watch = watchJob(api.url, fleet.adminKey, job.id);
  const victim = start();
  for (const number of [1, 2]) {
    await watch.until(({ progress }) => progress?.message === `Sentence ${number} of 4`);
    victim.tell('go on');
  }
  await watch.until(({ progress }) => progress?.message === 'Sentence 3 of 4');
  await vi.waitFor(async () => expect(await fleet.query('SELECT value FROM job_checkpoint')).toEqual([{ value: ['Sentence 1.', 'Sentence 2.'] }]), { timeout: 5_000, interval: 20 });
  victim.kill('SIGKILL');
  await victim.ended;

  const heir = start();
  await watch.until(({ status }) => status === 'PENDING');
  const shown = await watch.until(({ status, progress }) => status === 'RUNNING' && progress !== null);
  expect(shown.progress).toMatchObject({ message: 'Sentence 3 of 4', percentage: 60 });
  heir.tell('go on');
  heir.tell('go on');
  expect(await watch.end()).toMatchObject({ status: 'COMPLETED' });
  const { job: ended } = await ask(api.url, fleet.adminKey, JobDocument, { id: job.id });
  expect(ended).toMatchObject({ output: { text: 'Sentence 1. Sentence 2. Sentence 3. Sentence 4.' } });
}, 90_000);

/** With types whose leases last two seconds; `stepwise` has no built-in handler. */
async function prepareShortLeases(): Promise<Installation> {
  const path = join(await testFolder(), 'types.json');
  const terms = { credits: 1, maxAttempts: 5, leaseSeconds: 2 };
  await writeFile(path, JSON.stringify(['download', 'stepwise'].map((name) => ({ name, ...terms }))));
  return prepareInstallation({ OUTBOUND_ALLOW: 'localhost', JOB_TYPES: path });
}

async function create({ adminKey }: Installation, { url }: ReadyProcess, type: string, sourceUrl: string): Promise<{ id: string }> {
  const { createJob } = await ask(url, adminKey, CreateJobDocument, { input: { type, input: { sourceUrl } } });
  if (createJob === null || 'code' in createJob) throw new Error(`refused: ${JSON.stringify(createJob)}`);
  return createJob.job;
}
