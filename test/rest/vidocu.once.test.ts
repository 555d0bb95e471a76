import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createdAtOf } from '../../src/database/ids.ts';
import type { Job } from '../../src/jobs/model/job.ts';
import type { JsonValue } from '../../src/json.ts';
import { vidocuId } from '../../src/rest/vidocu/vidocu-id.ts';
import { becomeDue, Tenant } from '../support/domain.ts';
import { type Longhaul, sharedLonghaul } from '../support/longhaul.ts';
import { rest } from '../support/rest.ts';
import { createApiKey } from '../../src/workspaces/create-api-key.ts';

let longhaul: Longhaul;
let tenant: Tenant;
let key: string;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
  tenant = await Tenant.in(longhaul);
  key = await vidocuKey(tenant);
});
afterAll(() => longhaul.stop());

const analysis = { type: 'analysis', input: { videoId: 'vid_1' } };

async function vidocuKey({ id }: Tenant): Promise<string> {
  const asked = { workspaceId: id, name: 'test', scopes: ['READ' as const], dialect: 'VIDOCU' as const };
  return (await createApiKey(longhaul.services.database, asked)).secret;
}

function get(id: string, secret = key) {
  return rest(`${longhaul.url}/v1/jobs/${id}`, { key: secret });
}

async function shown(job: Job): Promise<JsonValue | undefined> {
  const { status, body } = await get(vidocuId(job));
  expect(status).toBe(200);
  return body;
}

/** The eight keys of a job as it is in the database; each test says what is different from a job that waits. */
async function pending({ id }: Job) {
  const job = await tenant.read(id);
  return {
    jobId: vidocuId(job),
    type: 'analysis',
    status: 'pending',
    progress: null,
    result: null,
    error: null,
    createdAt: job.createdAt.toISOString(),
    updatedAt: job.updatedAt.toISOString(),
  };
}

test('a pending job has all eight keys', async () => {
  const job = await tenant.create(analysis);
  expect(await shown(job)).toEqual(await pending(job));
});

test.each([
  { what: 'no report', report: null, progress: { step: 'processing', message: 'Job is running' } },
  {
    what: 'a full one',
    report: { step: 'transcribing', message: 'Creating video script...', percentage: 45 },
    progress: { step: 'transcribing', message: 'Creating video script...', percentage: 45 },
  },
  { what: 'a step alone', report: { step: 'transcribing' }, progress: { step: 'transcribing', message: 'Job is running' } },
  { what: 'zero percent', report: { percentage: 0 }, progress: { step: 'processing', message: 'Job is running', percentage: 0 } },
  { what: 'a hundred', report: { percentage: 100 }, progress: { step: 'processing', message: 'Job is running', percentage: 100 } },
])('a running job with $what is processing', async ({ report, progress }) => {
  const { job, token } = await tenant.running(analysis);
  if (report !== null) await tenant.report(token, report);
  expect(await shown(job)).toEqual({ ...(await pending(job)), status: 'processing', progress });
});

test('a job between two attempts and in its second one is processing still', async () => {
  const { job, token } = await tenant.running(analysis);
  await tenant.fail(token);
  const processing = { status: 'processing', progress: { step: 'processing', message: 'Job is running' } };
  expect(await shown(job)).toEqual({ ...(await pending(job)), ...processing });
  await becomeDue(longhaul, job.id);
  expect(await shown(job)).toEqual({ ...(await pending(job)), ...processing });
  await tenant.start(job);
  expect(await shown(job)).toEqual({ ...(await pending(job)), ...processing });
});

test.each<{ what: string; output: JsonValue; result: JsonValue }>([
  { what: 'an object', output: { subtitles: [1], url: null }, result: { subtitles: [1], url: null } },
  { what: 'text', output: 'Hello.', result: { value: 'Hello.' } },
  { what: 'a list', output: [1], result: { value: [1] } },
  { what: 'nothing', output: null, result: {} },
])('a completed job whose result is $what', async ({ output, result }) => {
  const { job, token } = await tenant.running(analysis);
  await tenant.report(token, { percentage: 50 });
  await tenant.complete(token, output);
  expect(await shown(job)).toEqual({ ...(await pending(job)), status: 'completed', result });
});

test('a failed job says why, in a string', async () => {
  const { job, token } = await tenant.running(analysis);
  await tenant.report(token, { percentage: 50 });
  await tenant.fail(token, { message: 'Nobody speaks.', retryable: false });
  expect(await shown(job)).toEqual({ ...(await pending(job)), status: 'failed', error: 'Nobody speaks.' });
});

test('a cancelled job has failed, since clients know no fifth word', async () => {
  const job = await tenant.create(analysis);
  await tenant.cancel(job.id, 'of no more use');
  expect(await shown(job)).toEqual({ ...(await pending(job)), status: 'failed', error: 'Job was cancelled' });
});

test.each([
  { type: 'export', input: {}, shownType: 'export' },
  { type: 'translation', input: {}, shownType: 'translation' },
  { type: 'tool', input: {}, shownType: 'tool' },
  { type: 'voiceover', input: {}, shownType: 'tool' },
  { type: 'comments', input: { sourceUrl: 'https://example.com/a' }, shownType: 'tool' },
  { type: 'house-timelapse', input: { theme: 'barn' }, shownType: 'tool' },
])('a job of the type $type is one of $shownType', async ({ type, input, shownType }) => {
  const job = await tenant.create({ type, input });
  expect(vidocuId(job)).toMatch(new RegExp(`^${shownType}_\\d{13}_[0-9a-z]{7}$`));
  expect(await shown(job)).toEqual({ ...(await pending(job)), type: shownType });
});

test('updatedAt moves with status and progress, createdAt never, and reading moves nothing', async () => {
  const seen = async (job: Job) => {
    const { createdAt, updatedAt } = await tenant.read(job.id);
    const before = await shown(job);
    expect(await shown(job)).toEqual(before);
    expect(before).toMatchObject({ createdAt: createdAt.toISOString(), updatedAt: updatedAt.toISOString() });
    return updatedAt.getTime();
  };
  const job = await tenant.create(analysis);
  const created = await seen(job);
  const { token } = await tenant.start(job);
  const started = await seen(job);
  await tenant.report(token, { percentage: 10 });
  const reported = await seen(job);
  await tenant.complete(token);
  expect([created, started, reported, await seen(job)]).toEqual([created, started, reported, await seen(job)].toSorted());
});

describe('an id', () => {
  test('carries the millisecond of the creation', async () => {
    const job = await tenant.create(analysis);
    expect(vidocuId(job).split('_').slice(0, 2)).toEqual(['analysis', String(job.createdAt.getTime())]);
    expect(createdAtOf(job.id)).toEqual(job.createdAt);
  });

  test('leads to its own job among a thousand of the same moment', async () => {
    const jobs = await tenant.createAll(Array.from({ length: 1_000 }, () => analysis));
    expect(new Set(jobs.map(vidocuId)).size).toBe(1_000);
    const some = jobs.filter((_job, index) => index % 100 === 7);
    for (const job of some) expect((await get(vidocuId(job))).body).toEqual(await pending(job));
  });

  test('may be the UUID too, in either case', async () => {
    const job = await tenant.create(analysis);
    expect((await get(job.id)).body).toEqual(await pending(job));
    expect((await get(job.id.toUpperCase())).body).toEqual(await pending(job));
  });

  test('that is unknown, malformed or of another workspace: all alike, also when asked again', async () => {
    const job = await tenant.create(analysis);
    const foreign = await (await Tenant.in(longhaul)).create(analysis);
    const id = vidocuId(job);
    const ids = [
      vidocuId(foreign),
      foreign.id,
      id.replace('analysis', 'export'),
      id.replace('analysis', 'video'),
      id.toUpperCase(),
      `${id}0`,
      id.slice(0, -1),
      id.replace(/_\d{13}_/, '_9999999999999_'),
      'analysis_1708300000000_abc1234',
      '0198c0de-0000-7000-8000-000000000000',
      'none',
      '%00',
      `${id}%0A`,
    ];
    for (const asked of [...ids, ...ids]) {
      expect({ asked, ...(await get(asked)) }).toMatchObject({
        asked,
        status: 404,
        body: { error: { code: 'not_found', message: 'Job not found' } },
      });
    }
  });

  test("known to its own workspace is not to another's, whoever asked first", async () => {
    const job = await tenant.create(analysis);
    expect((await get(vidocuId(job))).status).toBe(200);
    const other = await vidocuKey(await Tenant.in(longhaul));
    expect((await get(vidocuId(job), other)).status).toBe(404);
  });
});

describe('a key', () => {
  test.each([
    { what: 'none', headers: {}, message: 'Invalid or missing API key' },
    { what: 'one that is mistyped', headers: { authorization: 'Bearer vdo_live_x' }, message: 'Invalid or missing API key' },
    { what: 'one of another form', headers: { authorization: 'Bearer sk_live_x' }, message: 'Invalid API key format' },
  ])('$what is 401 before anything is looked up', async ({ headers, message }) => {
    const { id } = await tenant.create(analysis);
    for (const asked of [id, 'none']) {
      expect(await rest(`${longhaul.url}/vidocu/v1/jobs/${asked}`, { headers })).toMatchObject({
        status: 401,
        body: { error: { code: 'authentication_error', message } },
      });
    }
  });

  test('that may not read is 403', async () => {
    const asked = { workspaceId: tenant.id, name: 'test', scopes: ['WRITE' as const], dialect: 'VIDOCU' as const };
    const { secret } = await createApiKey(longhaul.services.database, asked);
    expect(await get('none', secret)).toMatchObject({
      status: 403,
      body: { error: { code: 'insufficient_scope', message: 'The API key lacks the scope READ' } },
    });
  });
});
