import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../../src/json.ts';
import { isJsonObject } from '../../src/json.ts';
import { type HeldJob, Tenant } from '../support/domain.ts';
import { type Longhaul, startLonghaul, type TestWorkspace } from '../support/longhaul.ts';
import { codeOf, newUpload, patch, readUpload, tus } from '../support/uploads.ts';

let longhaul: Longhaul;
let workspace: TestWorkspace;
let tenant: Tenant;
let key: string;
beforeAll(async () => {
  longhaul = await startLonghaul();
  workspace = await longhaul.workspace();
  tenant = Tenant.of(longhaul, workspace.id);
  key = await workspace.key();
});
afterAll(() => longhaul.stop());

const told = `
  __typename
  ... on CompleteJobPayload { job { uuid status output downloadUrl artifacts { id name filename mediaType bytes sha256 url } } }
  ... on LeaseLostError { now: job { uuid status } }
  ... on ValidationError { issues { path message } }`;

type Artifacts = { uploadId: string; name?: string | null }[];

async function complete(token: string, artifacts: Artifacts | null, output: JsonValue = { done: true }): Promise<JsonObject> {
  const document = `mutation ($input: CompleteJobInput!) { completeJob(input: $input) { ${told} } }`;
  const { data, errors } = await longhaul.graphql(document, { input: { token, output, artifacts } }, key);
  expect(errors).toEqual([]);
  const answer = data?.['completeJob'];
  if (!isJsonObject(answer)) throw new Error('completeJob has answered nothing');
  return answer;
}

/** An upload of the attempt that the server has all of. */
async function uploaded({ token }: Pick<HeldJob, 'token'>, about: JsonObject = {}, content = 'a film'): Promise<string> {
  const { id, url } = await newUpload(longhaul, key, { token, mediaType: 'video/mp4', filename: 'film.mp4', ...about });
  expect((await fetch(url, { method: 'PUT', body: content })).status).toBe(200);
  return id;
}

const uploadsOf = ({ job }: HeldJob) => tenant.count(`FROM upload WHERE workspace_id = $1 AND job_id = '${job.id}'`);
const filesOf = ({ job }: HeldJob) => tenant.count(`FROM artifact WHERE workspace_id = $1 AND job_id = '${job.id}'`);
const pathsOf = ({ issues }: JsonObject) => Object(issues).map(({ path }: { path: string[] }) => path.join('.'));

/** Files of the tenant that no row names. */
async function unnamed(): Promise<string[]> {
  const { store, database } = longhaul.services;
  const sql = 'SELECT id FROM artifact WHERE workspace_id = $1 UNION ALL SELECT id FROM upload WHERE workspace_id = $1';
  const named = new Set((await database.hot.query<{ id: string }>(sql, [tenant.id])).map(({ id }) => id));
  const files: string[] = [];
  for await (const { workspaceId, ids } of store.list()) if (workspaceId === tenant.id) files.push(...ids);
  return files.filter((id) => !named.has(id));
}

/** Nothing has changed: the attempt goes on, and nothing of it became the job's. */
async function goesOn(attempt: HeldJob, uploads: number): Promise<void> {
  expect([await uploadsOf(attempt), await filesOf(attempt)]).toEqual([uploads, 0]);
  await tenant.report(attempt.token, { message: 'still here' });
}

test("R3, R4: uploads of an attempt become the job's files, in the order given, and are uploads no more", async () => {
  const attempt = await tenant.running();
  const words = await uploaded(attempt, { filename: 'film.vtt', mediaType: 'text/vtt' }, 'WEBVTT');
  const film = await uploaded(attempt);
  const { __typename, job } = Object(await complete(attempt.token, [{ uploadId: film, name: 'video' }, { uploadId: words.slice('upload_'.length) }]));
  expect(__typename).toBe('CompleteJobPayload');
  expect(job).toMatchObject({
    status: 'COMPLETED',
    downloadUrl: job.artifacts[0].url,
    artifacts: [
      { id: film.replace('upload', 'artifact'), name: 'video', filename: 'film.mp4', mediaType: 'video/mp4', bytes: 6 },
      { id: words.replace('upload', 'artifact'), name: 'file', filename: 'film.vtt', mediaType: 'text/vtt', bytes: 6 },
    ],
  });
  const contents = await Promise.all(job.artifacts.map(async ({ url }: { url: string }) => (await fetch(url)).text()));
  expect(contents).toEqual(['a film', 'WEBVTT']);
  expect([await uploadsOf(attempt), await readUpload(longhaul, key, film)]).toEqual([0, null]);
});

test('R5: the same completion again, after a lost answer, gets the same answer; another one does not', async () => {
  const attempt = await tenant.running();
  const [film, words] = [await uploaded(attempt), await uploaded(attempt)];
  const artifacts = [{ uploadId: film }, { uploadId: words, name: 'words' }];
  const answer = await complete(attempt.token, artifacts);
  expect(answer).toMatchObject({ __typename: 'CompleteJobPayload' });
  expect(await complete(attempt.token, artifacts)).toEqual(answer);
  const others = [null, [], [{ uploadId: film }], artifacts.toReversed(), [{ uploadId: film, name: 'other' }, { uploadId: words, name: 'words' }]];
  for (const other of others) expect(await complete(attempt.token, other)).toMatchObject({ __typename: 'LeaseLostError', now: { status: 'COMPLETED' } });
  expect(await complete(attempt.token, artifacts, { other: true })).toMatchObject({ __typename: 'LeaseLostError' });
});

describe('R3: a completion is refused and changes nothing', () => {
  test('with an upload that is not complete', async () => {
    const attempt = await tenant.running();
    const film = await uploaded(attempt);
    const { id: half } = await newUpload(longhaul, key, { token: attempt.token, bytes: 10 });
    const answer = await complete(attempt.token, [{ uploadId: film }, { uploadId: half, name: 'half' }]);
    expect(answer).toMatchObject({
      __typename: 'ValidationError',
      issues: [{ path: ['artifacts', '1', 'uploadId'], message: expect.stringMatching(/^is not complete: the server has 0 bytes/) }],
    });
    await goesOn(attempt, 2);
  });

  test('with an upload of another attempt, of a client, of another workspace, or of nobody', async () => {
    const attempt = await tenant.running();
    const own = await uploaded(attempt);
    const other = await uploaded(await tenant.running());
    const { id: clients } = await newUpload(longhaul, key);
    const { id: strangers } = await newUpload(longhaul, await (await longhaul.workspace()).key());
    const named = [own, other, clients, strangers, 'upload_0198c0de-0000-7000-8000-000000000002', 'no id', `job_${attempt.job.id}`];
    const answer = await complete(attempt.token, named.map((uploadId, place) => ({ uploadId, name: String(place) })));
    expect(answer).toMatchObject({ __typename: 'ValidationError' });
    expect(pathsOf(answer)).toEqual([1, 2, 3, 4, 5, 6].map((place) => `artifacts.${place}.uploadId`));
    await goesOn(attempt, 1);
  });

  test('with an upload named twice, two files of one name, a name that is none, or too many', async () => {
    const attempt = await tenant.running();
    const [film, words] = [await uploaded(attempt), await uploaded(attempt)];
    const refused = async (artifacts: Artifacts) => pathsOf(await complete(attempt.token, artifacts));
    expect(await refused([{ uploadId: film }, { uploadId: film.toUpperCase().slice('upload_'.length), name: 'again' }])).toEqual(['artifacts.1.uploadId']);
    expect(await refused([{ uploadId: film }, { uploadId: words }])).toEqual(['artifacts.1.name']);
    expect(await refused([{ uploadId: film, name: 'a' }, { uploadId: words, name: 'a' }])).toEqual(['artifacts.1.name']);
    expect(await refused([{ uploadId: film, name: '' }])).toEqual(['artifacts.0.name']);
    expect(await refused([{ uploadId: film, name: 'x'.repeat(101) }])).toEqual(['artifacts.0.name']);
    for (const name of [' ', '\u200B', '..', '../\u202Ea', 'a\r\nb', 'a/b', 'a\\b', 'a\0']) {
      expect(await refused([{ uploadId: film, name }])).toEqual(['artifacts.0.name']);
    }
    expect(await refused(Array.from({ length: 101 }, (_each, n) => ({ uploadId: film, name: String(n) })))).toContain('artifacts');
    await goesOn(attempt, 2);
  });

  test('by a late worker, who is told that its lease is lost and not of its uploads', async () => {
    const attempt = await tenant.running();
    const artifacts = [{ uploadId: await uploaded(attempt) }];
    await tenant.release(attempt.token);
    expect(await complete(attempt.token, artifacts)).toMatchObject({ __typename: 'LeaseLostError', now: { status: 'PENDING' } });
    const next = await tenant.start(attempt.job);
    expect(await complete(next.token, artifacts)).toMatchObject({ __typename: 'ValidationError' });
    expect([await filesOf(attempt), (await tenant.read(attempt.job.id)).status]).toEqual([0, 'RUNNING']);
  });
});

test('an upload is downloaded by a link like a result is, once it is complete and while its link lasts', async () => {
  const attempt = await tenant.running();
  const id = (await uploaded(attempt)).slice('upload_'.length);
  const { uuid: half } = await newUpload(longhaul, key, { token: attempt.token });
  const { links, clock } = longhaul.services;
  const link = (of: string, seconds: number) => links.sign({ id: of, expiresAt: new Date(clock.now().getTime() + seconds * 1_000) });
  const answer = await fetch(link(id, 60), { headers: { range: 'bytes=2-' } });
  expect([answer.status, await answer.text(), answer.headers.get('content-disposition')]).toEqual([206, 'film', 'attachment; filename=film.mp4']);
  expect((await fetch(link(half, 60))).status).toBe(404);
  expect((await fetch(link(id, -1))).status).toBe(410);
});

test('R6: what a completion does not name goes with the lease, and so does all of an attempt that ends otherwise', async () => {
  const attempt = await tenant.running();
  const taken = await uploaded(attempt);
  const { url: half } = await newUpload(longhaul, key, { token: attempt.token, bytes: 10 });
  await patch(half, 0, Buffer.from('half'));
  await uploaded(attempt);
  const [film] = Object(await complete(attempt.token, [{ uploadId: taken }])).job.artifacts;
  const lost = await tenant.running();
  await uploaded(lost);
  await tenant.release(lost.token);
  await longhaul.sweeper.keepHouse();
  await longhaul.sweeper.sweepOrphans();
  expect([await uploadsOf(attempt), await uploadsOf(lost)]).toEqual([0, 0]);
  expect(await (await fetch(film.url)).text()).toBe('a film');
  expect(await codeOf(await patch(half, 4, Buffer.from('rest')))).toBe('NOT_FOUND');
  expect(await unnamed()).toEqual([]);
});

test('R6: what an attempt has uploaded stays as long as the attempt, however long that is', async () => {
  const attempt = await tenant.running();
  const early = await uploaded(attempt);
  const { id: half, url } = await newUpload(longhaul, key, { token: attempt.token, bytes: 8 });
  await patch(url, 0, Buffer.from('half'));
  await longhaul.services.database.hot.query(`UPDATE upload SET expires_at = now() - interval '1 day' WHERE workspace_id = $1`, [tenant.id]);
  await longhaul.sweeper.keepHouse();
  expect((await patch(url, 4, Buffer.from('rest'))).status).toBe(204);
  const answer = await complete(attempt.token, [{ uploadId: early, name: 'early' }, { uploadId: half, name: 'late' }]);
  expect(Object(answer).job.artifacts.map(({ name }: { name: string }) => name)).toEqual(['early', 'late']);
});

test('many completions take their files each for itself', async () => {
  const attempts = await Promise.all(Array.from({ length: 5 }, () => tenant.running()));
  const completions = await Promise.all(
    attempts.map(async (attempt, n) => ({ token: attempt.token, output: { n }, artifacts: n === 3 ? [{ uploadId: 'no id' }] : n === 1 ? [] : [{ uploadId: await uploaded(attempt) }] })),
  );
  const document = `mutation ($input: CompleteJobsInput!) { completeJobs(input: $input) { ... on CompleteJobsPayload { results { ${told} } } } }`;
  const { data, errors } = await longhaul.graphql(document, { input: { completions } }, key);
  expect(errors).toEqual([]);
  const { results } = Object(data?.['completeJobs']);
  expect(results).toMatchObject([0, 1, 2, 3, 4].map((n) =>
    n === 3
      ? { __typename: 'ValidationError', issues: [{ path: ['completions', '3', 'artifacts', '0', 'uploadId'] }] }
      : { job: { output: { n }, artifacts: n === 1 ? [] : [{ name: 'file' }] } },
  ));
  expect(await Promise.all(attempts.map(filesOf))).toEqual([1, 0, 1, 0, 1]);
});

test('of two completions at the same moment with the same upload one takes it', async () => {
  const attempt = await tenant.running();
  const artifacts = [{ uploadId: await uploaded(attempt) }];
  const answers = await Promise.all([1, 2, 3, 4].map((n) => complete(attempt.token, artifacts, { n })));
  expect(answers.map(({ __typename }) => __typename).toSorted()).toEqual(['CompleteJobPayload', 'LeaseLostError', 'LeaseLostError', 'LeaseLostError']);
  expect([await filesOf(attempt), await uploadsOf(attempt)]).toEqual([1, 0]);
});

test('an upload that its worker removes at the moment of the completion is a file of the job or gone, never both', async () => {
  const attempts = await Promise.all(Array.from({ length: 20 }, () => tenant.running()));
  const outcomes = await Promise.all(attempts.map(async (attempt) => {
    const { id, url } = await newUpload(longhaul, key, { token: attempt.token });
    await fetch(url, { method: 'PUT', body: 'a film' });
    const [answer, removal] = await Promise.all([complete(attempt.token, [{ uploadId: id }]), tus(url, 'DELETE')]);
    const taken = answer['__typename'] === 'CompleteJobPayload';
    expect([taken, removal.status]).toEqual(taken ? [true, 404] : [false, 204]);
    expect([await filesOf(attempt), await uploadsOf(attempt)]).toEqual([taken ? 1 : 0, 0]);
    if (taken) expect(await (await fetch(Object(answer).job.downloadUrl)).text()).toBe('a film');
    else expect(answer).toMatchObject({ __typename: 'ValidationError', issues: [{ path: ['artifacts', '0', 'uploadId'] }] });
    return taken;
  }));
  expect(outcomes).toHaveLength(20);
  expect(await unnamed()).toEqual([]);
});
