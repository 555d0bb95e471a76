import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import {
  CancelJobDocument,
  CreateJobDocument,
  JobDocument,
  type JobDetailsFragment,
  JobLogsDocument,
  JobProgressDocument,
  type JobProgressSubscription,
} from '../graphql/generated/graphql.ts';
import { ask, next, rest, type Watch, watchSocket } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';
import { openSource } from '../support/source.ts';

const environment = { ROLE: 'all', OUTBOUND_ALLOW: '127.0.0.1,localhost' };

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await startLonghaul(environment);
});
afterAll(() => longhaul.stop());

const quarter = 250_000;

test('a download completes while its watcher sees the percentage rise, and its file is handed out', async () => {
  const key = await (await longhaul.workspace()).key();
  const content = randomBytes(4 * quarter);
  const source = await openSource(content.length);
  const job = await create(longhaul, key, 'download', source.url);
  const watch = watchSocket(longhaul.url, key, JobProgressDocument, { id: job.id });

  const response = await source.answer();
  const percentages: number[] = [];
  for (const part of [0, 1, 2]) {
    response.write(content.subarray(part * quarter, (part + 1) * quarter));
    percentages.push(await percentageFrom(watch, (part + 1) * 25));
  }
  response.end(content.subarray(3 * quarter));
  const last = (await rest(watch)).at(-1)?.jobProgress;
  expect(percentages).toEqual([25, 50, 75]);
  expect(last).toMatchObject({ status: 'COMPLETED' });

  const done = await read(longhaul, key, job.id);
  const sha256 = createHash('sha256').update(content).digest('hex');
  expect(done).toMatchObject({
    status: 'COMPLETED',
    output: { filename: 'holiday.mp4', mediaType: 'video/mp4', bytes: content.length, sha256, sourceUrl: source.url },
    attempts: [{ number: 1, error: null }],
    downloadUrl: last?.downloadUrl,
  });
  const { downloadUrl, finishedAt } = done;
  if (downloadUrl === null || finishedAt === null) throw new Error('a completed download has no file');
  expect(source.asked).toBe(1);

  const file = await fetch(downloadUrl);
  expect(file.status).toBe(200);
  expect(Object.fromEntries(file.headers)).toMatchObject({
    'content-type': 'video/mp4',
    'content-length': String(content.length),
    'content-disposition': 'attachment; filename=holiday.mp4',
    'x-content-type-options': 'nosniff',
    'accept-ranges': 'bytes',
  });
  expect(Buffer.from(await file.arrayBuffer()).equals(content)).toBe(true);

  const range = await fetch(downloadUrl, { headers: { range: 'bytes=10-19' } });
  expect(range.status).toBe(206);
  expect(range.headers.get('content-range')).toBe(`bytes 10-19/${content.length}`);
  expect(Buffer.from(await range.arrayBuffer()).equals(content.subarray(10, 20))).toBe(true);

  const polled = await fetch(`${longhaul.url}/videoconduit/v1/jobs/${job.uuid}`, { headers: { authorization: `Bearer ${key}` } });
  expect(await polled.json()).toEqual({
    job_id: job.uuid,
    job_type: 'download',
    status: 'completed',
    source_url: source.url,
    parameters: { sourceUrl: source.url },
    credits_charged: 1,
    download_url: downloadUrl,
    result_data: { filename: 'holiday.mp4', mediaType: 'video/mp4', bytes: content.length, sha256, sourceUrl: source.url },
    error_message: null,
    created_at: wholeSeconds(job.createdAt),
    completed_at: wholeSeconds(finishedAt),
    expires_at: wholeSeconds(new Date(Date.parse(finishedAt) + 24 * 3_600_000).toISOString()),
  });
});

test('a download URL that was changed anywhere opens nothing', async () => {
  const key = await (await longhaul.workspace()).key();
  const { downloadUrl } = await completed(key, Buffer.from('a file'));
  const { downloadUrl: another } = await completed(key, Buffer.from('another file'));
  if (downloadUrl === null || another === null) throw new Error('a completed download has no file');
  const url = new URL(downloadUrl);
  const changes = [
    { signature: 'x'.repeat(43) },
    { signature: '' },
    { expires: String(Number(url.searchParams.get('expires')) + 1) },
    // The signature of one file does not open another.
    { path: new URL(another).pathname },
  ];
  for (const { path = url.pathname, ...parameters } of changes) {
    const changed = new URL(url);
    changed.pathname = path;
    for (const [name, value] of Object.entries(parameters)) changed.searchParams.set(name, value);
    const response = await fetch(changed);
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ error: { code: 'FORBIDDEN' } });
  }
  expect((await fetch(`${url.origin}${url.pathname}`)).status).toBe(403);
  expect((await fetch(url)).status).toBe(200);
});

test('a file is gone when its 24 hours are over, for every surface', async () => {
  const key = await (await longhaul.workspace()).key();
  const { id, uuid, downloadUrl } = await completed(key, Buffer.from('a file'));
  const { database } = longhaul.services;
  await database.hot.query(`UPDATE artifact SET expires_at = now() - interval '1 s' WHERE job_id = $1`, [uuid]);
  await database.hot.query(`UPDATE job SET artifact_expires_at = now() - interval '1 s' WHERE id = $1`, [uuid]);
  expect((await fetch(downloadUrl ?? '')).status).toBe(410);
  expect(await read(longhaul, key, id)).toMatchObject({ downloadUrl: null, downloadUrlExpiresAt: null });
  const polled = await fetch(`${longhaul.url}/videoconduit/v1/jobs/${uuid}`, { headers: { authorization: `Bearer ${key}` } });
  expect(await polled.json()).toMatchObject({ status: 'completed', download_url: null, expires_at: null });
  await longhaul.sweeper.keepHouse();
  expect((await fetch(downloadUrl ?? '')).status).toBe(404);
});

test('a cancelled download is aborted at once, and nothing of its file stays', async () => {
  const tenant = await longhaul.workspace();
  const key = await tenant.key();
  const source = await openSource(4 * quarter);
  const job = await create(longhaul, key, 'download', source.url);
  const watch = watchSocket(longhaul.url, key, JobProgressDocument, { id: job.id });
  const response = await source.answer();
  const gone = once(response, 'close');
  response.write(randomBytes(quarter));
  await percentageFrom(watch, 25);
  expect(await filesOf(longhaul, tenant.id)).toEqual([expect.stringMatching(/\.part$/)]);

  await ask(longhaul.url, key, CancelJobDocument, { input: { id: job.id } });
  await gone;
  expect((await rest(watch)).at(-1)).toMatchObject({ jobProgress: { status: 'CANCELLED' } });
  await eventually(async () => expect(await filesOf(longhaul, tenant.id)).toEqual([]));
  expect(await read(longhaul, key, job.id)).toMatchObject({
    status: 'CANCELLED',
    creditsRefunded: 1,
    attempts: [{ number: 1, endedAt: expect.any(String), error: null }],
    downloadUrl: null,
  });
});

test('a download that breaks off fails its attempt and is tried again', async () => {
  const workspace = await longhaul.workspace();
  const key = await workspace.key();
  const source = await openSource(4 * quarter);
  const job = await create(longhaul, key, 'download', source.url);
  const watch = watchSocket(longhaul.url, key, JobProgressDocument, { id: job.id });
  const response = await source.answer();
  response.write(randomBytes(quarter));
  await percentageFrom(watch, 25);
  // So that the next attempt, which is due in two seconds, waits until it was looked at.
  await longhaul.services.jobs.updateWorkspace(workspace.id, { paused: true });
  response.destroy();
  while ((await next(watch)).jobProgress.status !== 'PENDING');
  await watch.return?.();
  expect(await read(longhaul, key, job.id)).toMatchObject({
    status: 'PENDING',
    error: null,
    attempts: [{ number: 1, error: { code: 'SOURCE_INCOMPLETE' } }],
    nextAttemptAt: expect.any(String),
  });
  // The last line is there when the attempt has ended.
  const { job: told } = await ask(longhaul.url, key, JobLogsDocument, { id: job.id, last: 2 });
  expect(told?.logs.edges.map(({ node }) => node)).toMatchObject([
    { attempt: 1, level: 'INFO', message: 'the source answered', fields: { status: 200 } },
    { attempt: 1, level: 'ERROR', message: expect.stringContaining('broke off'), fields: { code: 'SOURCE_INCOMPLETE' } },
  ]);
  await ask(longhaul.url, key, CancelJobDocument, { input: { id: job.id } });
});

test('a fingerprint tells hash, size and what the content shows', async () => {
  const key = await (await longhaul.workspace()).key();
  const content = Buffer.from('%PDF-1.7\n% a document that calls itself a video\n');
  const source = await openSource(content.length);
  const job = await create(longhaul, key, 'fingerprint', source.url);
  (await source.answer()).end(content);
  await ended(longhaul, key, job.id);
  expect(await read(longhaul, key, job.id)).toMatchObject({
    status: 'COMPLETED',
    output: { sha256: createHash('sha256').update(content).digest('hex'), bytes: content.length, mediaType: 'application/pdf' },
    downloadUrl: null,
  });
});

test('a private address is refused unless the operator allows it, and is not asked', async () => {
  const careful = await startLonghaul({ ROLE: 'all' });
  try {
    const key = await (await careful.workspace({ credits: 5 })).key();
    const source = await openSource(1);
    for (const [url, code] of [
      [source.url, 'SOURCE_UNREACHABLE'],
      [source.url.replace('localhost', '127.0.0.1'), 'SOURCE_REFUSED'],
    ] as const) {
      const job = await create(careful, key, 'download', url);
      await ended(careful, key, job.id);
      expect(await read(careful, key, job.id)).toMatchObject({
        status: 'FAILED',
        error: { code },
        creditsRefunded: 1,
        attempts: [{ number: 1 }],
      });
    }
    expect(source.asked).toBe(0);
  } finally {
    await careful.stop();
  }
});

test('a process that drains ends jobs and takes no new one; one that stops hands its job back: the attempt does not count, and nothing of the file stays', async () => {
  const stopping = await startLonghaul(environment);
  const tenant = await stopping.workspace();
  const key = await tenant.key();
  const source = await openSource(4 * quarter);
  const job = await create(stopping, key, 'download', source.url);
  const watch = watchSocket(stopping.url, key, JobProgressDocument, { id: job.id });
  const response = await source.answer();
  const gone = once(response, 'close');
  response.write(randomBytes(quarter));
  await percentageFrom(watch, 25);
  await watch.return?.();

  const other = await (await stopping.workspace()).key();
  const [begun, later] = [await openSource(quarter), await openSource(quarter)];
  const ending = await create(stopping, other, 'download', begun.url);
  const end = watchSocket(stopping.url, other, JobProgressDocument, { id: ending.id });
  const beginning = await begun.answer();
  stopping.drain();
  const waiting = await create(stopping, other, 'download', later.url);
  beginning.end(randomBytes(quarter));
  expect((await rest(end)).at(-1)?.jobProgress).toMatchObject({ status: 'COMPLETED' });
  expect(await read(stopping, other, waiting.id)).toMatchObject({ status: 'PENDING' });
  expect(later.asked).toBe(0);

  // Looked at when everything that works has stopped, just before the connections go.
  const left = vi.fn(async () => ({
    job: await stopping.services.database.hot.query(
      'SELECT status, ready, attempt, failed_attempts, credits_refunded FROM job WHERE id = $1',
      [job.uuid],
    ),
    attempt: await stopping.services.database.hot.query(
      'SELECT number, outcome, error_code FROM job_attempt WHERE job_id = $1',
      [job.uuid],
    ),
    leases: await stopping.services.database.hot.query('SELECT * FROM lease WHERE job_id = $1', [job.uuid]),
    files: await filesOf(stopping, tenant.id),
  }));
  const { bus } = stopping.services;
  const close = bus.close.bind(bus);
  bus.close = async () => {
    await left();
    await close();
  };
  await stopping.stop();
  await gone;
  expect(left.mock.settledResults).toEqual([
    {
      type: 'fulfilled',
      value: {
        job: [{ status: 'PENDING', ready: true, attempt: 1, failed_attempts: 0, credits_refunded: 0 }],
        attempt: [{ number: 1, outcome: 'RELEASED', error_code: null }],
        leases: [],
        files: [],
      },
    },
  ]);
});

async function create(on: Longhaul, key: string, type: string, sourceUrl: string): Promise<JobDetailsFragment> {
  const { createJob } = await ask(on.url, key, CreateJobDocument, { input: { type, input: { sourceUrl } } });
  if (createJob === null || 'code' in createJob) throw new Error(`the job was refused: ${JSON.stringify(createJob)}`);
  return createJob.job;
}

async function read(on: Longhaul, key: string, id: string): Promise<JobDetailsFragment> {
  const { job } = await ask(on.url, key, JobDocument, { id });
  if (job === null) throw new Error('there is no such job');
  return job;
}

async function ended(on: Longhaul, key: string, id: string): Promise<void> {
  await rest(watchSocket(on.url, key, JobProgressDocument, { id }));
}

async function completed(key: string, content: Buffer): Promise<JobDetailsFragment> {
  const source = await openSource(content.length);
  const { id } = await create(longhaul, key, 'download', source.url);
  (await source.answer()).end(content);
  await ended(longhaul, key, id);
  return read(longhaul, key, id);
}

/** Waits until the watcher is told at least this percentage, and gives what it was told. */
async function percentageFrom(watch: Watch<JobProgressSubscription>, least: number): Promise<number> {
  for (let before = -1; ; ) {
    const { jobProgress } = await next(watch);
    const percentage = jobProgress.progress?.percentage ?? before;
    expect(percentage).toBeGreaterThanOrEqual(before);
    if (percentage >= least) return percentage;
    before = percentage;
  }
}

async function filesOf({ shared }: Longhaul, workspaceId: string): Promise<string[]> {
  const folder = shared['ARTIFACTS_DIR'] ?? '';
  const workspaces = await readdir(folder);
  return workspaces.includes(workspaceId) ? readdir(`${folder}/${workspaceId}`) : [];
}

function wholeSeconds(instant: string): string {
  return instant.replace(/\.\d{3}Z$/, 'Z');
}
