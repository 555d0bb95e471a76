import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createApiKey } from '../../src/workspaces/create-api-key.ts';
import { Tenant } from '../support/domain.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';
import { hasPython, type PythonWorker, type Script, startPythonWorker } from '../support/python-worker.ts';
import { globalId } from '../support/steps.ts';
import { createTroubledProxy } from '../support/troubled-proxy.ts';
import { watchJob } from '../support/watched-job.ts';

/** Renewed each second. */
const leaseSeconds = 3;

describe.runIf(hasPython())('the worker in Python', () => {
  let longhaul: Longhaul;
  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'longhaul-python-'));
    try {
      const types = ['told', 'stepwise', 'endless', 'broken'].map((name) => ({ name, credits: 5, leaseSeconds }));
      types.push({ name: 'patient', credits: 5, leaseSeconds: 600 });
      await writeFile(join(folder, 'types.json'), JSON.stringify(types));
      longhaul = await startLonghaul({ JOB_TYPES: join(folder, 'types.json') });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
  afterAll(() => longhaul.stop());

  test('completes a job, and its submitter reads the output', async () => {
    const { tenant, key } = await newTenant();
    await startWorker('examples/protocol_worker.py', key);
    const job = await tenant.create({ type: 'transcribe' });

    expect(await watchJob(longhaul.url, key, globalId(job)).end()).toMatchObject({ status: 'COMPLETED' });
    expect((await tenant.read(job.id)).output).toEqual({
      source: 'https://example.com/a.mp4',
      language: 'en',
      text: 'Sentence 1. Sentence 2. Sentence 3. Sentence 4.',
    });
  });

  test("hands over a file, which becomes the job's", async () => {
    const { tenant, key } = await newTenant();
    await startWorker('examples/protocol_worker.py', key, longhaul.url, { SUBTITLES: '1' });
    const job = await tenant.create({ type: 'transcribe', input: { sourceUrl: 'https://example.com/a.mp4', language: 'de' } });

    expect(await watchJob(longhaul.url, key, globalId(job)).end()).toMatchObject({ status: 'COMPLETED' });
    const { data } = await longhaul.graphql(`{ job(id: "${job.id}") { downloadUrl artifacts { name filename mediaType } } }`, {}, key);
    const { artifacts, downloadUrl } = Object(data?.['job']);
    expect(artifacts).toEqual([{ name: 'subtitles', filename: 'subtitles.de.vtt', mediaType: 'text/vtt' }]);
    expect(await (await fetch(downloadUrl)).text()).toMatch(/^WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nSentence 1\.\n\n/);
  });

  test('shows its progress to whoever watches the job', async () => {
    const { tenant, key } = await newTenant();
    const worker = await startWorker('test/support/waiting_worker.py', key);
    const job = await tenant.create({ type: 'told' });
    const watch = watchJob(longhaul.url, key, globalId(job));

    const { status, progress } = await watch.until((version) => version.progress !== null);
    expect({ status, progress }).toEqual({
      status: 'RUNNING',
      progress: { step: 'waiting', message: 'Waits for a line', percentage: 50 },
    });
    worker.tell('all is well');
    expect(await watch.end()).toMatchObject({ status: 'COMPLETED' });
    expect((await tenant.read(job.id)).output).toEqual({ told: 'all is well' });
  });

  test('keeps the lease of a job that takes longer than it', async () => {
    const { tenant, key } = await newTenant();
    const proxy = await createTroubledProxy(longhaul.url);
    await proxy.listen();
    const worker = await startWorker('test/support/waiting_worker.py', key, proxy.url);
    const job = await tenant.create({ type: 'endless' });
    await worker.wrote(`began ${job.id}`);
    const first = await leaseEnd(job.id);

    await proxy.carriedOut('reportProgress', 2);

    expect(await leaseEnd(job.id)).toBeGreaterThan(first);
    expect(await tenant.read(job.id)).toMatchObject({ status: 'RUNNING', attempt: 1, version: 2 });
  });

  test('declares a job failed that no other attempt would mend, and it is refunded', async () => {
    const { tenant, key } = await newTenant(10);
    const worker = await startWorker('examples/protocol_worker.py', key);
    const input = { sourceUrl: 'https://example.com/a.mp4', language: 'tlh' };
    const job = await tenant.create({ type: 'transcribe', input });
    expect(await tenant.balance()).toBe(7);

    await worker.wrote(`failed ${job.id}`);

    expect(await tenant.read(job.id)).toMatchObject({
      status: 'FAILED',
      attempt: 1,
      error: { code: 'UNSUPPORTED_LANGUAGE', message: 'tlh is not supported; de and en are.' },
    });
    expect(await tenant.balance()).toBe(10);
  });

  test('lets a job be tried again after an unexpected error, whose words it keeps to itself', async () => {
    const { tenant, key } = await newTenant();
    const worker = await startWorker('test/support/waiting_worker.py', key);
    const job = await tenant.create({ type: 'broken' });

    await worker.wrote(`failed ${job.id}`);

    // By now it may have come back from its backoff.
    expect((await tenant.read(job.id)).failedAttempts).toBeGreaterThan(0);
    expect(worker.output()).toContain('RuntimeError: a secret detail');
    const failed = `FROM job_attempt WHERE workspace_id = $1 AND outcome = 'FAILED' AND error_code = 'PROCESSING_ERROR'
      AND error_message = 'The job failed unexpectedly.'`;
    expect(await tenant.count(failed)).toBeGreaterThan(0);
  });

  test('drops a job that was cancelled, long before its next report, and goes on with the next', async () => {
    const { tenant, key } = await newTenant();
    const worker = await startWorker('test/support/waiting_worker.py', key);
    const job = await tenant.create({ type: 'patient' });
    await worker.wrote(`began ${job.id}`);
    await vi.waitFor(() => expect(longhaul.services.jobs.watched.workers).toBe(1), { interval: 5, timeout: 10_000 });

    await tenant.cancel(job.id);
    await worker.wrote(`lost ${job.id}: CANCELLED`);
    await worker.wrote(`dropped ${job.id}`);

    const following = await tenant.create({ type: 'told' });
    worker.tell('next');
    await worker.wrote(`completed ${following.id}`);
    expect(await tenant.read(following.id)).toMatchObject({ status: 'COMPLETED' });
    expect(await tenant.read(job.id)).toMatchObject({ status: 'CANCELLED', output: null });
  });

  test.each(['SIGTERM', 'SIGINT'] as const)('hands its job back on %s: the attempt does not count', async (signal) => {
    const { tenant, key } = await newTenant();
    const worker = await startWorker('test/support/waiting_worker.py', key);
    const job = await tenant.create({ type: 'endless', maxAttempts: 1 });
    await worker.wrote(`began ${job.id}`);

    worker.kill(signal);

    expect(await worker.ended).toBe(0);
    expect(worker.output()).toMatch(/stopped\n$/);
    expect(await tenant.read(job.id)).toMatchObject({ status: 'PENDING', failedAttempts: 0 });
    const { token } = await tenant.start(job);
    expect(await tenant.complete(token)).toMatchObject({ status: 'COMPLETED' });
  });

  test('hands a job back although its handler does not look', async () => {
    const { tenant, key } = await newTenant();
    const worker = await startWorker('test/support/waiting_worker.py', key);
    const job = await tenant.create({ type: 'told', maxAttempts: 1 });
    await worker.wrote(`began ${job.id}`);

    worker.kill('SIGTERM');

    expect(await worker.ended).toBe(0);
    expect(await tenant.read(job.id)).toMatchObject({ status: 'PENDING', failedAttempts: 0 });
  });

  test('waits for a Longhaul that is not there yet, is cut off, and answers 503', async () => {
    const { tenant, key } = await newTenant();
    const proxy = await createTroubledProxy(longhaul.url, (_mutation, call) =>
      call === 1 ? 'cut' : call === 2 ? 'unavailable' : 'arrives',
    );
    const worker = await startWorker('examples/protocol_worker.py', key, proxy.url);
    const job = await tenant.create({ type: 'transcribe' });
    await worker.wrote('trying again');

    await proxy.listen();

    await worker.wrote(`completed ${job.id}`);
    expect(await tenant.read(job.id)).toMatchObject({ status: 'COMPLETED', attempt: 1 });
    expect(proxy.fates.filter((fate) => fate.startsWith('completeJob'))).toEqual([
      'completeJob cut',
      'completeJob unavailable',
      'completeJob arrives',
    ]);
  });

  test('completes a job once, although the answer was lost twice', async () => {
    const { tenant, key } = await newTenant();
    const proxy = await createTroubledProxy(longhaul.url, (mutation, call) =>
      mutation === 'completeJob' && call <= 2 ? 'answer lost' : 'arrives',
    );
    await proxy.listen();
    const worker = await startWorker('examples/protocol_worker.py', key, proxy.url);
    const job = await tenant.create({ type: 'transcribe' });

    await worker.wrote(`completed ${job.id}`);

    expect(proxy.fates.filter((fate) => fate.startsWith('completeJob'))).toHaveLength(3);
    expect(await tenant.count('FROM job_attempt WHERE workspace_id = $1')).toBe(1);
    expect((await tenant.ledger()).filter(({ jobId }) => jobId === job.id)).toHaveLength(1);
  });

  test('ends with the reason when its key is refused', async () => {
    const worker = await startWorker('examples/protocol_worker.py', 'lh_wrong');
    expect(await worker.ended).toBe(1);
    expect(worker.output()).toContain('The claim was refused. UNAUTHENTICATED');
  });

  async function newTenant(credits = 1_000): Promise<{ tenant: Tenant; key: string }> {
    const tenant = await Tenant.in(longhaul, { credits });
    const { secret } = await createApiKey(longhaul.services.database, {
      workspaceId: tenant.id,
      name: 'of the worker and of the watcher',
      scopes: ['READ', 'WORK'],
    });
    return { tenant, key: secret };
  }

  async function startWorker(script: Script, key: string, url = longhaul.url, env: Record<string, string> = {}): Promise<PythonWorker> {
    const worker = startPythonWorker(script, { LONGHAUL_URL: url, LONGHAUL_API_KEY: key, WORKER_ID: 'in Python', ...env });
    await worker.wrote('working on');
    return worker;
  }

  async function leaseEnd(jobId: string): Promise<number> {
    const { database } = longhaul.services;
    const [lease] = await database.hot.query<{ millisecond: string }>(
      'SELECT extract(epoch FROM expires_at) * 1000 AS millisecond FROM lease WHERE job_id = $1',
      [jobId],
    );
    return Number(lease?.millisecond);
  }
});
