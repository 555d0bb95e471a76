import { createHmac } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type JobRequest } from '../../src/jobs/create/job-request.ts';
import type { Job } from '../../src/jobs/model/job.ts';
import { projectVideoConduit } from '../../src/rest/videoconduit/videoconduit-job.ts';
import type { Dialect } from '../../src/workspaces/dialect.ts';
import { rotateWebhookSecret } from '../../src/workspaces/rotate-webhook-secret.ts';
import { Tenant } from '../support/domain.ts';
import { eventually } from '../support/eventually.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';
import { type Received, type Receiver, startReceiver } from '../support/receiver.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await startLonghaul({ OUTBOUND_ALLOW: '127.0.0.1' });
});
afterAll(() => longhaul.stop());

/** A workspace whose jobs come through this dialect, its receiver and its secret. */
async function through(dialect: Dialect) {
  const { id } = await longhaul.workspace();
  const tenant = Tenant.of(longhaul, id);
  const receiver = await startReceiver();
  const { jobs } = longhaul.services;
  const secret = await rotateWebhookSecret(longhaul.services, id);
  const create = (asked: JobRequest, clientReference?: string): Promise<Job> =>
    jobs.create(id, { ...asked, webhookUrl: receiver.url }, {
      dialect,
      ...(clientReference === undefined ? {} : { clientReference }),
    });
  return { tenant, receiver, secret, create };
}

/** The next message, whose standard signature holds. */
async function arrived(receiver: Receiver, secret: string, count = 1): Promise<Received> {
  await eventually(() => expect(receiver.received).toHaveLength(count));
  const last = receiver.received.at(-1);
  if (last === undefined) throw new Error('nothing arrived');
  new Webhook(secret).verify(last.body, {
    'webhook-id': String(last.headers['webhook-id']),
    'webhook-timestamp': String(last.headers['webhook-timestamp']),
    'webhook-signature': String(last.headers['webhook-signature']),
  });
  return last;
}

function hmac(secret: string, text: string): string {
  return createHmac('sha256', secret).update(text).digest('hex');
}

const sourceUrl = 'https://example.com/a.mp4';

test("Vydra's receiver is told of success and failure in the words of its own page, and of nothing else", async () => {
  const { tenant, receiver, secret, create } = await through('VYDRA');
  const good = await create({ type: 'export' });
  const output = { videoUrl: 'https://example.com/out.mp4' };
  const done = await tenant.complete((await tenant.start(good)).token, output);
  expect(JSON.parse((await arrived(receiver, secret)).body)).toEqual({
    jobId: good.id,
    status: 'completed',
    workflow: 'export',
    output,
    completedAt: done.finishedAt?.toISOString(),
  });

  const cancelled = await create({ type: 'export' });
  await tenant.cancel(cancelled.id);
  const running = await create({ type: 'export' });
  await tenant.start(running);
  await tenant.cancel(running.id);
  expect(await tenant.count('FROM webhook_delivery WHERE workspace_id = $1')).toBe(1);

  const bad = await create({ type: 'export' });
  const failed = await tenant.fail((await tenant.start(bad)).token, {
    code: 'PROCESSING_ERROR',
    message: 'Processing failed',
    retryable: false,
  });
  expect(JSON.parse((await arrived(receiver, secret, 2)).body)).toEqual({
    jobId: bad.id,
    status: 'failed',
    workflow: 'export',
    error: { message: 'Processing failed', code: 'PROCESSING_ERROR' },
    refund: { applied: true, creditsRefunded: bad.creditsCharged },
    completedAt: failed.finishedAt?.toISOString(),
  });
  expect(bad.creditsCharged).toBeGreaterThan(0);
});

test("VideoConduit's receiver gets the whole job, signed as it documents", async () => {
  const { tenant, receiver, secret, create } = await through('VIDEOCONDUIT');
  const good = await create({ type: 'fingerprint', input: { sourceUrl } });
  const done = await tenant.complete((await tenant.start(good)).token, { url: 'https://example.com/out.json' });
  const one = await arrived(receiver, secret);
  expect(JSON.parse(one.body)).toEqual({
    event: 'job.completed',
    data: projectVideoConduit(done, longhaul.services.links, done.finishedAt ?? done.createdAt),
  });
  expect(one.headers['x-videoconduit-signature']).toBe(hmac(secret, one.body));

  const cancelled = await create({ type: 'fingerprint', input: { sourceUrl } });
  await tenant.cancel(cancelled.id);
  expect(JSON.parse((await arrived(receiver, secret, 2)).body)).toMatchObject({
    event: 'job.failed',
    data: { job_id: cancelled.id, status: 'failed', error_message: 'Job was cancelled' },
  });
});

test("Vidocu's receiver gets event, data and webhookId, with the headers that it checks", async () => {
  const { tenant, receiver, secret, create } = await through('VIDOCU');
  const good = await create({ type: 'export', input: { videoId: 'video_1' } });
  await tenant.complete((await tenant.start(good)).token, { exportedVideoUrl: 'https://example.com/out.mp4' });
  const one = await arrived(receiver, secret);
  expect(JSON.parse(one.body)).toEqual({
    event: 'export.completed',
    data: {
      videoId: 'video_1',
      jobId: expect.stringMatching(new RegExp(`^export_${good.createdAt.getTime()}_[a-z0-9]{7}$`)),
      exportedVideoUrl: 'https://example.com/out.mp4',
      result: { exportedVideoUrl: 'https://example.com/out.mp4' },
    },
    webhookId: one.headers['webhook-id'],
  });
  const timestamp = String(one.headers['x-vidocu-timestamp']);
  expect(one.headers).toMatchObject({
    'x-vidocu-event': 'export.completed',
    'x-vidocu-delivery-attempt': '1',
    'x-vidocu-signature': `sha256=${hmac(secret, `${timestamp}.${one.body}`)}`,
  });

  const bad = await create({ type: 'fingerprint', input: { sourceUrl } });
  await tenant.fail((await tenant.start(bad)).token, { retryable: false, message: 'It broke.' });
  expect(JSON.parse((await arrived(receiver, secret, 2)).body)).toMatchObject({
    event: 'tool.failed',
    data: { videoId: null, toolType: 'fingerprint', error: 'It broke.' },
  });
});

test("RevidAPI's receiver gets the inner response", async () => {
  const { tenant, receiver, secret, create } = await through('REVID');
  const good = await create({ type: 'transcribe', input: { sourceUrl } }, 'mine');
  await tenant.complete((await tenant.start(good)).token, { text: 'Hello' });
  const body: unknown = JSON.parse((await arrived(receiver, secret)).body);
  expect(body).toMatchObject({
    endpoint: '/v1/transcribe',
    code: 200,
    id: 'mine',
    job_id: good.id,
    response: { text: 'Hello' },
    message: 'success',
  });
  expect(Object.keys(body ?? {})).toHaveLength(13);

  const cancelled = await create({ type: 'transcribe', input: { sourceUrl } });
  await tenant.cancel(cancelled.id);
  expect(JSON.parse((await arrived(receiver, secret, 2)).body)).toMatchObject({
    code: 500,
    id: null,
    response: null,
    message: 'Job was cancelled',
  });
});
