import { afterAll, beforeAll, expect, test } from 'vitest';
import type { NamedFile } from '../../src/files/named-file.ts';
import type { JsonValue } from '../../src/json.ts';
import { Tenant } from '../support/domain.ts';
import { type Longhaul, startLonghaul, type TestWorkspace } from '../support/longhaul.ts';
import { storedFile } from '../support/stored-file.ts';

let longhaul: Longhaul;
let workspace: TestWorkspace;
let tenant: Tenant;
let key: string;
beforeAll(async () => {
  longhaul = await startLonghaul();
  // The sweep that the start began is over before any test makes a file.
  await longhaul.sweeper.sweepOrphans();
  workspace = await longhaul.workspace();
  tenant = Tenant.of(longhaul, workspace.id);
  key = await workspace.key();
});
afterAll(() => longhaul.stop());

const facts = 'id name filename mediaType bytes sha256 url expiresAt';

async function graphql(query: string, asker = key): Promise<JsonValue> {
  const { data, errors } = await longhaul.graphql(query, {}, asker);
  expect(errors).toEqual([]);
  return data;
}

async function jobOf(id: string, selection: string, asker = key): Promise<Record<string, unknown>> {
  const { job } = Object(await graphql(`{ job(id: "${id}") { ${selection} } }`, asker));
  return job;
}

const video = () => storedFile(longhaul, tenant.id, { name: 'video', content: 'a long film' });
const poster = () => storedFile(longhaul, tenant.id, { name: 'thumbnail', filename: 'poster.png', mediaType: 'image/png', content: 'a picture' });
const words = () => storedFile(longhaul, tenant.id, { name: 'subtitles', filename: 'film.vtt', mediaType: 'text/vtt', content: 'WEBVTT' });

async function completed(files: readonly NamedFile[]): Promise<string> {
  const { job, token } = await tenant.running();
  await tenant.complete(token, {}, files);
  return job.id;
}

test('a job has all the files that its worker made, in the order given, and the first is the main one', async () => {
  const files = await Promise.all([poster(), video(), words()]);
  const job = await jobOf(await completed(files), `downloadUrl downloadUrlExpiresAt artifacts { ${facts} }`);
  expect(job['artifacts']).toEqual(
    files.map(({ name, file: { id, workspaceId: _ours, ...about } }) => ({
      id: `artifact_${id}`,
      name,
      ...about,
      url: expect.stringContaining(`/artifacts/${id}?`),
      expiresAt: job['downloadUrlExpiresAt'],
    })),
  );
  const urls = Object(job['artifacts']).map(({ url }: { url: string }) => url);
  expect(job['downloadUrl']).toBe(urls[0]);
  const contents = await Promise.all(urls.map(async (url: string) => (await fetch(url)).text()));
  expect(contents).toEqual(['a picture', 'a long film', 'WEBVTT']);
});

test('a job that has not completed has none, nor has one without files', async () => {
  const { job, token } = await tenant.running();
  expect(await jobOf(job.id, 'artifacts { id }')).toEqual({ artifacts: [] });
  await tenant.complete(token, { url: 'https://example.com/film.mp4' });
  expect(await jobOf(job.id, 'artifacts { id } downloadUrl')).toEqual({ artifacts: [], downloadUrl: 'https://example.com/film.mp4' });
});

test('once they have expired, a job has none, whether they are removed already or not', async () => {
  const id = await completed([await video(), await words()]);
  const { artifacts } = await jobOf(id, 'artifacts { id url }');
  const [first] = Object(artifacts);
  const past = `= now() - interval '1 s' WHERE`;
  await longhaul.services.database.hot.query(`UPDATE artifact SET expires_at ${past} job_id = $1`, [id]);
  const none = `{ node(id: "${first.id}") { id } }`;
  expect(await graphql(none)).toEqual({ node: null });
  await longhaul.services.database.hot.query(`UPDATE job SET artifact_expires_at ${past} id = $1`, [id]);
  expect(await jobOf(id, 'artifacts { id } downloadUrl')).toEqual({ artifacts: [], downloadUrl: null });
  await longhaul.sweeper.keepHouse();
  expect(await tenant.count(`FROM artifact WHERE workspace_id = $1 AND job_id = '${id}'`)).toBe(0);
  expect((await fetch(first.url)).status).toBe(404);
});

test('a file is read again by its id, by who may see its job alone', async () => {
  const { job, token } = await tenant.running({ tags: ['mine'] });
  const file = await video();
  await tenant.complete(token, {}, [file]);
  const query = `{ node(id: "artifact_${file.file.id}") { id ... on Artifact { name } } }`;
  const whole = { node: { id: `artifact_${file.file.id}`, name: 'video' } };
  expect(await graphql(query)).toEqual(whole);
  const tokenFor = async (tag: string) => {
    const { createAccessToken } = Object(await graphql(`mutation { createAccessToken(input: { tags: ["${tag}"] }) { ... on CreateAccessTokenPayload { token } } }`));
    return createAccessToken.token;
  };
  expect(await graphql(query, await tokenFor('mine'))).toEqual(whole);
  expect(await graphql(query, await tokenFor('another'))).toEqual({ node: null });
  expect(await graphql(query, await (await longhaul.workspace()).key())).toEqual({ node: null });
  expect(await jobOf(job.id, 'artifacts { name }', await tokenFor('mine'))).toEqual({ artifacts: [{ name: 'video' }] });
});

test('whoever watches the job sees its files with its end', async () => {
  const { job, token } = await tenant.running();
  const watched = await fetch(`${longhaul.url}/graphql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({ query: `subscription { jobProgress(id: "${job.id}") { status artifacts { name url } } }` }),
  });
  const file = await video();
  await tenant.complete(token, {}, [file]);
  const events = (await watched.text()).split('\n').filter((line) => line.startsWith('data: {')).map((line) => JSON.parse(line.slice(6)).data.jobProgress);
  expect(events.at(-1)).toEqual({ status: 'COMPLETED', artifacts: [{ name: 'video', url: expect.stringContaining(file.file.id) }] });
});

test('a late worker adds no file to a job that was cancelled', async () => {
  const { job, token } = await tenant.running();
  await tenant.cancel(job.id);
  await expect(tenant.complete(token, {}, [await video(), await words()])).rejects.toThrow();
  expect(await tenant.count(`FROM artifact WHERE workspace_id = $1 AND job_id = '${job.id}'`)).toBe(0);
  expect(await jobOf(job.id, 'status artifacts { id }')).toEqual({ status: 'CANCELLED', artifacts: [] });
});

test('completions with many files, with one and with none share a statement', async () => {
  const attempts = await Promise.all(Array.from({ length: 12 }, () => tenant.running()));
  const files = await Promise.all(attempts.map((_each, n) => Promise.all([video(), words()].slice(0, n % 3))));
  await Promise.all(attempts.map(({ token }, n) => tenant.complete(token, { n }, files[n])));
  for (const [n, { job }] of attempts.entries()) {
    expect(await jobOf(job.id, 'output artifacts { name }')).toEqual({ output: { n }, artifacts: files[n]?.map(({ name }) => ({ name })) });
  }
});
