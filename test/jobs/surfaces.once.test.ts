import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { toGlobalId } from '../../src/graphql/global-id.ts';
import type { Job, JobProgress } from '../../src/jobs/model/job.ts';
import type { JsonObject, JsonValue } from '../../src/json.ts';
import type { JobStatus } from '../../src/jobs/model/state-machine.ts';
import { vidocuId } from '../../src/rest/vidocu/vidocu-id.ts';
import { JobProgressDocument } from '../graphql/generated/graphql.ts';
import { next, rest as remaining, type Watch, watchEvents } from '../support/client.ts';
import { becomeDue, type HeldJob, Tenant } from '../support/domain.ts';
import { type Longhaul, sharedLonghaul } from '../support/longhaul.ts';
import { rest } from '../support/rest.ts';

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

const input = { sourceUrl: 'https://example.com/a.mp4', language: 'en' };
const report = { step: 'speech', message: 'Listening', percentage: 40 };
const output = { text: 'Hello.' };

/** What each surface says of a state; what does not change between states is added by `whole`. */
interface Shown {
  status: JobStatus;
  progress: JobProgress | null;
  error?: { code: string; message: string };
  cancelReason?: string;
  output?: JsonValue;
  creditsRefunded?: number;
  vidocu: { status: string; progress: JsonObject | null; result?: JsonValue; error?: string };
  videoConduit: { status: string; result_data?: JsonValue; error_message?: string };
  vydra: { status: string; progress: number; statusMessage: string; output?: JsonValue } & JsonObject;
  revid: { job_status: string; ended?: { code: number; response: JsonValue; message: string } };
}

const pending: Shown = {
  status: 'PENDING',
  progress: null,
  vidocu: { status: 'pending', progress: null },
  videoConduit: { status: 'pending' },
  vydra: { status: 'pending', progress: 0, statusMessage: 'Waiting to start...' },
  revid: { job_status: 'queued' },
};

const running: Shown = {
  status: 'RUNNING',
  progress: null,
  vidocu: { status: 'processing', progress: { step: 'processing', message: 'Job is running' } },
  videoConduit: { status: 'processing' },
  vydra: { status: 'running', progress: 0, statusMessage: 'Running' },
  revid: { job_status: 'running' },
};

const reported: Shown = {
  ...running,
  progress: report,
  vidocu: { status: 'processing', progress: report },
  vydra: { status: 'running', progress: 40, statusMessage: 'Listening' },
};

/** GraphQL tells that another attempt is waited for; clients of the dialects see no job go back. */
const betweenAttempts: Shown = { ...reported, status: 'PENDING' };

const refund = { creditsRefunded: 3, refundStatus: 'completed' };

const completed: Shown = {
  status: 'COMPLETED',
  progress: null,
  output,
  vidocu: { status: 'completed', progress: null, result: output },
  videoConduit: { status: 'completed', result_data: output },
  vydra: { status: 'completed', progress: 100, statusMessage: 'Completed successfully', output },
  revid: { job_status: 'done', ended: { code: 200, response: output, message: 'success' } },
};

const error = { code: 'NO_SPEECH', message: 'Nobody speaks.' };

const failed: Shown = {
  status: 'FAILED',
  progress: null,
  error,
  creditsRefunded: 3,
  vidocu: { status: 'failed', progress: null, error: 'Nobody speaks.' },
  videoConduit: { status: 'failed', error_message: 'Nobody speaks.' },
  vydra: { status: 'failed', progress: 0, statusMessage: 'Nobody speaks.', error, ...refund },
  revid: { job_status: 'done', ended: { code: 500, response: null, message: 'Nobody speaks.' } },
};

const cancelled: Shown = {
  status: 'CANCELLED',
  progress: null,
  cancelReason: 'of no more use',
  creditsRefunded: 3,
  vidocu: { status: 'failed', progress: null, error: 'Job was cancelled' },
  videoConduit: { status: 'failed', error_message: 'Job was cancelled' },
  vydra: { status: 'cancelled', progress: 0, statusMessage: 'Job cancelled', ...refund },
  revid: { job_status: 'done', ended: { code: 500, response: null, message: 'Job was cancelled' } },
};

/** Everything that every surface says of the job in a state. */
function whole(job: Job, shown: Shown) {
  const id = toGlobalId('Job', job.id);
  const createdAt = job.createdAt.toISOString();
  const finishedAt = job.finishedAt?.toISOString() ?? null;
  const cancelReason = shown.cancelReason ?? null;
  return {
    graphql: {
      id,
      uuid: job.id,
      type: 'transcribe',
      status: shown.status,
      version: job.version,
      progress: shown.progress,
      output: shown.output ?? null,
      error: shown.error ?? null,
      creditsCharged: 3,
      creditsRefunded: shown.creditsRefunded ?? 0,
      cancelReason,
      createdAt,
      finishedAt,
    },
    events: { id, version: job.version, status: shown.status, progress: shown.progress, downloadUrl: null, cancelReason },
    vidocu: {
      jobId: vidocuId(job),
      type: 'tool',
      result: null,
      error: null,
      createdAt,
      updatedAt: job.updatedAt.toISOString(),
      ...shown.vidocu,
    },
    videoConduit: {
      job_id: job.id,
      job_type: 'transcribe',
      source_url: input.sourceUrl,
      parameters: input,
      credits_charged: 3,
      download_url: null,
      result_data: null,
      error_message: null,
      created_at: wholeSeconds(createdAt),
      completed_at: finishedAt === null ? null : wholeSeconds(finishedAt),
      expires_at: null,
      ...shown.videoConduit,
    },
    vydra: {
      id: job.id,
      output: null,
      workflow: 'transcribe',
      workflowSlug: 'transcribe',
      creditsCharged: 3,
      createdAt,
      completedAt: finishedAt,
      ...shown.vydra,
    },
    revid: envelope({
      endpoint: '/v1/toolkit/job/status',
      job_id: job.id,
      queue_time: 0,
      response: {
        job_status: shown.revid.job_status,
        job_id: job.id,
        queue_id: expect.any(Number),
        process_id: process.pid,
        response: endedAs(job, shown.revid.ended),
      },
    }),
  };
}

function endedAs(job: Job, ended: Shown['revid']['ended']) {
  return ended === undefined ? null : envelope({ endpoint: '/v1/transcribe', job_id: job.id, queue_length: 0, ...ended });
}

/** The thirteen keys of RevidAPI. */
function envelope(of: object) {
  return {
    code: 200,
    id: null,
    message: 'success',
    pid: process.pid,
    queue_id: expect.any(Number),
    run_time: expect.any(Number),
    queue_time: expect.any(Number),
    total_time: expect.any(Number),
    queue_length: expect.any(Number),
    build_number: packageJson.version,
    ...of,
  };
}

function wholeSeconds(instant: string): string {
  return instant.replace(/\.\d{3}Z$/, 'Z');
}

type Events = Watch<{ jobProgress: { version: number } }>;

/** The job on every surface at once. */
async function everywhere(job: Job, events: Events) {
  const [graphql, event, vidocu, videoConduit, vydra, revid] = await Promise.all([
    queried(job),
    versionOf(events, job.version),
    polled(`/vidocu/v1/jobs/${vidocuId(job)}`),
    polled(`/videoconduit/v1/jobs/${job.id}`),
    polled(`/vydra/api/v1/jobs/${job.id}`),
    rest(`${longhaul.url}/revid/paid/get/job/status`, { headers: { 'x-api-key': key }, json: { job_id: job.id } }),
  ]);
  return { graphql, events: event, vidocu, videoConduit, vydra, revid: revid.body };
}

async function queried({ id }: Job): Promise<unknown> {
  const fields = `id uuid type status version progress { step message percentage } output error { code message }
    creditsCharged creditsRefunded cancelReason createdAt finishedAt`;
  const { data } = await longhaul.graphql(`query ($id: ID!) { job(id: $id) { ${fields} } }`, { id: toGlobalId('Job', id) }, key);
  return data?.['job'];
}

/** The event that brings a version; what is older was for a state that was checked before. */
async function versionOf(events: Events, version: number): Promise<unknown> {
  for (;;) {
    const { jobProgress } = await next(events);
    if (jobProgress.version >= version) return jobProgress;
  }
}

async function polled(path: string): Promise<unknown> {
  const { status, body } = await rest(longhaul.url + path, { key });
  expect(status).toBe(200);
  return body;
}

test.each([
  { end: 'completed', shown: completed, finish: ({ token }: HeldJob) => tenant.complete(token, output) },
  { end: 'failed', shown: failed, finish: ({ token }: HeldJob) => tenant.fail(token, { ...error, retryable: false }) },
  { end: 'cancelled', shown: cancelled, finish: ({ job }: HeldJob) => tenant.cancel(job.id, 'of no more use') },
])('every surface shows the same job, from its creation until it is $end', async ({ shown, finish }) => {
  const { id } = await tenant.create({ type: 'transcribe', input });
  const events = watchEvents(longhaul.url, key, JobProgressDocument, { id: toGlobalId('Job', id) });
  onTestFinished(async () => void (await events.return?.()));
  const check = async (expected: Shown) => {
    const job = await tenant.read(id);
    expect(await everywhere(job, events)).toEqual(whole(job, expected));
    return job;
  };

  const created = await check(pending);
  const first = await tenant.start(created);
  await check(running);
  await tenant.report(first.token, report);
  await check(reported);
  await tenant.fail(first.token, { code: 'BUSY', message: 'Later.' });
  await check(betweenAttempts);
  await becomeDue(longhaul, id);
  const second = await tenant.start(created);
  await check(running);
  await finish(second);
  await check(shown);
  expect(await remaining(events)).toEqual([]);
});
