import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { createFaultProxy } from '../support/fault-proxy.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';
import { makeOwnDatabase } from '../support/own-database.ts';
import { onServer } from '../support/template-servers.ts';

/** The promise: whatever Postgres does. Milliseconds. */
const answerMilliseconds = 2_000;

/** Until connections that went silent are replaced, and what fails counts as failing. Milliseconds. */
const patience = 25_000;

interface Health {
  code: number;
  body: unknown;
  milliseconds: number;
}

async function ask({ url }: Longhaul, path: string): Promise<Health> {
  const began = performance.now();
  const response = await fetch(url + path);
  const body: unknown = await response.json();
  return { code: response.status, body, milliseconds: performance.now() - began };
}

async function start(role: 'api' | 'worker', env: Record<string, string>, sharing?: Longhaul): Promise<Longhaul> {
  const longhaul = await startLonghaul({ ROLE: role, DATABASE_POOL_SIZE: '6', ...env }, sharing === undefined ? {} : { sharing });
  onTestFinished(() => longhaul.stop());
  return longhaul;
}

test('whatever Postgres does, a worker says within two seconds that it lives and that it is not ready, and is ready afterwards', async () => {
  const own = await makeOwnDatabase();
  const proxy = await createFaultProxy(own.url);
  const worker = await start('worker', { DATABASE_URL: proxy.url });
  const limitConnections = (most: number) => onServer(`ALTER ROLE ${own.name} CONNECTION LIMIT ${most}`);
  const faults: [string, () => Promise<unknown> | void][] = [
    ['stalled', () => proxy.stall()],
    ['cut', () => proxy.cut()],
    [
      'full of connections',
      async () => {
        await limitConnections(0);
        await onServer(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${own.name}'`);
      },
    ],
    [
      'slow on every connection',
      () => {
        for (let each = 0; each < 6; each += 1) worker.services.database.hot.query('SELECT pg_sleep(5)').catch(() => undefined);
      },
    ],
  ];
  for (const [what, begin] of faults) {
    await eventually(async () => expect(await ask(worker, '/health/ready'), what).toMatchObject({ code: 200, body: { status: 'ready' } }), patience);
    await begin();
    for (const [path, expected] of [
      ['/health/live', { code: 200, body: { status: 'live' } }],
      ['/health/ready', { code: 503, body: { status: 'unavailable', database: 'down' } }],
      ['/health', { code: 200, body: { ready: false, database: 'down', role: 'worker' } }],
    ] as const) {
      const health = await ask(worker, path);
      expect(health, `${what}: ${path}`).toMatchObject(expected);
      expect(health.milliseconds, `${what}: ${path}`).toBeLessThan(answerMilliseconds);
    }
    proxy.mend();
    await limitConnections(-1);
  }
}, 120_000);

test('a worker whose claims and sweeps fail is not ready, and says which, and when they last succeeded; an api serves on', async () => {
  const own = await makeOwnDatabase();
  const worker = await start('worker', { DATABASE_URL: own.url });
  const api = await start('api', { DATABASE_URL: own.url }, worker);
  expect(await ask(worker, '/health/ready')).toMatchObject({ code: 200, body: { overdue: [] } });
  await own.sql('ALTER TABLE lease RENAME TO lease_elsewhere');
  const overdue = ['claiming', 'ending attempts whose lease is over'];
  await eventually(async () => {
    expect(await ask(worker, '/health/ready')).toMatchObject({ code: 503, body: { status: 'unavailable', database: 'up', overdue } });
  }, patience);
  const { body } = await ask(worker, '/health');
  expect(body).toMatchObject({ ready: false, lastSuccess: { claiming: expect.any(String), 'making due jobs claimable': expect.any(String) } });
  expect(await ask(api, '/health/ready')).toMatchObject({ code: 200, body: { status: 'ready' } });
  await own.sql('ALTER TABLE lease_elsewhere RENAME TO lease');
  await eventually(async () => expect(await ask(worker, '/health/ready')).toMatchObject({ code: 200, body: { overdue: [] } }));
}, 90_000);
