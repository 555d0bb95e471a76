import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Job } from '../../src/jobs/model/job.ts';
import type { JsonValue } from '../../src/json.ts';
import { vidocuId } from '../../src/rest/vidocu/vidocu-id.ts';
import { Tenant } from '../support/domain.ts';
import { type Longhaul, sharedLonghaul, type TestWorkspace } from '../support/longhaul.ts';
import { rest } from '../support/rest.ts';
import { storedFile } from '../support/stored-file.ts';

let longhaul: Longhaul;
let workspace: TestWorkspace;
let tenant: Tenant;
let key: string;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
  workspace = await longhaul.workspace();
  tenant = Tenant.of(longhaul, workspace.id);
  key = await workspace.key();
});
afterAll(() => longhaul.stop());

const idsOf = (job: Job) => [job.id, job.id.toUpperCase(), `job_${job.id}`, vidocuId(job)];

const polls = {
  vidocu: (id: string) => rest(`${longhaul.url}/vidocu/v1/jobs/${id}`, { key }),
  videoconduit: (id: string) => rest(`${longhaul.url}/videoconduit/v1/jobs/${id}`, { key }),
  vydra: (id: string) => rest(`${longhaul.url}/vydra/api/v1/jobs/${id}`, { key }),
  revid: (id: string) =>
    rest(`${longhaul.url}/revid/paid/get/job/status`, { json: { job_id: id }, headers: { 'x-api-key': key } }),
};

async function graphql(query: string): Promise<unknown> {
  const { data, errors } = await longhaul.graphql(query, {}, key);
  expect(errors).toEqual([]);
  return data;
}

/** A job with a file, as the built-in worker leaves it. */
async function withFile(output: JsonValue, mediaType = 'video/mp4'): Promise<{ id: string; url: string }> {
  const { job, token } = await tenant.running();
  await tenant.complete(token, output, [await storedFile(longhaul, tenant.id, { mediaType })]);
  const { job: told } = Object(await graphql(`{ job(id: "${job.id}") { downloadUrl } }`));
  expect(told.downloadUrl).toMatch(/\/artifacts\//);
  return { id: job.id, url: told.downloadUrl };
}

describe('every id of a job', () => {
  test.each(Object.entries(polls))('is taken by %s, which answers with the UUID in X-Job-Id', async (_name, poll) => {
    const job = await tenant.create();
    for (const id of idsOf(job)) {
      const { status, headers } = await poll(id);
      expect([status, headers.get('x-job-id')]).toEqual([200, job.id]);
    }
  });

  test('is taken by GraphQL, in queries and mutations', async () => {
    for (const place of idsOf(await tenant.create()).keys()) {
      const job = await tenant.create();
      const id = idsOf(job)[place] ?? '';
      expect(await graphql(`{ job(id: "${id}") { uuid } }`)).toEqual({ job: { uuid: job.id } });
      const token = `mutation { createAccessToken(input: { jobId: "${id}" }) { __typename } }`;
      expect(await graphql(token)).toEqual({ createAccessToken: { __typename: 'CreateAccessTokenPayload' } });
      const claim = `mutation { claimJobs(input: { types: ["fingerprint"], jobIds: ["${id}"], workerId: "it" }) {
        ... on ClaimJobsPayload { leases { job { uuid } } } } }`;
      expect(await graphql(claim)).toEqual({ claimJobs: { leases: [{ job: { uuid: job.id } }] } });
      const cancel = `mutation { cancelJob(input: { id: "${id}" }) { ... on CancelJobPayload { job { uuid } } } }`;
      expect(await graphql(cancel)).toEqual({ cancelJob: { job: { uuid: job.id } } });
      const retry = `mutation { retryJob(input: { id: "${id}" }) { ... on RetryJobPayload { job { retryOf { uuid } } } } }`;
      expect(await graphql(retry)).toEqual({ retryJob: { job: { retryOf: { uuid: job.id } } } });
    }
  });

  test('opens nothing to another workspace', async () => {
    const job = await (await Tenant.in(longhaul)).create();
    for (const id of idsOf(job)) {
      expect((await polls.vydra(id)).status).toBe(404);
      expect(await graphql(`{ job(id: "${id}") { uuid } }`)).toEqual({ job: null });
    }
  });

  test('is told by GraphQL, with the surface that the job came through', async () => {
    const { body, headers } = await rest(`${longhaul.url}/vidocu/v1/videos/v1/export`, { key, method: 'POST' });
    const [theirs, ours] = [headers.get('x-job-id'), (await tenant.create()).id];
    const told = await graphql(`{ theirs: job(id: "${theirs}") { dialect vendorId } ours: job(id: "${ours}") { dialect vendorId } }`);
    const { jobId }: { jobId?: string } = Object(body);
    expect(told).toEqual({ theirs: { dialect: 'VIDOCU', vendorId: jobId }, ours: { dialect: 'NATIVE', vendorId: null } });
  });
});

describe('the main file', () => {
  const [one, two] = ['https://example.com/1.mp4', 'http://example.com/2.mp4?a=b'];
  const outputs: [JsonValue, string | null][] = [
    [{ downloadUrl: one, url: two }, one],
    [{ url: two, download_url: one }, one],
    [{ videoUrl: two, downloadUrl: 'ftp://example.com/1' }, two],
    [{ video_url: one }, one],
    [{ audioUrl: one }, one],
    [{ audio_url: one, fileUrl: two }, one],
    [{ fileUrl: one }, one],
    [{ file_url: one, url: two }, one],
    [{ url: one, expires_at: '2999-01-01T00:00:00Z' }, one],
    [{ downloadUrl: 7, url: '/relative.mp4' }, null],
    [{ link: one }, null],
    [one, null],
    [null, null],
  ];
  test.each(outputs)('of an output %j is %s, in GraphQL and in VideoConduit', async (output, url) => {
    const { job, token } = await tenant.running();
    await tenant.complete(token, output);
    const query = `{ job(id: "${job.id}") { downloadUrl downloadUrlExpiresAt } }`;
    expect(await graphql(query)).toEqual({ job: { downloadUrl: url, downloadUrlExpiresAt: null } });
    expect((await polls.videoconduit(job.id)).body).toMatchObject({ download_url: url, expires_at: null });
  });

  test('of its own is where the clients of each dialect look for it', async () => {
    const { id, url } = await withFile({ mediaType: 'video/mp4', bytes: 1 });
    const output = { mediaType: 'video/mp4', bytes: 1 };
    expect((await polls.vidocu(id)).body).toMatchObject({ result: { ...output, url } });
    expect((await polls.vydra(id)).body).toMatchObject({ output: { ...output, videoUrl: url } });
    expect((await polls.videoconduit(id)).body).toMatchObject({ result_data: output, download_url: url });
    expect((await polls.revid(id)).body).toMatchObject({ response: { response: { response: output } } });
    expect((await polls.vydra((await withFile({ bytes: 1 }, 'image/png')).id)).body).toMatchObject({
      output: { thumbnailUrl: expect.stringContaining('/artifacts/') },
    });
  });

  test('takes nothing from what the worker wrote, and stands for an output that is null', async () => {
    const { id } = await withFile({ mediaType: 'video/mp4', url: one, videoUrl: two });
    expect((await polls.vidocu(id)).body).toMatchObject({ result: { url: one } });
    expect((await polls.vydra(id)).body).toMatchObject({ output: { videoUrl: two } });
    const bare = await withFile(null);
    expect((await polls.vidocu(bare.id)).body).toMatchObject({ result: { url: bare.url } });
    expect((await polls.revid(bare.id)).body).toMatchObject({ response: { response: { response: bare.url } } });
  });
});
