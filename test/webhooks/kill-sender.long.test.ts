import { expect, test } from 'vitest';
import { ask } from '../support/client.ts';
import { ClaimJobsDocument, CompleteJobDocument, CreateJobDocument } from '../graphql/generated/graphql.ts';
import { eventually } from '../support/eventually.ts';
import { prepareInstallation } from '../support/process.ts';
import { startReceiver, status } from '../support/receiver.ts';

test('what a killed process was sending is sent by another one', async () => {
  const receiver = await startReceiver(() => undefined, status(204));
  const fleet = await prepareInstallation({ OUTBOUND_ALLOW: '127.0.0.1' });
  const sender = await fleet.start('api');
  const { createJob } = await ask(sender.url, fleet.adminKey, CreateJobDocument, {
    input: { type: 'fingerprint', input: { sourceUrl: 'https://example.com/a.mp4' }, webhookUrl: receiver.url },
  });
  if (createJob == null || !('job' in createJob)) throw new Error('the job was not created');
  const { claimJobs } = await ask(sender.url, fleet.adminKey, ClaimJobsDocument, {
    input: { types: ['fingerprint'], workerId: 'test' },
  });
  if (claimJobs == null || !('leases' in claimJobs)) throw new Error('the job was not claimed');
  const [lease] = claimJobs.leases;
  await ask(sender.url, fleet.adminKey, CompleteJobDocument, { input: { token: lease?.token ?? '', output: 1 } });
  await eventually(() => expect(receiver.received).toHaveLength(1));
  sender.kill('SIGKILL');
  await sender.ended;

  await fleet.start('worker');
  // The minute that its lease lasts is over.
  await fleet.query(`UPDATE webhook_delivery SET due_at = now() WHERE sending AND tries = 1`);
  await eventually(async () => {
    expect(await fleet.query('SELECT status, attempt_count FROM webhook_delivery')).toEqual([
      { status: 'DELIVERED', attempt_count: 1 },
    ]);
  }, 60_000);
  const [first, second] = receiver.received;
  expect(second).toMatchObject({ body: first?.body });
  expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
}, 90_000);
