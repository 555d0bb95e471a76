import { afterAll, beforeAll, expect, test } from 'vitest';
import type { NamedFile } from '../../src/files/named-file.ts';
import type { Job } from '../../src/jobs/model/job.ts';
import type { JsonValue } from '../../src/json.ts';
import { webhookSurfaces } from '../../src/server/webhook-surfaces.ts';
import type { Dialect } from '../../src/workspaces/dialect.ts';
import { Tenant } from '../support/domain.ts';
import { type Longhaul, sharedLonghaul } from '../support/longhaul.ts';
import { rest } from '../support/rest.ts';
import { storedFile } from '../support/stored-file.ts';

/*
 * What each dialect shows of a job's files, in its polls and in its webhooks: DIALECTS.md, section 9.
 */

let longhaul: Longhaul;
let tenant: Tenant;
let key: string;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
  const workspace = await longhaul.workspace();
  tenant = Tenant.of(longhaul, workspace.id);
  key = await workspace.key();
});
afterAll(() => longhaul.stop());

/** What a dialect shows of a job that has completed, in a poll and in its webhook: the part that is about its result. */
const shows: Record<Exclude<Dialect, 'NATIVE'>, { poll: (job: Job) => Promise<unknown>; webhook: (body: unknown) => unknown }> = {
  VIDOCU: {
    poll: async ({ id }) => Object(await polled(`/vidocu/v1/jobs/${id}`)).result,
    webhook: (body) => Object(body).data.result,
  },
  VIDEOCONDUIT: {
    poll: async ({ id }) => partOf(await polled(`/videoconduit/v1/jobs/${id}`)),
    webhook: (body) => partOf(Object(body).data),
  },
  VYDRA: {
    poll: async ({ id }) => Object(await polled(`/vydra/api/v1/jobs/${id}`)).output,
    webhook: (body) => Object(body).output,
  },
  REVID: {
    poll: async ({ id }) => {
      const { body } = await rest(`${longhaul.url}/revid/paid/get/job/status`, { json: { job_id: id }, headers: { 'x-api-key': key } });
      return Object(body).response.response.response;
    },
    webhook: (body) => Object(body).response,
  },
};

async function polled(path: string): Promise<unknown> {
  return (await rest(longhaul.url + path, { key })).body;
}

function partOf(body: unknown): object {
  const { result_data, download_url, expires_at } = Object(body);
  return { result_data, download_url, expires_at };
}

type Kind = keyof typeof shows;
const kinds: Kind[] = ['VIDOCU', 'VIDEOCONDUIT', 'VYDRA', 'REVID'];

/** Also what the native webhook says. */
function webhookOf(job: Job, dialect: Dialect): unknown {
  const message = { deliveryId: job.id, event: 'JOB_COMPLETED', job } as const;
  return JSON.parse(JSON.stringify(webhookSurfaces(longhaul.services.links)[dialect].payload(message)));
}

async function completed(output: JsonValue, files: (tenantId: string) => Promise<NamedFile>[] = () => []): Promise<Job> {
  const { token } = await tenant.running();
  return tenant.complete(token, output, await Promise.all(files(tenant.id)));
}

const video = (id: string) => storedFile(longhaul, id, { name: 'video' });
const other = (id: string) => storedFile(longhaul, id, { name: 'preview', mediaType: 'Video/WebM' });
const poster = (id: string) => storedFile(longhaul, id, { name: 'thumbnail', mediaType: 'image/png' });
const words = (id: string) => storedFile(longhaul, id, { name: 'subtitles', mediaType: 'text/vtt' });

/** The links of the job's files, by name. */
async function linksOf({ id }: Job): Promise<Record<string, string>> {
  const { data } = await longhaul.graphql(`{ job(id: "${id}") { artifacts { name url } } }`, {}, key);
  const { artifacts } = Object(data?.['job']);
  return Object.fromEntries(artifacts.map(({ name, url }: Record<string, string>) => [name, url]));
}

async function expectShown(job: Job, dialect: Kind, expected: unknown): Promise<void> {
  const { poll, webhook } = shows[dialect];
  expect([dialect, await poll(job)]).toEqual([dialect, expected]);
  expect([dialect, webhook(webhookOf(job, dialect))]).toEqual([dialect, expected]);
}

const seconds = (job: Job) => job.artifactExpiresAt?.toISOString().replace(/\.\d+/, '');

test('the main file is the first; Vydra shows the first video and the first image, wherever they stand', async () => {
  const job = await completed({ words: 7 }, (id) => [words(id), video(id), poster(id), other(id)]);
  const links = await linksOf(job);
  await expectShown(job, 'VIDOCU', { words: 7, url: links['subtitles'] });
  await expectShown(job, 'VIDEOCONDUIT', { result_data: { words: 7 }, download_url: links['subtitles'], expires_at: seconds(job) });
  await expectShown(job, 'VYDRA', { words: 7, videoUrl: links['video'], thumbnailUrl: links['thumbnail'] });
  await expectShown(job, 'REVID', { words: 7 });
  expect(webhookOf(job, 'NATIVE')).toMatchObject({
    data: { downloadUrl: links['subtitles'], downloadUrlExpiresAt: job.artifactExpiresAt?.toISOString() },
  });
});

test('what the worker wrote there stays', async () => {
  const output = { url: 'https://example.com/mine', videoUrl: 'https://example.com/mine.mp4' };
  const job = await completed(output, (id) => [video(id), poster(id)]);
  const links = await linksOf(job);
  await expectShown(job, 'VIDOCU', output);
  // Its own file comes before a URL of the output.
  await expectShown(job, 'VIDEOCONDUIT', { result_data: output, download_url: links['video'], expires_at: seconds(job) });
  await expectShown(job, 'VYDRA', { ...output, thumbnailUrl: links['thumbnail'] });
  await expectShown(job, 'REVID', output);
});

test('files stand for an output that is null', async () => {
  const job = await completed(null, (id) => [poster(id), words(id)]);
  const { thumbnail } = await linksOf(job);
  await expectShown(job, 'VIDOCU', { url: thumbnail });
  await expectShown(job, 'VIDEOCONDUIT', { result_data: { value: null }, download_url: thumbnail, expires_at: seconds(job) });
  await expectShown(job, 'VYDRA', { thumbnailUrl: thumbnail });
  await expectShown(job, 'REVID', thumbnail);
});

test('without files of its own, the URL that the worker put into the output is the main file, for as long as it lives', async () => {
  const output = { video_url: 'https://example.com/a.mp4', url: 'https://example.com/b', download_url: 'relative' };
  const job = await completed(output);
  await expectShown(job, 'VIDOCU', output);
  await expectShown(job, 'VIDEOCONDUIT', { result_data: output, download_url: output.video_url, expires_at: null });
  await expectShown(job, 'VYDRA', output);
  await expectShown(job, 'REVID', output);
  expect(webhookOf(job, 'NATIVE')).toMatchObject({ data: { downloadUrl: output.video_url, downloadUrlExpiresAt: null } });
});

test('once its files have expired, no poll shows them, and no URL of the output stands in for them', async () => {
  const job = await completed({ videoUrl: 'https://example.com/a.mp4' }, (id) => [video(id), poster(id)]);
  await longhaul.services.database.hot.query(`UPDATE job SET artifact_expires_at = now() - interval '1 s' WHERE id = $1`, [job.id]);
  const output = { videoUrl: 'https://example.com/a.mp4' };
  const expected = { VIDOCU: output, VIDEOCONDUIT: { result_data: output, download_url: null, expires_at: null }, VYDRA: output, REVID: output };
  for (const kind of kinds) expect([kind, await shows[kind].poll(job)]).toEqual([kind, expected[kind]]);
});
