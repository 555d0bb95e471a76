import { expect, onTestFinished, test, vi } from 'vitest';
import { prepareInstallation, type ReadyProcess } from '../support/process.ts';
import { makeCertificates, tlsFlags } from '../support/redis-certificates.ts';
import { startRedisCluster } from '../support/redis-cluster.ts';
import { createRedisServer, freePort } from '../support/redis-server.ts';

/** Of the bus: what `/health/ready` and `/metrics` say. */
async function busOf({ url }: ReadyProcess) {
  const ready = await fetch(`${url}/health/ready`);
  const body: unknown = await ready.json();
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const figure = (name: string) => Number(new RegExp(`^longhaul_bus_${name} (\\d+)$`, 'm').exec(metrics)?.[1]);
  return { status: ready.status, body, healthy: figure('healthy'), outages: figure('outages_total'), topics: figure('topics') };
}

async function expectBus(api: ReadyProcess, bus: 'up' | 'down'): Promise<void> {
  const expected = { status: 200, body: { status: 'ready', database: 'up', bus }, healthy: Number(bus === 'up') };
  await vi.waitFor(async () => expect(await busOf(api)).toMatchObject(expected), { timeout: 15_000, interval: 50 });
}

async function expectOutages(api: ReadyProcess, expected: number): Promise<void> {
  await vi.waitFor(async () => expect(await busOf(api)).toMatchObject({ healthy: 1, outages: expected }), { timeout: 15_000, interval: 50 });
}

async function endsWell(api: ReadyProcess): Promise<void> {
  expect((await busOf(api)).topics).toBeGreaterThan(0);
  api.kill('SIGTERM');
  expect(await api.ended).toEqual({ code: 0, signal: null });
  expect(api.stderr()).toBe('');
  expect(api.stdout()).not.toMatch(/unhandled|uncaught|hunter2/i);
}

test('a process goes on while its Redis is down at start, frozen and killed, over TLS with a private CA', async () => {
  const certificates = await makeCertificates();
  const port = await freePort();
  const redis = await createRedisServer(...tlsFlags(certificates, port), ...'--user longhaul on >hunter2 +@all &*'.split(' '));
  onTestFinished(() => redis.stop());
  const { start } = await prepareInstallation();
  const api = await start('api', {
    REDIS_URL: `rediss://longhaul:hunter2@127.0.0.1:${port}`,
    NODE_EXTRA_CA_CERTS: certificates.ca,
  });
  await expectBus(api, 'down');
  await redis.start();
  await expectBus(api, 'up');
  redis.freeze();
  await expectBus(api, 'down');
  redis.thaw();
  await expectBus(api, 'up');
  await redis.stop();
  await expectBus(api, 'down');
  await redis.start();
  await expectBus(api, 'up');

  // Each time the connection that listens and the one that publishes.
  await expectOutages(api, 4);
  await endsWell(api);
}, 90_000);

test('a process goes on through the other nodes while one of its Redis cluster is frozen, and one killed', async () => {
  const cluster = await startRedisCluster(3);
  const [first, ...others] = cluster.nodes;
  const { start } = await prepareInstallation();
  const api = await start('api', { REDIS_URL: cluster.url });
  await expectBus(api, 'up');

  first?.freeze();
  await expectOutages(api, 2);
  first?.thaw();
  const clients = await Promise.all(others.map(async ({ admin }) => String(await admin().client('LIST'))));
  await others[clients.findIndex((list) => list.includes('name=longhaul-publisher '))]?.stop();
  await vi.waitFor(async () => expect((await busOf(api)).outages).toBeGreaterThan(2), { timeout: 15_000, interval: 50 });
  await expectBus(api, 'up');
  await endsWell(api);
}, 90_000);

test('a process with a wrong password for Redis serves, and says so without it', async () => {
  const redis = await createRedisServer('--requirepass', 'another');
  onTestFinished(() => redis.stop());
  await redis.start();
  const { start } = await prepareInstallation();
  const api = await start('api', { REDIS_URL: redis.url.replace('://', '://:hunter2@') });
  await api.wrote(/WRONGPASS.*Check both in REDIS_URL/);
  await expectBus(api, 'down');
  api.kill('SIGTERM');
  expect(await api.ended).toEqual({ code: 0, signal: null });
  expect(api.stdout() + api.stderr()).not.toContain('hunter2');
}, 60_000);
