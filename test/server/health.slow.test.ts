import { expect, test } from 'vitest';
import { prepareInstallation } from '../support/process.ts';

test('a process that is told to stop says that it is not ready and goes on serving, until its time to drain is over', async () => {
  const fleet = await prepareInstallation();
  const api = await fleet.start('api', { DRAIN_SECONDS: '600' });
  api.kill('SIGTERM');
  await api.wrote(/"msg":"stopping"/);
  const ready = await fetch(`${api.url}/health/ready`);
  expect(ready.status).toBe(503);
  expect(await ready.json()).toMatchObject({ status: 'stopping', database: 'up' });
  const answer = await fetch(`${api.url}/graphql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${fleet.adminKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query: '{ workspace { name } }' }),
  });
  expect(await answer.json()).toEqual({ data: { workspace: { name: 'default' } } });
  expect(answer.headers.get('connection')).toBe('close');
  // Whatever is answered, and however.
  for (const path of ['/health/live', '/videoconduit/v1/jobs', '/vidocu/v1/jobs/unknown', '/nowhere']) {
    const { headers } = await fetch(api.url + path, { headers: { authorization: `Bearer ${fleet.adminKey}` } });
    expect(headers.get('connection'), path).toBe('close');
  }

  // Whoever presses Ctrl-C does not wait for a load balancer.
  api.kill('SIGINT');
  expect(await api.ended).toEqual({ code: 0, signal: null });
});

test('/health says for each part when it last succeeded, and which version runs', async () => {
  const fleet = await prepareInstallation();
  const api = await fleet.start('api');
  const health: unknown = await (await fetch(`${api.url}/health`)).json();
  expect(health).toMatchObject({
    ready: true,
    stopping: false,
    role: 'api',
    database: 'up',
    bus: 'up',
    overdue: [],
    versions: { longhaul: expect.stringMatching(/^\d+\.\d+\.\d+$/) },
    lastSuccess: { claiming: expect.any(String), 'ending attempts whose lease is over': expect.any(String) },
  });
  const metrics = await (await fetch(`${api.url}/metrics`)).text();
  expect(metrics).toMatch(/^longhaul_last_success_timestamp_seconds\{work="claiming"\} \d/m);
});
