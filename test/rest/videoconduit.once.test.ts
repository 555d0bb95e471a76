import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Job } from '../../src/jobs/model/job.ts';
import type { JsonValue } from '../../src/json.ts';
import { type Longhaul, sharedLonghaul, type TestWorkspace } from '../support/longhaul.ts';
import { claim, submit } from '../support/steps.ts';

let longhaul: Longhaul;
let workspace: TestWorkspace;
let key: string;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
  workspace = await longhaul.workspace();
  key = await workspace.key({ scopes: ['READ'], dialect: 'VIDEOCONDUIT' });
});
afterAll(() => longhaul.stop());

const sourceUrl = 'https://example.com/video.mp4';
const wholeSeconds = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);

/** The twelve keys of a job that waits; each test says what is different. */
function pending(job: Job) {
  return {
    job_id: job.id,
    job_type: 'transcribe',
    status: 'pending',
    source_url: sourceUrl,
    parameters: { sourceUrl, language: 'en' },
    credits_charged: 3,
    download_url: null,
    result_data: null,
    error_message: null,
    created_at: secondsOf(job.createdAt),
    completed_at: null,
    expires_at: null,
  };
}

test('a pending job has all twelve keys', async () => {
  const job = await transcription();
  expect(await poll(job)).toEqual({ status: 200, body: pending(job) });
});

test('a running job is processing, also with 100 percent', async () => {
  const job = await transcription();
  await longhaul.services.jobs.report(null, { token: await claim(longhaul, job), percentage: 100 });
  expect((await poll(job)).body).toEqual({ ...pending(job), status: 'processing' });
});

test('a job between two attempts does not go back to pending', async () => {
  const job = await transcription();
  await longhaul.services.jobs.fail(null, { token: await claim(longhaul, job), code: 'BUSY', message: 'Try again.' });
  expect((await poll(job)).body).toEqual({ ...pending(job), status: 'processing' });
});

test("a completed job names the file of its result, which is somebody else's and has no end", async () => {
  const job = await transcription();
  const result = { url: 'https://cdn.example.com/a.srt', videoUrl: 'https://cdn.example.com/b.mp4', words: 7 };
  const { finishedAt } = await complete(job, result);
  if (finishedAt === null) throw new Error('a completed job has no end');
  expect((await poll(job)).body).toEqual({
    ...pending(job),
    status: 'completed',
    download_url: 'https://cdn.example.com/b.mp4',
    result_data: result,
    completed_at: secondsOf(finishedAt),
    expires_at: null,
  });
});

test('where every URL of a result is an empty text, there is none', async () => {
  const job = await transcription();
  await complete(job, { download_url: '', url: '', expires_at: '2031-01-01T00:00:00Z' });
  expect((await poll(job)).body).toMatchObject({ status: 'completed', download_url: null, expires_at: null });
});

test('a completed job without a file has neither URL nor expiry', async () => {
  const job = await transcription();
  await complete(job, { text: 'Hello.' });
  expect((await poll(job)).body).toEqual({
    ...pending(job),
    status: 'completed',
    result_data: { text: 'Hello.' },
    completed_at: wholeSeconds,
  });
});

test.each<{ what: string; output: JsonValue }>([
  { what: 'text', output: 'Hello.' },
  { what: 'a list', output: [1, 2] },
  { what: 'nothing', output: null },
])('a result that is $what is wrapped, because the field is an object', async ({ output }) => {
  const job = await transcription();
  await complete(job, output);
  expect((await poll(job)).body).toMatchObject({ status: 'completed', result_data: { value: output }, download_url: null });
});

test('a failed job says why, keeps its charge and shows no result', async () => {
  const job = await transcription();
  const token = await claim(longhaul, job);
  await longhaul.services.jobs.fail(null, { token, code: 'NO_SPEECH', message: 'Nobody speaks.', retryable: false });
  expect((await poll(job)).body).toEqual({
    ...pending(job),
    status: 'failed',
    error_message: 'Nobody speaks.',
    completed_at: wholeSeconds,
  });
});

test('a cancelled job has failed, since clients know no fifth word', async () => {
  const job = await transcription();
  await longhaul.services.jobs.cancel(workspace.id, job.id, { reason: 'of no more use' });
  expect((await poll(job)).body).toEqual({
    ...pending(job),
    status: 'failed',
    error_message: 'Job was cancelled',
    completed_at: wholeSeconds,
  });
});

test('a job without a source has an empty one', async () => {
  const job = await submit(longhaul, workspace.id, { type: 'house-timelapse', input: { theme: 'barn' } });
  expect((await poll(job)).body).toMatchObject({ source_url: '', parameters: { theme: 'barn' }, job_type: 'house-timelapse' });
});

test('answers are JSON and kept by nobody', async () => {
  for (const id of [(await transcription()).id, 'none']) {
    const { headers } = await get(id, key);
    expect(headers.get('content-type')).toMatch(/^application\/json/);
    expect(headers.get('cache-control')).toBe('no-store');
  }
});

test.each([
  { what: 'no key', authorization: undefined },
  { what: 'a wrong key', authorization: 'Bearer vc_0000000000000000' },
  { what: 'another scheme', authorization: 'Basic dXNlcjpwYXNz' },
])('$what is 401 before anything is looked up', async ({ authorization }) => {
  for (const id of [(await transcription()).id, 'none']) {
    const headers = authorization === undefined ? {} : { authorization };
    const response = await fetch(`${longhaul.url}/videoconduit/v1/jobs/${id}`, { headers });
    expect(response.status).toBe(401);
    expect(await response.json()).toEqual({ detail: 'Invalid or missing API key', code: 'unauthorized' });
  }
});

test("another vendor's key is 401 here", async () => {
  const theirs = await workspace.key({ scopes: ['READ'], dialect: 'VYDRA' });
  expect((await get((await transcription()).id, theirs)).status).toBe(401);
});

test('a key that may not read is 403', async () => {
  const writing = await workspace.key({ scopes: ['WRITE', 'WORK'] });
  const response = await get((await transcription()).id, writing);
  expect(response.status).toBe(403);
  expect(await response.json()).toMatchObject({ code: 'forbidden', detail: expect.any(String) });
});

test('a native key polls here too', async () => {
  expect((await get((await transcription()).id, await workspace.key({ scopes: ['READ'] }))).status).toBe(200);
});

test("another workspace's job, an unknown one and what is no id at all are one and the same 404", async () => {
  const other = await submit(longhaul, (await longhaul.workspace()).id);
  const own = await transcription();
  const ids = [
    other.id,
    '0198c0de-0000-7000-8000-000000000000',
    '00000000-0000-0000-0000-000000000001',
    'none',
    '%00',
    `${own.id}%20`,
    "'%20OR%201=1",
    'x'.repeat(400),
  ];
  for (const id of ids) {
    const response = await get(id, key);
    expect({ id, status: response.status, body: await response.json() }).toEqual({
      id,
      status: 404,
      body: { detail: 'Job not found', code: 'not_found' },
    });
  }
});

test.each(['/v1/nothing', '/v1/jobs/a/b', '/'])('the path %s that the vendor does not have is a 404 of its kind', async (path) => {
  const response = await fetch(`${longhaul.url}/videoconduit${path}`, { headers: { authorization: `Bearer ${key}` } });
  expect(response.status).toBe(404);
  expect(await response.json()).toEqual({ detail: expect.any(String), code: 'not_found' });
});

function transcription(): Promise<Job> {
  return submit(longhaul, workspace.id, { type: 'transcribe', input: { sourceUrl, language: 'en' } });
}

async function complete(job: Job, output: JsonValue): Promise<Job> {
  return longhaul.services.jobs.complete(null, { token: await claim(longhaul, job), output });
}

function get(id: string, secret: string): Promise<Response> {
  return fetch(`${longhaul.url}/videoconduit/v1/jobs/${id}`, { headers: { authorization: `Bearer ${secret}` } });
}

async function poll({ id }: Job): Promise<{ status: number; body: unknown }> {
  const response = await get(id, key);
  return { status: response.status, body: await response.json() };
}

function secondsOf(instant: Date): string {
  return instant.toISOString().replace(/\.\d{3}Z$/, 'Z');
}
