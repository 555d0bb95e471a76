import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Tenant } from '../support/domain.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';
import { python } from '../support/python-program.ts';
import { hasPython, type PythonWorker, type Script, startPythonWorker } from '../support/python-worker.ts';
import { globalId } from '../support/steps.ts';
import { createTroubledProxy } from '../support/troubled-proxy.ts';
import { createApiKey } from '../../src/workspaces/create-api-key.ts';
import { watchJob } from '../support/watched-job.ts';

describe.runIf(hasPython())('a worker on the Python package', () => {
  let longhaul: Longhaul;
  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'longhaul-python-'));
    try {
      const inputSchema = { type: 'object', properties: { sourceUrl: { type: 'string', 'x-source': true } } };
      const types: object[] = ['told', 'typed', 'looking', 'broken', 'careless', 'stepwise'].map((name) => ({ name, credits: 5, leaseSeconds: 30 }));
      types.push({ name: 'endless', credits: 5, leaseSeconds: 3 }, { name: 'busy', credits: 5, leaseSeconds: 2 }, { name: 'files', credits: 5, inputSchema });
      await writeFile(join(folder, 'types.json'), JSON.stringify(types));
      longhaul = await startLonghaul({ JOB_TYPES: join(folder, 'types.json') });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
  afterAll(() => longhaul.stop());

  test('the example of twenty lines completes a job, with a file', async () => {
    const { tenant, key } = await newTenant();
    const worker = await startWorker(key, {}, 'examples/worker.py');
    const job = await tenant.create({ type: 'transcribe' });

    expect(await watchJob(longhaul.url, key, globalId(job)).end()).toMatchObject({ status: 'COMPLETED' });
    const { data } = await longhaul.graphql(`{ job(id: "${job.id}") { output downloadUrl artifacts { name filename mediaType } } }`, {}, key);
    const { output, downloadUrl, artifacts } = Object(data?.['job']);
    expect(artifacts).toEqual([{ name: 'text', filename: 'transcript.txt', mediaType: 'text/plain' }]);
    expect(output).toEqual({ text: await (await fetch(downloadUrl)).text() });
    worker.kill('SIGTERM');
    expect(await worker.ended).toBe(0);
  });

  test('its progress is seen, and its lines are in the log, whole and in order', async () => {
    const { tenant, key } = await newTenant();
    const worker = await startWorker(key);
    const job = await tenant.create({ type: 'told' });
    const watch = watchJob(longhaul.url, key, globalId(job));

    const { progress } = await watch.until((version) => version.progress !== null);
    expect(progress).toEqual({ step: 'waiting', message: 'Waits for a line', percentage: 50 });
    worker.tell('all is well');
    expect(await watch.end()).toMatchObject({ status: 'COMPLETED' });
    const { data } = await longhaul.graphql(`{ job(id: "${job.id}") { output logs(first: 5) { edges { node { level message fields } } } } }`, {}, key);
    expect(data?.['job']).toEqual({
      output: { told: 'all is well' },
      logs: {
        edges: [
          { node: { level: 'INFO', message: 'begun', fields: { pages: 5 } } },
          { node: { level: 'WARN', message: 'page 2 is empty', fields: null } },
        ],
      },
    });
  });

  test('a dataclass is made of the input, and what does not fit it fails the job at once, with the place', async () => {
    const { tenant, key } = await newTenant();
    await startWorker(key);
    const good = await tenant.create({ type: 'typed', input: { sourceUrl: 'x', times: 2, options: { loud: true }, other: 1 } });
    const bad = await tenant.create({ type: 'typed', input: { sourceUrl: 'x', options: { loud: 'very' } } });
    const lacking = await tenant.create({ type: 'typed', input: {} });
    const listed = await tenant.create({ type: 'typed', input: { sourceUrl: 'x', language: ['has to be null'] } });
    for (const job of [good, bad, lacking, listed]) await watchJob(longhaul.url, key, globalId(job)).end();

    expect((await tenant.read(good.id)).output).toEqual({ said: 'x × 2', loud: true, language: null });
    expect(await tenant.read(bad.id)).toMatchObject({
      attempt: 1,
      error: { code: 'INVALID_INPUT', message: "input.options.loud is 'very', and has to be true or false." },
    });
    expect((await tenant.read(lacking.id)).error).toEqual({ code: 'INVALID_INPUT', message: 'input.sourceUrl is missing.' });
    expect((await tenant.read(listed.id)).error).toEqual({ code: 'INVALID_INPUT', message: `input.language is "['has to be null']", and has to be a text.` });
  });

  test('Fatal ends the job with its code, Retryable asks for another attempt later, an output that is no JSON is told', async () => {
    const { tenant, key } = await newTenant();
    const worker = await startWorker(key);
    const [fatal, output, later] = [
      await tenant.create({ type: 'broken', input: { how: 'fatal' } }),
      await tenant.create({ type: 'broken', input: { how: 'output' } }),
      await tenant.create({ type: 'broken', input: { how: 'retryable' } }),
    ];
    for (const job of [fatal, output]) expect(await watchJob(longhaul.url, key, globalId(job)).end()).toMatchObject({ status: 'FAILED' });
    await worker.wrote(`failed ${globalId(later)}`);

    expect((await tenant.read(fatal.id)).error).toEqual({ code: 'TOO_LONG', message: 'Six hours are the limit.' });
    expect((await tenant.read(output.id)).error).toEqual({ code: 'OUTPUT_REFUSED', message: 'The output is no JSON: object is no JSON' });
    const { data } = await longhaul.graphql(`{ job(id: "${later.id}") { status nextAttemptAt } }`, {}, key);
    const { status, nextAttemptAt } = Object(data?.['job']);
    expect(status).toBe('PENDING');
    expect(Date.parse(nextAttemptAt) - Date.now()).toBeGreaterThan(3_500_000);
  });

  test('an unexpected error is tried again, and its words stay in the log of the worker', async () => {
    const { tenant, key } = await newTenant();
    const worker = await startWorker(key);
    const job = await tenant.create({ type: 'broken' });

    await worker.wrote(`failed ${globalId(job)}`);

    expect((await tenant.read(job.id)).failedAttempts).toBeGreaterThan(0);
    expect(worker.output()).toContain('RuntimeError: a secret detail');
    const told = `FROM job_attempt WHERE workspace_id = $1 AND error_code = 'HANDLER_ERROR' AND error_message = 'The handler failed unexpectedly (RuntimeError).'`;
    expect(await tenant.count(told)).toBeGreaterThan(0);
  });

  test('what the server would refuse of a handler is made fit, and keeps nothing else from it', async () => {
    const { tenant, key } = await newTenant();
    await startWorker(key);
    const job = await tenant.create({ type: 'careless' });

    expect(await watchJob(longhaul.url, key, globalId(job)).end()).toMatchObject({ status: 'FAILED' });
    const { data } = await longhaul.graphql(`{ job(id: "${job.id}") { error { code message } progress { step message percentage } logs(first: 9, level: INFO) { edges { node { message fields } } } } }`, {}, key);
    expect(data?.['job']).toEqual({
      error: { code: 'HANDLER_ERROR', message: 'a sentence' },
      progress: { step: 's', message: 'm'.repeat(2_000), percentage: 0.5 },
      logs: {
        edges: [
          { node: { message: 'first', fields: null } },
          { node: { message: 'ab', fields: { loss: 'nan', of: "<class 'set'>" } } },
          { node: { message: 'too much', fields: null } },
          { node: { message: 'last', fields: null } },
        ],
      },
    });
    expect(await tenant.count(`FROM job_log WHERE $1::uuid IS NOT NULL AND job_id = '${job.id}'`)).toBe(1_004);
  });

  test('the lease of a job that takes longer than it is kept', async () => {
    const { tenant, key } = await newTenant();
    const proxy = await createTroubledProxy(longhaul.url);
    await proxy.listen();
    const worker = await startWorker(key, { LONGHAUL_URL: proxy.url });
    const job = await tenant.create({ type: 'endless' });
    await worker.wrote(`began ${globalId(job)}`);

    await proxy.carriedOut('reportProgress', 4);

    expect(await tenant.read(job.id)).toMatchObject({ status: 'RUNNING', attempt: 1 });
  });

  test('a handler that computes without a pause, for longer than its lease, keeps that', async () => {
    const { tenant, key } = await newTenant();
    await startWorker(key);
    const job = await tenant.create({ type: 'busy' });

    expect(await watchJob(longhaul.url, key, globalId(job)).end()).toMatchObject({ status: 'COMPLETED' });
    expect((await tenant.read(job.id)).output).toEqual({ attempt: 1 });
  });

  test('a cancelled job stops at once, in a handler that sleeps and in one that looks', async () => {
    const { tenant, key } = await newTenant();
    const worker = await startWorker(key, { CONCURRENCY: '2' });
    const jobs = [await tenant.create({ type: 'endless' }), await tenant.create({ type: 'looking' })];
    for (const job of jobs) await worker.wrote(`began ${globalId(job)}`);
    await vi.waitFor(() => expect(longhaul.services.jobs.watched.workers).toBe(1), { interval: 5, timeout: 10_000 });

    for (const { id } of jobs) await tenant.cancel(id);
    await worker.wrote('saw CANCELLED');
    for (const job of jobs) await worker.wrote(`dropped ${globalId(job)}: CANCELLED`);

    const following = await tenant.create({ type: 'told' });
    worker.tell('next');
    await worker.wrote(`completed ${globalId(following)}`);
    expect(await tenant.read(jobs[1]?.id ?? '')).toMatchObject({ status: 'CANCELLED', output: null });
  });

  test('SIGTERM lets what runs end, and what does not end in time is handed back, uncounted', async () => {
    const { tenant, key } = await newTenant();
    const worker = await startWorker(key, { CONCURRENCY: '2', DRAIN: '1' });
    const [told, endless] = [await tenant.create({ type: 'told' }), await tenant.create({ type: 'endless', maxAttempts: 1 })];
    for (const job of [told, endless]) await worker.wrote(`began ${globalId(job)}`);

    worker.kill('SIGTERM');
    worker.tell('still here');

    expect(await worker.ended).toBe(0);
    expect(await tenant.read(told.id)).toMatchObject({ status: 'COMPLETED', output: { told: 'still here' } });
    expect(await tenant.read(endless.id)).toMatchObject({ status: 'PENDING', failedAttempts: 0 });
    expect(worker.output()).toMatch(/stopped\n$/);
  });

  test('a second signal waits for no drain, and a handler that does not look is handed back', async () => {
    const { tenant, key } = await newTenant();
    const worker = await startWorker(key);
    const job = await tenant.create({ type: 'told', maxAttempts: 1 });
    await worker.wrote(`began ${globalId(job)}`);

    worker.kill('SIGINT');
    worker.kill('SIGTERM');

    expect(await worker.ended).toBe(0);
    expect(await tenant.read(job.id)).toMatchObject({ status: 'PENDING', failedAttempts: 0 });
  });

  test('it runs in any thread, and stop ends it there', async () => {
    const { tenant, key } = await newTenant();
    const worker = await startWorker(key, { THREAD: '1' });
    const job = await tenant.create({ type: 'typed', input: { sourceUrl: 'x' } });
    await worker.wrote(`completed ${globalId(job)}`);

    worker.kill('SIGTERM');

    expect(await worker.ended).toBe(0);
    expect(worker.output()).toMatch(/stopped\nthe thread has ended\n$/);
  });

  test('what an attempt saved as its checkpoint is what the next one goes on from', async () => {
    const { tenant, key } = await newTenant();
    const first = await startWorker(key, { DRAIN: '0' });
    const job = await tenant.create({ type: 'stepwise' });
    await first.wrote('goes on from 0');
    first.tell('step');
    first.tell('step');
    await vi.waitFor(async () => expect(await tenant.count("FROM job_checkpoint WHERE workspace_id = $1 AND value = '2'")).toBe(1), { interval: 20, timeout: 10_000 });
    first.kill('SIGTERM');
    await first.ended;

    const second = await startWorker(key);
    await second.wrote('goes on from 2');
    second.tell('step');
    await second.wrote(`completed ${globalId(job)}`);
    expect((await tenant.read(job.id)).output).toEqual({ done: 3, attempt: 2 });
  });

  test('reads the file that the input names, and hands over those that it makes', async () => {
    const { key } = await newTenant();
    await startWorker(key);
    const output = await python(
      `
import os
from longhaul import Client
client = Client(os.environ["URL"], os.environ["KEY"])
handle = client.submit("files", {"sourceUrl": client.upload(b"quiet" * 100000, filename="said.txt")})
print(handle.result(timeout=20))
job = handle.job()
print([(one.name, one.filename, one.media_type, one.bytes) for one in job.artifacts])
with open(os.devnull, "wb") as file: print(client.download(handle, file).bytes)
`,
      { URL: longhaul.url, KEY: key },
    );
    expect(output).toBe(
      "{'bytes': 500000}\n[('upper', 'upper-said.txt', 'text/plain', 500000), ('copy', 'copy.bin', 'application/x-copy', 500000)]\n500000\n",
    );
  });

  test('completes a job once, although its server was away, and the answer was lost twice', async () => {
    const { tenant, key } = await newTenant();
    const proxy = await createTroubledProxy(longhaul.url, (mutation, call) =>
      mutation === 'claimJobs' && call === 1 ? 'unavailable' : mutation === 'completeJob' && call <= 2 ? 'answer lost' : 'arrives',
    );
    const worker = await startWorker(key, { LONGHAUL_URL: proxy.url });
    const job = await tenant.create({ type: 'typed', input: { sourceUrl: 'x' } });
    await worker.wrote('tries again');
    await proxy.listen();

    await worker.wrote(`completed ${globalId(job)}`);

    expect(proxy.fates.filter((fate) => fate.startsWith('completeJob'))).toHaveLength(3);
    expect(await tenant.count('FROM job_attempt WHERE workspace_id = $1')).toBe(1);
    expect((await tenant.ledger()).filter(({ jobId }) => jobId === job.id)).toHaveLength(1);
  });

  test('ends with the reason where its key is refused', async () => {
    const worker = await startWorker('lh_wrong');
    expect(await worker.ended).toBe(1);
    expect(worker.output()).toContain('UnauthenticatedError: UNAUTHENTICATED');
  });

  async function newTenant(): Promise<{ tenant: Tenant; key: string }> {
    const tenant = await Tenant.in(longhaul, { credits: 1_000 });
    const { secret } = await createApiKey(longhaul.services.database, { workspaceId: tenant.id, name: 'of the test', scopes: ['READ', 'WRITE', 'WORK'] });
    return { tenant, key: secret };
  }

  async function startWorker(key: string, env: Record<string, string> = {}, script: Script = 'test/support/package_worker.py'): Promise<PythonWorker> {
    const worker = startPythonWorker(script, { LONGHAUL_URL: longhaul.url, LONGHAUL_API_KEY: key, ...env });
    if (script === 'test/support/package_worker.py') await worker.wrote('working on');
    return worker;
  }
});
