import { expect, onTestFinished, test } from 'vitest';
import { CommandLine } from '../support/command-line.ts';
import { Tenant } from '../support/domain.ts';
import { eventually } from '../support/eventually.ts';
import { startLonghaul } from '../support/longhaul.ts';
import { startReceiver, status } from '../support/receiver.ts';

test('webhooks listen prints what a server delivers, passes it on, and takes nothing that another has signed', async () => {
  const longhaul = await startLonghaul({ OUTBOUND_ALLOW: '127.0.0.1' });
  onTestFinished(() => longhaul.stop());
  const workspace = await longhaul.workspace();
  const key = await workspace.key();
  const { data } = await longhaul.graphql('mutation { rotateWebhookSecret { secret } }', {}, key);
  const { secret } = Object(data?.['rotateWebhookSecret']);
  const tenant = Tenant.of(longhaul, workspace.id);
  const receiver = await startReceiver(status(202));
  const cli = await CommandLine.with();

  const listening = cli.start(['webhooks', 'listen', '--port', '0', '--jsonl', '--forward', receiver.url], { stdin: `${secret}\n`, env: { LONGHAUL_WEBHOOK_SECRET: '' } });
  const [, url = ''] = await listening.wrote(/webhookUrl: (\S+)/);
  const { job, token } = await tenant.running({ type: 'comments', webhookUrl: url });
  await tenant.complete(token, { words: 3 });
  await listening.wrote(/job\.completed/);
  const [line = ''] = listening.written().stdout.split('\n');
  expect(JSON.parse(line)).toMatchObject({
    isRepeated: false,
    answered: 202,
    body: { type: 'job.completed', data: { id: `job_${job.id}`, status: 'COMPLETED', output: { words: 3 } } },
  });
  expect(receiver.received).toMatchObject([{ method: 'POST', headers: { 'webhook-id': JSON.parse(line).id, 'webhook-signature': expect.stringContaining('v1,') } }]);

  const [{ headers = {}, body = '' } = {}] = receiver.received;
  const signed = Object.fromEntries(['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) => [name, String(headers[name])]));
  const answered = (sent: string) => fetch(url, { method: 'POST', headers: signed, body: sent }).then((response) => response.status);
  expect(await answered(body.replace('"words":3', '"words":4'))).toBe(401);
  expect(await answered(body)).toBe(202);
  await listening.wrote(/"isRepeated":true/);
  expect((await fetch(url)).status).toBe(405);
  expect(receiver.received).toHaveLength(2);

  const asking = { env: { LONGHAUL_URL: longhaul.url, LONGHAUL_KEY: key } };
  const [delivery = '', of] = (await cli.run(['webhooks', 'list', '--job', job.id, '--columns', 'id,job,job.type'], asking)).stdout.split('\t');
  expect(of).toBe(`job_${job.id}`);
  const again = await cli.run(['webhooks', 'redeliver', delivery, 'delivery_01a221d6-1488-771b-84f6-000000000000', '-q'], asking);
  expect(again).toEqual({ code: 1, stdout: `${delivery}\n`, stderr: expect.stringMatching(/^delivery_\S+0000: /) });
  await eventually(() => expect(receiver.received).toHaveLength(3));

  // Whatever is signed with nothing, anybody may have signed.
  expect(await cli.run(['webhooks', 'listen', '--port', '0'], { env: { LONGHAUL_WEBHOOK_SECRET: 'whsec_' } })).toMatchObject({ code: 2, stderr: expect.stringContaining('no signing secret') });

  listening.kill('SIGINT');
  expect(await listening.ended).toMatchObject({ code: 130, stderr: expect.stringContaining('Refused: ') });
}, 120_000);
