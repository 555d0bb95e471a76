import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  ClaimJobsDocument,
  CompleteJobDocument,
  CreateJobDocument,
  JobDocument,
  WorkspaceDocument,
} from '../graphql/generated/graphql.ts';
import { ask } from '../support/client.ts';
import { startFileServer } from '../support/file-server.ts';
import { type Installation, prepareInstallation, type ReadyProcess, testFolder } from '../support/process.ts';
import { watchJob } from '../support/watched-job.ts';

/*
 * Real time passes here, a few seconds for each test: a lease of two seconds, the sweep, the pause before the next
 * attempt. It is waited for by watching the job.
 */

test('the job of a killed worker is completed by another one', async () => {
  const files = await startFileServer();
  const fleet = await prepareShortLeases();
  const [api, ...workers] = await Promise.all([fleet.start('api'), fleet.start('worker'), fleet.start('worker')]);

  const job = await createDownload(fleet, api, { sourceUrl: files.url('film.txt') });
  const watch = watchJob(api.url, fleet.adminKey, job.id);
  await files.held(1);
  const victim = await workerOf(fleet, job.uuid, workers);
  victim.kill('SIGKILL');
  await victim.ended;
  // Nothing tells the others. From here on the source serves whoever asks.
  files.release();

  const { status } = await watch.end();
  expect(status).toBe('COMPLETED');
  const attempts = await attemptsOf(fleet, job.uuid);
  expect(attempts[0]).toMatchObject({ outcome: 'EXPIRED', error_code: 'LEASE_EXPIRED' });
  expect(attempts.at(-1)).toMatchObject({ outcome: 'COMPLETED', error_code: null });
  expect(pidOf(attempts[0])).toBe(victim.pid);
  expect(pidOf(attempts.at(-1))).not.toBe(victim.pid);
  expect(await ledgerOf(fleet, job.uuid)).toEqual(['CHARGE -1']);
}, 60_000);

test('a worker killed in the last attempt: the job is FAILED, and refunded once', async () => {
  const files = await startFileServer();
  const fleet = await prepareShortLeases();
  // Both sweep; one of them moves the job.
  const [api, worker] = await Promise.all([fleet.start('api'), fleet.start('worker'), fleet.start('api')]);
  const before = await ask(api.url, fleet.adminKey, WorkspaceDocument, {});

  const job = await createDownload(fleet, api, { sourceUrl: files.url('film.txt'), maxAttempts: 1 });
  const watch = watchJob(api.url, fleet.adminKey, job.id);
  await files.held(1);
  worker.kill('SIGKILL');
  await worker.ended;

  expect(await watch.end()).toMatchObject({ status: 'FAILED' });
  expect(await read(fleet, api, job)).toMatchObject({ error: { code: 'LEASE_EXPIRED' }, creditsRefunded: 1 });
  expect(await ledgerOf(fleet, job.uuid)).toEqual(['CHARGE -1', 'REFUND 1']);
  const after = await ask(api.url, fleet.adminKey, WorkspaceDocument, {});
  expect(after.workspace.credits).toBe(before.workspace.credits);
  expect(await attemptsOf(fleet, job.uuid)).toMatchObject([{ outcome: 'EXPIRED', error_code: 'LEASE_EXPIRED' }]);
}, 60_000);

test('a worker that comes back after its lease expired cannot complete what another one completed', async () => {
  const fleet = await prepareShortLeases();
  const [first, second] = await Promise.all([fleet.start('api'), fleet.start('api')]);
  const job = await createDownload(fleet, first, { type: 'render', sourceUrl: 'https://example.com/scene' });
  const watch = watchJob(first.url, fleet.adminKey, job.id);

  const [late] = await claim(fleet, first, 'goes silent');
  expect(late).toMatchObject({ attempt: 1, job: { id: job.id } });
  await watch.until(({ status, version }) => status === 'PENDING' && version > 1);
  const [other] = await claim(fleet, second, 'takes over');
  expect(other).toMatchObject({ attempt: 2, job: { id: job.id } });
  const completed = await complete(fleet, second, other?.token, 'by the second');
  expect(completed).toMatchObject({ job: { status: 'COMPLETED' } });

  expect(await complete(fleet, first, late?.token, 'by the late one')).toMatchObject({
    code: 'LEASE_LOST',
    // Another attempt has begun, so the job is no business of this lease's.
    lostJob: null,
  });
  expect(await watch.end()).toMatchObject({ status: 'COMPLETED' });
  expect(await read(fleet, first, job)).toMatchObject({ status: 'COMPLETED', output: { by: 'by the second' } });
}, 60_000);

/** With types whose leases last two seconds; `render` has no built-in handler. */
async function prepareShortLeases(): Promise<Installation> {
  const path = join(await testFolder(), 'types.json');
  const terms = { credits: 1, maxAttempts: 5, leaseSeconds: 2 };
  await writeFile(path, JSON.stringify(['download', 'render'].map((name) => ({ name, ...terms }))));
  return prepareInstallation({ OUTBOUND_ALLOW: '127.0.0.1', JOB_TYPES: path });
}

async function createDownload(
  { adminKey }: Installation,
  { url }: ReadyProcess,
  { type = 'download', sourceUrl, maxAttempts }: { type?: string; sourceUrl: string; maxAttempts?: number },
): Promise<{ id: string; uuid: string }> {
  const input = { type, input: { sourceUrl }, ...(maxAttempts === undefined ? {} : { maxAttempts }) };
  const { createJob } = await ask(url, adminKey, CreateJobDocument, { input });
  if (createJob === null || 'code' in createJob) throw new Error(`refused: ${JSON.stringify(createJob)}`);
  return createJob.job;
}

async function read({ adminKey }: Installation, { url }: ReadyProcess, { id }: { id: string }) {
  const { job } = await ask(url, adminKey, JobDocument, { id });
  return job;
}

async function claim({ adminKey }: Installation, { url }: ReadyProcess, workerId: string) {
  const input = { types: ['render'], workerId, waitSeconds: 30 };
  const { claimJobs } = await ask(url, adminKey, ClaimJobsDocument, { input });
  if (claimJobs === null || 'code' in claimJobs) throw new Error(`refused: ${JSON.stringify(claimJobs)}`);
  return claimJobs.leases;
}

async function complete({ adminKey }: Installation, { url }: ReadyProcess, token: string | undefined, by: string) {
  const { completeJob } = await ask(url, adminKey, CompleteJobDocument, { input: { token: token ?? '', output: { by } } });
  return completeJob;
}

interface AttemptRow {
  worker_id: string;
  outcome: string | null;
  error_code: string | null;
}

function attemptsOf({ query }: Installation, uuid: string): Promise<AttemptRow[]> {
  return query<AttemptRow>(
    `SELECT worker_id, outcome, error_code FROM (
       SELECT number, worker_id, outcome, error_code FROM job_attempt WHERE job_id = $1
       UNION ALL SELECT attempt, worker_id, NULL, NULL FROM lease WHERE job_id = $1
     ) AS attempt ORDER BY number`,
    [uuid],
  );
}

/** A built-in worker is called by its machine and its process. */
function pidOf(attempt: AttemptRow | undefined): number {
  return Number(attempt?.worker_id.split('/').at(-1));
}

async function workerOf(fleet: Installation, uuid: string, workers: ReadyProcess[]): Promise<ReadyProcess> {
  const pid = pidOf((await attemptsOf(fleet, uuid)).at(-1));
  const worker = workers.find((candidate) => candidate.pid === pid);
  if (worker === undefined) throw new Error(`no worker of this test has the process id ${pid}`);
  return worker;
}

async function ledgerOf({ query }: Installation, uuid: string): Promise<string[]> {
  const rows = await query<{ entry: string }>(
    `SELECT kind || ' ' || amount AS entry FROM credit_transaction WHERE job_id = $1 ORDER BY id`,
    [uuid],
  );
  return rows.map(({ entry }) => entry);
}
