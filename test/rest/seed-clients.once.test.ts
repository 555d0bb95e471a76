import { readdir, readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Job } from '../../src/jobs/model/job.ts';
import type { JsonValue } from '../../src/json.ts';
import type { Vendor } from '../../src/rest/core/dialect-profile.ts';
import { vidocuId } from '../../src/rest/vidocu/vidocu-id.ts';
import { type HeldJob, Tenant } from '../support/domain.ts';
import { type Longhaul, startLonghaul, type TestWorkspace } from '../support/longhaul.ts';
import { hasPython } from '../support/python-worker.ts';
import { startReceiver } from '../support/receiver.ts';
import { type Pause, runCurl, runJavaScript, runPython, type Sample, sampleText } from '../support/seed-clients.ts';

const hosts = { VIDOCU: 'api.vidocu.test', VIDEOCONDUIT: 'videoconduit.test', VYDRA: 'vydra.test', REVID: 'api.revid.test' };

let longhaul: Longhaul;
let workspace: TestWorkspace;
let tenant: Tenant;
let port: string;
beforeAll(async () => {
  const pairs = Object.entries(hosts).map(([dialect, host]) => `${host}=${dialect.toLowerCase()}`);
  longhaul = await startLonghaul({ COMPAT_HOSTS: pairs.join(','), OUTBOUND_ALLOW: '127.0.0.1' });
  workspace = await longhaul.workspace();
  tenant = Tenant.of(longhaul, workspace.id);
  ({ port } = new URL(longhaul.url));
});
afterAll(() => longhaul.stop());

/** What each vendor's samples have in the place of the base URL and of the key. */
const named = {
  VIDOCU: { base: 'https://api.vidocu.ai', key: 'vdo_live_your_key_here' },
  VIDEOCONDUIT: { base: 'https://videoconduit.com', key: 'vc_your_api_key' },
  VYDRA: { base: 'https://vydra.app', key: 'YOUR_API_KEY' },
  REVID: { base: 'https://api.revidapi.com', key: 'YOUR_API_KEY' },
} as const satisfies Record<Vendor, object>;

const videoConduitId = 'a1b2c3d4-e5f6-7890-abcd-ef1234567890';
const vydraId = '550e8400-e29b-41d4-a716-446655440000';

const videoUrl = 'https://example.com/output.mp4';

/** The ways in which a client can be moved: its base URL, and whose key it has. */
const moves = [
  { way: 'the prefix', base: (dialect: Vendor) => `http://localhost:${port}/${dialect.toLowerCase()}`, own: true },
  { way: 'the vendor’s own path', base: () => `http://localhost:${port}`, own: true },
  { way: 'the host', base: (dialect: Vendor) => `http://${hosts[dialect]}:${port}`, own: false },
] as const;

describe.each(moves)('moved by $way', ({ base, own }) => {
  const keyFor = (dialect: Vendor) => workspace.key(own ? { dialect } : {});

  /** The sample, with the base URL, the key and the job's id in place of the seed's. */
  async function sample(dialect: Vendor, name: string, replaced: Record<string, string> = {}): Promise<Sample> {
    const { base: theirs, key } = named[dialect];
    const names = (await sampleText(name)).includes(key) ? { [key]: await keyFor(dialect) } : {};
    return { name, replaced: { [theirs]: base(dialect), ...names, ...replaced } };
  }

  test('Vidocu: waitForJob returns the result', async () => {
    const job = await tenant.create({ type: 'analysis' });
    const { waits, pause } = walk(job, ({ token }) => tenant.complete(token, { script: 'Once upon a time' }));
    const usage = `return waitForJob(${JSON.stringify(vidocuId(job))}, ${JSON.stringify(await keyFor('VIDOCU'))});`;
    const { result } = await runJavaScript(await sample('VIDOCU', 'vidocu-polling.ts'), { pause, usage });
    expect(result).toEqual({ script: 'Once upon a time' });
    expect(waits).toEqual([2_000, 2_000, 2_000]);
  });

  test.each([
    { end: 'has failed', finish: fail, message: 'Nobody speaks.' },
    { end: 'was cancelled', finish: cancel, message: 'Job was cancelled' },
  ])('Vidocu: waitForJob throws for a job that $end', async ({ finish, message }) => {
    const job = await tenant.create({ type: 'analysis' });
    const usage = `return waitForJob(${JSON.stringify(vidocuId(job))}, ${JSON.stringify(await keyFor('VIDOCU'))});`;
    const ran = runJavaScript(await sample('VIDOCU', 'vidocu-polling.ts'), { ...walk(job, finish), usage });
    await expect(ran).rejects.toThrow(new Error(message));
  });

  test('Vidocu: curl gets the job', async () => {
    const { job, token } = await tenant.running({ type: 'analysis' });
    await tenant.report(token, { step: 'transcribing', message: 'Creating video script...', percentage: 45 });
    const id = { 'analysis_1708300000000_abc1234': vidocuId(job) };
    expect(await runCurl(await sample('VIDOCU', 'vidocu-status.sh', id), port)).toMatchObject({
      jobId: vidocuId(job),
      status: 'processing',
      progress: { step: 'transcribing', message: 'Creating video script...', percentage: 45 },
    });
  });

  test('VideoConduit: fetch and curl read a job', async () => {
    const { job, token } = await tenant.running({ type: 'download' });
    await tenant.complete(token, { download_url: videoUrl });
    const id = { [videoConduitId]: job.id };
    const { printed } = await runJavaScript(await sample('VIDEOCONDUIT', 'videoconduit-status.js', id));
    expect(printed).toEqual([`completed ${videoUrl}`]);
    const got = await runCurl(await sample('VIDEOCONDUIT', 'videoconduit-status.sh', id), port);
    expect(got).toMatchObject({ job_id: job.id, job_type: 'download', status: 'completed', download_url: videoUrl });
  });

  test('VideoConduit: fetch and curl list completed jobs', async () => {
    const { job, token } = await tenant.running({ type: 'download' });
    await tenant.complete(token);
    const { printed } = await runJavaScript(await sample('VIDEOCONDUIT', 'videoconduit-list.js'));
    expect(printed[0]).toBe(`${job.id} completed`);
    expect(await runCurl(await sample('VIDEOCONDUIT', 'videoconduit-list.sh'), port)).toMatchObject({
      items: expect.arrayContaining([expect.objectContaining({ job_id: job.id, status: 'completed' })]),
      has_more: expect.any(Boolean),
    });
  });

  describe.runIf(hasPython())('VideoConduit in Python', () => {
    test('prints the status of a job, and where its file is', async () => {
      const { job, token } = await tenant.running({ type: 'download' });
      const id = { [videoConduitId]: job.id };
      expect((await runPython(await sample('VIDEOCONDUIT', 'videoconduit-status.py', id))).printed).toEqual(['processing None']);
      await tenant.complete(token, { download_url: videoUrl });
      const { printed } = await runPython(await sample('VIDEOCONDUIT', 'videoconduit-status.py', id));
      expect(printed).toEqual([`completed ${videoUrl}`]);
    });

    test('prints completed jobs, newest first', async () => {
      const { job, token } = await tenant.running({ type: 'comments' });
      await tenant.complete(token);
      const { printed } = await runPython(await sample('VIDEOCONDUIT', 'videoconduit-list.py'));
      expect(printed[0]).toBe(`${job.id} completed`);
    });

    test.each([
      { end: 'completed', finish: ({ token }: HeldJob) => tenant.complete(token), ended: { status: 'completed', result_data: { done: true } } },
      { end: 'failed', finish: fail, ended: { status: 'failed', error_message: 'Nobody speaks.' } },
      { end: 'cancelled', finish: cancel, ended: { status: 'failed', error_message: 'Job was cancelled' } },
    ])('polls every two seconds, until the job is $end', async ({ finish, ended }) => {
      const job = await tenant.create({ type: 'transcribe' });
      const { waits, pause } = walk(job, finish);
      const polling = await sample('VIDEOCONDUIT', 'videoconduit-polling.py', { 'a1b2c3d4-...': job.id });
      expect((await runPython(polling, { pause })).job).toMatchObject(ended);
      expect(waits).toEqual([2, 2, 2]);
    });
  });

  test('Vydra: waitForJob tells how it goes, and returns the output', async () => {
    const job = await tenant.create(house);
    const { waits, pause } = walk(job, ({ token }) => tenant.complete(token, { videoUrl }));
    const { printed } = await runJavaScript(await sample('VYDRA', 'vydra-polling.js', { 'job-id': job.id }), { pause });
    expect(printed).toEqual([
      'Status: pending, Progress: 0%',
      'Status: running, Progress: 0%',
      'Status: running, Progress: 45%',
      'Status: completed, Progress: 100%',
      `Video URL: ${videoUrl}`,
    ]);
    expect(waits).toEqual([5_000, 5_000, 5_000]);
  });

  test('Vydra: waitForJob throws what a job has failed of', async () => {
    const job = await tenant.create(house);
    const polling = await sample('VYDRA', 'vydra-polling.js', { 'job-id': job.id });
    await expect(runJavaScript(polling, walk(job, fail))).rejects.toThrow(new Error('Nobody speaks.'));
  });

  test('Vydra: waitForJob does not know of cancelled jobs, and gives up after its half hour', async () => {
    const job = await tenant.create(house);
    const polling = await sample('VYDRA', 'vydra-polling.js', { 'job-id': job.id });
    await expect(runJavaScript(polling, walk(job, cancel))).rejects.toThrow(new Error('Job timed out'));
  });

  test('Vydra: curl creates a job, of whose end its application is told, reads it, lists it and cancels another', async () => {
    // Its own application, as the base URL and the key are ours.
    const receiver = await startReceiver();
    const creation = await sample('VYDRA', 'vydra-create.sh', { 'https://yourapp.com/webhook/vydra': receiver.url });
    const created = await runCurl(creation, port);
    expect(created).toMatchObject({ status: 'running', workflow: 'house-timelapse', creditsCharged: 150 });
    const id = text(created, 'id');
    const read = await runCurl(await sample('VYDRA', 'vydra-status.sh', { [vydraId]: id }), port);
    expect(read).toMatchObject({ id, status: 'pending', progress: 0, statusMessage: 'Waiting to start...' });
    const { token } = await tenant.start(await tenant.read(id));
    await tenant.complete(token, { videoUrl });
    await vi.waitFor(() => expect(receiver.received).toHaveLength(1), { timeout: 20_000 });
    const told = { jobId: id, status: 'completed', workflow: 'house-timelapse', output: { videoUrl } };
    expect(JSON.parse(receiver.received[0]?.body ?? '')).toEqual({ ...told, completedAt: expect.any(String) });
    expect(await runCurl(await sample('VYDRA', 'vydra-list.sh'), port)).toMatchObject({
      data: expect.arrayContaining([expect.objectContaining({ id, status: 'completed', output: { videoUrl } })]),
      pagination: { limit: 10, offset: 0 },
    });
    const other = text(await runCurl(creation, port), 'id');
    expect(await runCurl(await sample('VYDRA', 'vydra-cancel.sh', { [vydraId]: other }), port)).toEqual({
      success: true,
      message: 'Job cancelled',
      refund: { applied: true, creditsRefunded: 150 },
    });
  });

  test('RevidAPI: curl gets the job in its envelopes', async () => {
    const { job, token } = await tenant.running({ type: 'media/transcribe' });
    await tenant.complete(token, 'Transcription completed successfully.');
    const id = { 'e6d7f3c0-9c9f-4b8a-b7c3-f0e3c9f6b9d7': job.id };
    expect(await runCurl(await sample('REVID', 'revidapi-status.sh', id), port)).toMatchObject({
      endpoint: '/v1/toolkit/job/status',
      code: 200,
      job_id: job.id,
      message: 'success',
      response: {
        job_status: 'done',
        job_id: job.id,
        response: { endpoint: '/v1/media/transcribe', code: 200, response: 'Transcription completed successfully.', message: 'success' },
      },
    });
  });
});

test('the samples are the seeds’ own', async ({ skip }) => {
  const seeds = new URL('../../../shared/seeds/', import.meta.url);
  const files = await readdir(seeds).catch(() => null);
  // A user's clone stands alone.
  if (files === null) return skip('there is no ../shared here');
  const folder = new URL('../support/seed-clients/', import.meta.url);
  const samples = (await readdir(folder)).filter((name) => name.endsWith('.sample'));
  expect(samples).toHaveLength(15);
  for (const name of samples) {
    const seed = await readFile(new URL(`${name.split('-')[0]}.txt`, seeds), 'utf8');
    expect(bare(withoutColours(seed)), name).toContain(bare(await readFile(new URL(name, folder), 'utf8')));
  }
});

const house = { type: 'house-timelapse', input: { theme: 'Cliffside Ocean Mansion' } };

/** While a client waits for the first time the job starts, then it reports, then it ends; nothing happens after. */
function walk(job: Job, finish: (held: HeldJob) => Promise<unknown>): { waits: number[]; pause: Pause } {
  const waits: number[] = [];
  let held: HeldJob | undefined;
  const pause = async (time: number) => {
    waits.push(time);
    if (waits.length === 1) held = await tenant.start(job);
    if (held === undefined) return;
    if (waits.length === 2) await tenant.report(held.token, { message: 'Generating video 2 of 3...', percentage: 45 });
    if (waits.length === 3) await finish(held);
  };
  return { waits, pause };
}

function fail({ token }: HeldJob): Promise<Job> {
  return tenant.fail(token, { code: 'NO_SPEECH', message: 'Nobody speaks.', retryable: false });
}

function cancel({ job }: HeldJob): Promise<Job> {
  return tenant.cancel(job.id);
}

function text(value: JsonValue, name: string): string {
  return Object.entries(value ?? {}).find(([key]) => key === name)?.[1] ?? '';
}

/** Code on Vydra's page is mixed with the names of its colours. */
function withoutColours(page: string): string {
  return page.replaceAll(/"text">-purple-600">|"text-[a-z]+-\d+">/g, '').replaceAll('">-', '-');
}

/** Without the indentation, which the pages have lost. */
function bare(code: string): string {
  return code.replaceAll(/^[ \t]+/gm, '').trim();
}
