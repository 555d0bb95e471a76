import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { OrphanedFiles } from '../../src/files/orphans.ts';
import { DiskStore } from '../../src/files/stores/disk/disk-store.ts';
import { findUnnamedFiles } from '../../src/jobs/read/unnamed-files.ts';
import { CreateJobDocument, JobDocument } from '../graphql/generated/graphql.ts';
import { ask } from '../support/client.ts';
import { createPostgresProxy, type StatementFate } from '../support/postgres-proxy.ts';
import { type Installation, prepareInstallation, type ReadyProcess, testFolder } from '../support/process.ts';
import { openSource } from '../support/source.ts';
import { watchJob } from '../support/watched-job.ts';

/*
 * The completion of a download is the one statement of a worker that names the source, in the output, and the worker reaches
 * Postgres through a proxy that chooses by it. Leases last two seconds, so that a killed worker's job is taken over soon.
 */

const content = Buffer.from('a film that somebody paid for');
const name = 'paid-for.mp4';

test.each<[string, StatementFate[]]>([
  ['whose answer is lost', ['answer lost']],
  ['whose answer is lost three times', ['answer lost', 'answer lost', 'answer lost']],
  ['that is lost before it is carried out', ['request lost']],
  ['that is lost before, and whose answer is lost then', ['request lost', 'answer lost']],
])('a completion %s is asked for again: one attempt, one charge, and the file is there', async (_what, fates) => {
  const fleet = await prepare();
  const { api, job, proxy } = await download(fleet, fates);
  expect(await watchJob(api.url, fleet.adminKey, job.id).end()).toMatchObject({ status: 'COMPLETED' });
  // Until the worker has its answer.
  await proxy.met(fates.length);
  await expectKept(fleet, api, job);
  expect(await attempts(fleet)).toEqual([{ number: 1, outcome: 'COMPLETED' }]);
  expect(proxy.fates.slice(0, fates.length)).toEqual(fates);
}, 60_000);

test('a worker that is killed before it learns that its completion was carried out leaves the file to its job', async () => {
  const fleet = await prepare();
  const { api, job, proxy, worker } = await download(fleet, ['answer lost', 'held']);
  await proxy.met(1);
  worker.kill('SIGKILL');
  await worker.ended;
  expect(await watchJob(api.url, fleet.adminKey, job.id).end()).toMatchObject({ status: 'COMPLETED' });
  await expectKept(fleet, api, job);
}, 60_000);

test('a worker that stops before it learns that its completion was carried out leaves the file to its job', async () => {
  const fleet = await prepare();
  const { api, job, proxy, worker } = await download(fleet, ['answer lost', 'request lost', 'request lost']);
  await proxy.met(1);
  worker.kill('SIGTERM');
  expect(await worker.ended).toEqual({ code: 0, signal: null });
  expect(await watchJob(api.url, fleet.adminKey, job.id).end()).toMatchObject({ status: 'COMPLETED' });
  await expectKept(fleet, api, job);
}, 60_000);

test('a file whose worker was killed before the completion is kept as long as that could still come, and no longer', async () => {
  const fleet = await prepare();
  const orphans = sweeper(fleet);
  const { api, job, proxy, worker } = await download(fleet, ['held']);
  await proxy.met(1);
  const [left] = await files(fleet);
  expect(left).toBeDefined();
  // The completion is under way, for all that anybody knows.
  expect([await orphans.sweep(), await orphans.sweep()]).toEqual([0, 0]);
  worker.kill('SIGKILL');
  await worker.ended;
  expect(await orphans.sweep()).toBe(0);
  expect(await files(fleet)).toEqual([left]);

  await fleet.start('worker');
  expect(await watchJob(api.url, fleet.adminKey, job.id).end()).toMatchObject({ status: 'COMPLETED' });
  // The lease of the killed worker is gone: nobody can name its file any more, and the new worker sweeps too.
  await orphans.sweep();
  expect(await files(fleet)).not.toContain(left);
  await expectKept(fleet, api, job);
}, 60_000);

test('what a worker had half written when it was killed goes when its lease has gone', async () => {
  const fleet = await prepare();
  const orphans = sweeper(fleet);
  const source = await openSource(content.length);
  const [api, worker] = await Promise.all([fleet.start('api'), fleet.start('worker')]);
  const job = await create(fleet, api, source.url, { maxAttempts: 1 });
  const watch = watchJob(api.url, fleet.adminKey, job.id);
  (await source.answer()).write(content.subarray(0, 10));
  await watch.until(({ progress }) => progress?.step === 'downloading');
  expect(await files(fleet)).toEqual([expect.stringMatching(/\.part$/)]);
  expect(await orphans.sweep()).toBe(0);
  worker.kill('SIGKILL');
  await worker.ended;
  expect(await orphans.sweep()).toBe(0);
  expect(await watch.end()).toMatchObject({ status: 'FAILED' });
  expect(await orphans.sweep()).toBe(1);
  expect(await files(fleet)).toEqual([]);
}, 60_000);

async function prepare(): Promise<Installation> {
  const path = join(await testFolder(), 'types.json');
  await writeFile(path, JSON.stringify([{ name: 'download', credits: 1, maxAttempts: 5, leaseSeconds: 2 }]));
  return prepareInstallation({ OUTBOUND_ALLOW: 'localhost', JOB_TYPES: path });
}

/** Starts a download whose completions meet these fates in turn, and all others pass. */
async function download(fleet: Installation, fates: StatementFate[]) {
  const source = await openSource(content.length, { 'content-disposition': `attachment; filename=${name}` });
  source.sendEach(content);
  const proxy = await createPostgresProxy(fleet.databaseUrl, 'sourceUrl', (nth) => fates[nth - 1] ?? 'passes');
  const [api, worker] = await Promise.all([fleet.start('api'), fleet.start('worker', { DATABASE_URL: proxy.url })]);
  return { api, worker, proxy, job: await create(fleet, api, source.url) };
}

async function create({ adminKey }: Installation, { url }: ReadyProcess, sourceUrl: string, more: { maxAttempts?: number } = {}) {
  const input = { type: 'download', input: { sourceUrl }, ...more };
  const { createJob } = await ask(url, adminKey, CreateJobDocument, { input });
  if (createJob === null || 'code' in createJob) throw new Error(`refused: ${JSON.stringify(createJob)}`);
  return createJob.job;
}

/** The job is done and charged once, and its file is there, also after sweeps. */
async function expectKept(fleet: Installation, { url }: ReadyProcess, { id }: { id: string }): Promise<void> {
  const orphans = sweeper(fleet);
  expect([await orphans.sweep(), await orphans.sweep()]).toEqual([0, 0]);
  const { job } = await ask(url, fleet.adminKey, JobDocument, { id });
  expect(job).toMatchObject({ status: 'COMPLETED', creditsCharged: 1, creditsRefunded: 0, error: null });
  const answer = await fetch(job?.downloadUrl ?? '');
  expect(answer.status).toBe(200);
  expect(Buffer.from(await answer.arrayBuffer()).equals(content)).toBe(true);
  const [file, ...others] = await files(fleet);
  expect(others).toEqual([]);
  expect(await readFile(join(volume(fleet), file ?? ''))).toEqual(content);
  expect(await fleet.query(`SELECT kind, amount::int FROM credit_transaction WHERE job_id IS NOT NULL`)).toEqual([{ kind: 'CHARGE', amount: -1 }]);
}

function sweeper(fleet: Installation): OrphanedFiles {
  return new OrphanedFiles(new DiskStore(volume(fleet)), { findUnnamedFiles: (...asked) => findUnnamedFiles(fleet, ...asked) });
}

function volume({ env }: Installation): string {
  return env['ARTIFACTS_DIR'] ?? '';
}

/** Relative to the volume, half-written ones too. */
async function files(fleet: Installation): Promise<string[]> {
  const entries = await readdir(volume(fleet), { recursive: true });
  return entries.filter((entry) => entry.includes('/'));
}

function attempts({ query }: Installation) {
  return query('SELECT number, outcome FROM job_attempt ORDER BY number');
}
