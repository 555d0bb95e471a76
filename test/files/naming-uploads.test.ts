import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ValidationError } from '../../src/errors.ts';
import { submitterOf, type Viewer } from '../../src/workspaces/viewer.ts';
import { byNobody } from '../../src/workspaces/audit/record.ts';
import { refusal, Tenant } from '../support/domain.ts';
import { type Longhaul, startLonghaul, type TestWorkspace } from '../support/longhaul.ts';
import { rest } from '../support/rest.ts';
import { becomeDue, occur } from '../support/schedules.ts';
import { newUpload, readUpload, sentUpload, sha256Of, tokenFor, tus } from '../support/uploads.ts';

/** A type of one's own, which takes uploads in a list, in an object behind a reference, and in no other field. */
const mixType = {
  name: 'mix',
  credits: 1,
  inputSchema: {
    type: 'object',
    properties: {
      tracks: { type: 'array', items: { type: 'string', 'x-source': true } },
      cover: { $ref: '#/$defs/picture' },
      note: { type: 'string' },
    },
    $defs: { picture: { type: 'object', properties: { url: { type: 'string', 'x-source': true } } } },
  },
};

const content = Buffer.from('what was uploaded');

let folder: string;
let longhaul: Longhaul;
let workspace: TestWorkspace;
let tenant: Tenant;
let key: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-types-'));
  await writeFile(join(folder, 'types.json'), JSON.stringify([mixType]));
  longhaul = await startLonghaul({ JOB_TYPES: join(folder, 'types.json') });
});
afterAll(async () => {
  await longhaul.stop();
  await rm(folder, { recursive: true });
});
beforeEach(async () => {
  workspace = await longhaul.workspace();
  tenant = Tenant.of(longhaul, workspace.id);
  key = await workspace.key();
});

const naming = (reference: string) => ({ input: { sourceUrl: reference } });

/** The issues of a creation that is refused. */
async function issuesOf(work: Promise<unknown>): Promise<{ path: string[]; message: string }[]> {
  return (await refusal(ValidationError, work)).issues;
}

const leasedFiles =
  'mutation ($type: String!, $id: ID!) { claimJobs(input: { types: [$type], jobIds: [$id], workerId: "w" }) { ... on ClaimJobsPayload { leases { files { reference url filename mediaType bytes sha256 } } } } }';

const uploadsOf = 'query ($id: ID!) { job(id: $id) { uploads { id filename complete } } }';

async function uploadsShown(jobId: string): Promise<unknown> {
  const { data } = await longhaul.graphql(uploadsOf, { id: jobId }, key);
  return data?.['job'];
}

async function whole(url: string): Promise<Buffer> {
  return Buffer.from(await (await fetch(url)).arrayBuffer());
}

async function expire({ uuid }: { uuid: string }): Promise<void> {
  await longhaul.services.database.hot.query(`UPDATE upload SET expires_at = now() - interval '1 s' WHERE id = $1`, [uuid]);
}

/** As if the job had ended so many hours ago. */
async function endedBefore(jobId: string, hours: number): Promise<void> {
  await longhaul.services.database.hot.query(`UPDATE job SET finished_at = now() - make_interval(hours => $2) WHERE id = $1`, [jobId, hours]);
}

describe('a job', () => {
  test.each(['global id', 'plain UUID', 'plain UUID in capitals'])('names an upload by its %s', async (form) => {
    const { id, uuid } = await sentUpload(longhaul, key, content);
    const name = form === 'global id' ? id : form === 'plain UUID' ? uuid : uuid.toUpperCase();
    const job = await tenant.create(naming(`upload:${name}`));
    expect(job.input).toEqual({ sourceUrl: `upload:${name}` });
    expect(await uploadsShown(job.id)).toEqual({ uploads: [{ id, filename: 'a.bin', complete: true }] });
  });

  test('shows a link to each, which stays the same, and holds as long as the file is there', async () => {
    const { id, uuid } = await sentUpload(longhaul, key, content);
    const job = await tenant.create(naming(`upload:${id}`));
    const link = async () => {
      const { data } = await longhaul.graphql('query ($id: ID!) { job(id: $id) { uploads { url } } }', { id: job.id }, key);
      return String(Object(data?.['job']).uploads[0].url);
    };
    const first = await link();
    expect(await whole(first)).toEqual(Buffer.from(content));
    expect(await link()).toBe(first);
    // The job goes on, and keeps it.
    await expire({ uuid });
    expect(await whole(await link())).toEqual(Buffer.from(content));
    const { data } = await longhaul.graphql('mutation { createUpload(input: { filename: "later.bin" }) { ... on CreateUploadPayload { upload { url } } } }', {}, key);
    expect(data).toEqual({ createUpload: { upload: { url: null } } });
  });

  test.each([
    ['one that is not there', () => `upload:${crypto.randomUUID()}`, 'no upload that is there'],
    ['one that is not complete', async () => `upload:${(await newUpload(longhaul, key)).id}`, 'not complete'],
    ["another workspace's", async () => `upload:${(await sentUpload(longhaul, await (await longhaul.workspace()).key(), content)).id}`, 'no upload that is there'],
    ["an attempt's", async () => `upload:${(await sentUpload(longhaul, key, content, { token: (await tenant.running()).token })).id}`, 'no upload that is there'],
    ['what is no id', () => 'upload:video.mp4', 'upload:ID'],
    ['nothing', () => 'upload:', 'upload:ID'],
  ])('that names %s is refused, and nothing was charged', async (_what, reference, message) => {
    const named = await reference();
    const before = await tenant.balance();
    const [issue] = await issuesOf(tenant.create(naming(named)));
    expect(issue?.path).toEqual(['input', 'sourceUrl']);
    expect(issue?.message).toContain(message);
    expect(await tenant.balance()).toBe(before);
    expect(await tenant.count('FROM job_upload WHERE workspace_id = $1')).toBe(0);
  });

  test('that is refused refuses no other that is created at the same moment', async () => {
    const { id } = await sentUpload(longhaul, key, content);
    const made = await Promise.allSettled([
      tenant.create(naming(`upload:${id}`)),
      tenant.create(naming(`upload:${crypto.randomUUID()}`)),
      tenant.create(),
    ]);
    expect(made.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  test('of several says which, and none is created', async () => {
    const { id } = await sentUpload(longhaul, key, content);
    const issues = await issuesOf(tenant.createAll([naming(`upload:${id}`), naming(`upload:${crypto.randomUUID()}`)]));
    expect(issues.map(({ path }) => path)).toEqual([['jobs', '1', 'input', 'sourceUrl']]);
    expect(await tenant.count('FROM job WHERE workspace_id = $1')).toBe(0);
  });

  test('that is asked for again gets its answer, whatever became of the upload', async () => {
    const { id, uuid } = await sentUpload(longhaul, key, content);
    const asked = { ...naming(`upload:${id}`), idempotencyKey: 'once' };
    const job = await tenant.create(asked);
    await longhaul.services.database.hot.query('DELETE FROM upload WHERE id = $1', [uuid]);
    expect((await tenant.create(asked)).id).toBe(job.id);
  });

  test('names several, in the fields that its type marks and in no other', async () => {
    const [first, second, third] = [await sentUpload(longhaul, key, content), await sentUpload(longhaul, key, content), await sentUpload(longhaul, key, content)];
    const input = {
      tracks: [`upload:${second.id}`, 'https://example.com/a.mp3', `upload:${first.uuid}`, `upload:${second.id}`],
      cover: { url: `upload:${third.id}` },
      note: `upload:${crypto.randomUUID()}`,
    };
    const job = await tenant.create({ type: 'mix', input });
    expect(await tenant.count(`FROM job_upload WHERE workspace_id = $1 AND job_id = '${job.id}'`)).toBe(4);
    const { data } = await longhaul.graphql(uploadsOf, { id: job.id }, key);
    expect(data).toMatchObject({ job: { uploads: [{ id: second.id }, { id: first.id }, { id: third.id }] } });
    const leased = await longhaul.graphql(leasedFiles, { type: 'mix', id: job.id }, await workspace.key({ scopes: ['WORK'] }));
    expect(leased.data).toMatchObject({
      claimJobs: { leases: [{ files: [{ reference: `upload:${second.id}` }, { reference: `upload:${first.uuid}` }, { reference: `upload:${third.id}` }] }] },
    });
    const wrong = issuesOf(tenant.create({ type: 'mix', input: { ...input, tracks: ['upload:x'] } }));
    expect(await wrong).toEqual([{ path: ['input', 'tracks', '0'], message: expect.stringContaining('upload:ID') }]);
  });

  test('of a shipped type says in its schema which fields those are', async () => {
    const { data } = await longhaul.graphql('{ jobTypes { name inputSchema } }', {}, key);
    const marked = JSON.stringify(data).match(/"x-source":true/g);
    expect(marked?.length).toBeGreaterThan(10);
  });
});

describe('an access token', () => {
  test("names uploads of its key's and its first tag's own alone", async () => {
    const token = await tokenFor(longhaul, key, 'user-1');
    const create = async (secret: string, reference: string) => {
      const document = 'mutation ($input: CreateJobInput!) { createJob(input: $input) { __typename ... on CreateJobPayload { job { id uploads { id } } } } }';
      const { data } = await longhaul.graphql(document, { input: { type: 'fingerprint', ...naming(reference) } }, secret);
      return data?.['createJob'];
    };
    const own = await sentUpload(longhaul, token, content);
    expect(await create(await tokenFor(longhaul, key, 'user-1'), `upload:${own.id}`)).toMatchObject({ job: { uploads: [{ id: own.id }] } });
    expect(await create(await tokenFor(longhaul, key, 'user-2'), `upload:${own.id}`)).toEqual({ __typename: 'ValidationError' });
    expect(await create(token, `upload:${(await sentUpload(longhaul, key, content)).id}`)).toEqual({ __typename: 'ValidationError' });
    expect(await create(key, `upload:${own.id}`)).toMatchObject({ job: { uploads: [{ id: own.id }] } });
  });

  test('retries a job with what it names', async () => {
    const { id } = await sentUpload(longhaul, key, content);
    const job = await tenant.create({ ...naming(`upload:${id}`), tags: ['user-1'] });
    await tenant.cancel(job.id);
    const viewer: Viewer = {
      apiKeyId: crypto.randomUUID(), workspaceId: tenant.id, address: '', scopes: new Set(['WRITE']), restriction: { tags: ['user-1'], types: null }, expiresAt: null,
    };
    const again = await longhaul.services.jobs.retry(tenant.id, job.id, null, submitterOf(viewer));
    expect(await uploadsShown(again.id)).toMatchObject({ uploads: [{ id }] });
  });
});

describe('a retry', () => {
  test('names what the job named', async () => {
    const { id } = await sentUpload(longhaul, key, content);
    const job = await tenant.create(naming(`upload:${id}`));
    await tenant.cancel(job.id);
    const again = await longhaul.services.jobs.retry(tenant.id, job.id, null);
    expect(await uploadsShown(again.id)).toMatchObject({ uploads: [{ id }] });
  });

  test('of many jobs leaves out those whose uploads are gone', async () => {
    const [kept, lost] = [await sentUpload(longhaul, key, content), await sentUpload(longhaul, key, content)];
    for (const { id } of [kept, lost]) await tenant.cancel((await tenant.create(naming(`upload:${id}`))).id);
    await longhaul.services.database.hot.query('DELETE FROM upload WHERE id = $1', [lost.uuid]);
    const action = await longhaul.services.jobs.bulk.start(tenant.id, { kind: 'RETRY', asked: { types: ['fingerprint'] }, filter: { types: ['fingerprint'] }, by: byNobody });
    await expect.poll(async () => (await longhaul.services.jobs.bulk.find(tenant.id, action.id))?.finishedAt).toBeTruthy();
    expect(await longhaul.services.jobs.bulk.find(tenant.id, action.id)).toMatchObject({ done: 1, refused: { VALIDATION_ERROR: 1 } });
  });
});

describe('a schedule', () => {
  test('is refused if it names an upload that is not there', async () => {
    const { schedules } = longhaul.services.jobs;
    const asked = { name: 'yearly', cron: '0 0 1 1 *', type: 'fingerprint' };
    const missing = naming(`upload:${crypto.randomUUID()}`);
    expect((await issuesOf(schedules.create(tenant.id, { ...asked, ...missing }, byNobody)))[0]?.path).toEqual(['input', 'sourceUrl']);
    const schedule = await schedules.create(tenant.id, { ...asked, ...naming('https://example.com/a.mp4') }, byNobody);
    expect((await issuesOf(schedules.update(tenant.id, schedule.id, missing, byNobody)))[0]?.path).toEqual(['input', 'sourceUrl']);
  });

  test('creates jobs that name its upload, and tells why it cannot when that is gone', async () => {
    const { id, uuid } = await sentUpload(longhaul, key, content);
    const { schedules } = longhaul.services.jobs;
    const schedule = await schedules.create(tenant.id, { name: 'yearly', cron: '0 0 1 1 *', type: 'fingerprint', ...naming(`upload:${id}`) }, byNobody);
    const triggered = await schedules.trigger(tenant.id, schedule.id, byNobody);
    expect(await uploadsShown(triggered.id)).toMatchObject({ uploads: [{ id }] });
    await tenant.cancel(triggered.id);
    await becomeDue(longhaul, schedule);
    await occur(longhaul);
    expect(await tenant.count('FROM job_upload WHERE workspace_id = $1')).toBe(2);
    await longhaul.services.database.hot.query('DELETE FROM upload WHERE id = $1', [uuid]);
    await longhaul.services.database.hot.query(`UPDATE schedule SET overlap = 'ALLOW' WHERE id = $1`, [schedule.id]);
    expect((await issuesOf(schedules.trigger(tenant.id, schedule.id, byNobody)))[0]?.path).toEqual(['input', 'sourceUrl']);
    await becomeDue(longhaul, schedule);
    await occur(longhaul);
    const [after] = await schedules.find(tenant.id, [schedule.id]);
    expect(after?.lastError).toMatchObject({ code: 'VALIDATION_ERROR', message: expect.stringContaining('no upload that is there') });
  });
});

describe('the dialects', () => {
  test.each([
    ['VideoConduit', '/videoconduit/v1/download', (source: string) => ({ url: source }), 202, 422],
    ['RevidAPI', '/revid/paid/media/transcribe', (source: string) => ({ media_url: source }), 202, 400],
    ['Vydra', '/vydra/api/v1/jobs', (source: string) => ({ workflow: 'fingerprint', input: { sourceUrl: source } }), 201, 400],
  ])('%s takes an upload as its source', async (_name, path, body, status, refused) => {
    const { id } = await sentUpload(longhaul, key, content);
    const send = (reference: string) => rest(`${longhaul.url}${path}`, { headers: path.startsWith('/revid') ? { 'x-api-key': key } : { authorization: `Bearer ${key}` }, json: body(reference) });
    const answer = await send(`upload:${id}`);
    expect(answer.status).toBe(status);
    expect(await tenant.count('FROM job_upload WHERE workspace_id = $1')).toBe(1);
    expect((await send(`upload:${crypto.randomUUID()}`)).status).toBe(refused);
  });

  test('VideoConduit shows the upload as it was sent', async () => {
    const { id } = await sentUpload(longhaul, key, content);
    const { body } = await rest(`${longhaul.url}/videoconduit/v1/download`, { key, json: { url: `upload:${id}` } });
    const jobId = /"job_id":"([^"]+)"/.exec(JSON.stringify(body))?.[1] ?? '';
    const job = await rest(`${longhaul.url}/videoconduit/v1/jobs/${jobId}`, { key });
    expect([job.status, job.body]).toMatchObject([200, { source_url: `upload:${id}` }]);
  });

  test('VideoConduit names the field as its client knows it', async () => {
    const { body } = await rest(`${longhaul.url}/videoconduit/v1/download`, { key, json: { url: `upload:${crypto.randomUUID()}` } });
    expect(JSON.stringify(body)).toContain('url');
    expect(JSON.stringify(body)).not.toContain('sourceUrl');
  });
});

test('a worker gets the files with its lease, by URLs that are good for the whole attempt', async () => {
  const { id } = await sentUpload(longhaul, key, content, { filename: 'Ferien.mp4', mediaType: 'video/mp4' });
  const reference = `upload:${id}`;
  const job = await tenant.create(naming(reference));
  const { data } = await longhaul.graphql(leasedFiles, { type: 'fingerprint', id: job.id }, await workspace.key({ scopes: ['WORK'] }));
  expect(data).toMatchObject({
    claimJobs: { leases: [{ files: [{ reference, filename: 'Ferien.mp4', mediaType: 'video/mp4', bytes: content.length, sha256: sha256Of(content) }] }] },
  });
  const url = /"url":"([^"]+)"/.exec(JSON.stringify(data))?.[1] ?? '';
  expect(Number(new URL(url).searchParams.get('expires')) * 1_000).toBeGreaterThan(Date.now() + 3_600_000);
  expect(await (await fetch(url)).text()).toBe(content.toString());
  const part = await fetch(url, { headers: { range: 'bytes=5-7' } });
  expect([part.status, await part.text()]).toEqual([206, content.subarray(5, 8).toString()]);
});

describe('an upload that a job names', () => {
  test('is kept until the job has ended and for a day more, and then goes', async () => {
    const upload = await sentUpload(longhaul, key, content);
    const { job, token } = await tenant.running(naming(`upload:${upload.id}`));
    await expire(upload);
    await longhaul.sweeper.keepHouse();
    const kept = await readUpload(longhaul, key, upload.id);
    expect(new Date(String(kept?.['expiresAt'])).getTime()).toBeGreaterThan(Date.now());
    await tenant.complete(token);
    await expire(upload);
    await longhaul.sweeper.keepHouse();
    expect(await readUpload(longhaul, key, upload.id)).toMatchObject({ complete: true });
    await endedBefore(job.id, 25);
    await expire(upload);
    await longhaul.sweeper.keepHouse();
    expect(await readUpload(longhaul, key, upload.id)).toBe(null);
    expect(await uploadsShown(job.id)).toEqual({ uploads: [] });
  });

  test('has not expired, whether the sweep has been there or not, until a day after the end of its last job', async () => {
    const upload = await sentUpload(longhaul, key, content);
    const { job, token } = await tenant.running(naming(`upload:${upload.id}`));
    const hoursLeft = async () => {
      const head = await tus(upload.url, 'HEAD');
      const told = [(await readUpload(longhaul, key, upload.id))?.['expiresAt'], head.headers.get('upload-expires')];
      return [head.status, ...told.map((at) => Math.round((new Date(String(at)).getTime() - Date.now()) / 3_600_000))];
    };
    await expire(upload);
    expect(await hoursLeft()).toEqual([200, 24, 24]);
    expect((await fetch(upload.url, { method: 'PUT', body: content })).status).toBe(200);
    await longhaul.sweeper.keepHouse();
    expect(await hoursLeft()).toEqual([200, 24, 24]);
    await tenant.complete(token);
    await endedBefore(job.id, 20);
    await expire(upload);
    expect(await hoursLeft()).toEqual([200, 4, 4]);
    await longhaul.sweeper.keepHouse();
    expect(await hoursLeft()).toEqual([200, 4, 4]);
    await endedBefore(job.id, 25);
    await expire(upload);
    expect((await tus(upload.url, 'HEAD')).status).toBe(410);
  });

  test('cannot be terminated by whoever has its URL', async () => {
    const upload = await sentUpload(longhaul, key, content);
    await tenant.create(naming(`upload:${upload.id}`));
    expect((await tus(upload.url, 'DELETE')).status).toBe(409);
    expect(await readUpload(longhaul, key, upload.id)).toMatchObject({ complete: true });
  });

  test('is not kept by a job that was deleted', async () => {
    const upload = await sentUpload(longhaul, key, content);
    const job = await tenant.create(naming(`upload:${upload.id}`));
    await tenant.cancel(job.id);
    const action = await longhaul.services.jobs.bulk.start(tenant.id, { kind: 'DELETE', asked: { types: ['fingerprint'] }, filter: { types: ['fingerprint'] }, by: byNobody });
    await expect.poll(async () => (await longhaul.services.jobs.bulk.find(tenant.id, action.id))?.finishedAt).toBeTruthy();
    expect(await tenant.count('FROM job_upload WHERE workspace_id = $1')).toBe(0);
    await expire(upload);
    await longhaul.sweeper.keepHouse();
    expect(await readUpload(longhaul, key, upload.id)).toBe(null);
  });

  test('is either named or swept, never both', async () => {
    for (let round = 0; round < 10; round += 1) {
      const upload = await sentUpload(longhaul, key, content);
      await expire(upload);
      const [made] = await Promise.allSettled([tenant.create(naming(`upload:${upload.id}`)), longhaul.sweeper.keepHouse()]);
      const isThere = (await readUpload(longhaul, key, upload.id)) !== null;
      expect(isThere).toBe(made.status === 'fulfilled');
    }
  });
});

describe('the built-in worker', () => {
  let working: Longhaul;
  beforeAll(async () => {
    working = await startLonghaul({ ROLE: 'all' });
  });
  afterAll(() => working.stop());

  /** The end of a job of this type, of an upload. */
  async function outputOf(type: string, sent: Buffer): Promise<{ output: unknown; files: number }> {
    const place = await working.workspace();
    const theirs = await place.key();
    const { id } = await sentUpload(working, theirs, sent, { filename: 'Ferien.txt', mediaType: 'text/plain' });
    const { jobs } = working.services;
    const job = await jobs.create(place.id, { type, ...naming(`upload:${id}`) }, { dialect: 'NATIVE' });
    await expect.poll(async () => (await jobs.find(place.id, job.id))?.finishedAt).toBeTruthy();
    const ended = await jobs.find(place.id, job.id);
    return { output: ended?.output ?? ended?.error, files: ended?.artifactId === null ? 0 : 1 };
  }

  test.each([content, Buffer.alloc(0)])('fingerprints an upload (%#)', async (sent) => {
    expect(await outputOf('fingerprint', sent)).toMatchObject({ output: { sha256: sha256Of(sent), bytes: sent.length } });
  });

  test.each([content, Buffer.alloc(0)])('keeps an upload as the result of a download (%#)', async (sent) => {
    expect(await outputOf('download', sent)).toMatchObject({
      output: { filename: 'Ferien.txt', mediaType: 'text/plain', sha256: sha256Of(sent), bytes: sent.length },
      files: 1,
    });
  });
});
