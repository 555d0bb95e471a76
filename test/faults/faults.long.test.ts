import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { FaultLoad, faultTypes } from '../support/fault-load.ts';
import { createFaultProxy, type FaultProxy } from '../support/fault-proxy.ts';
import { countJobs, countUnfinished, violationsAfter } from '../support/fault-truth.ts';
import { startFileServer } from '../support/file-server.ts';
import { prepareInstallation, type ReadyProcess, testFolder } from '../support/process.ts';
import { testRedisUrl } from '../support/servers.ts';

/** The promise: so long after a fault everything works again, without a restart. Seconds. */
const recoverySeconds = 15;

/** How long a fault lasts. What is muted stays so, and recovery begins at once. */
const faultSeconds = 3;

/** Until clients that pause before they come back have done so, and leases of lost claims have ended. Milliseconds. */
const patience = { timeout: 40_000, interval: 100 };

type Place = 'Postgres' | 'Redis' | 'HTTP';

interface Fault {
  where: Place;
  what: string;
  begin: (proxy: FaultProxy) => void;
}

const each: Omit<Fault, 'where'>[] = [
  { what: 'delayed by 200 ms', begin: (proxy) => proxy.delay(200) },
  { what: 'stalled', begin: (proxy) => proxy.stall() },
  { what: 'muted', begin: (proxy) => proxy.mute() },
  { what: 'cut', begin: (proxy) => proxy.cut() },
];
const faults: Fault[] = [
  ...each.map((fault) => ({ where: 'Postgres' as const, ...fault })),
  { where: 'Postgres', what: 'one in three replies of a COMMIT lost', begin: (proxy) => proxy.loseReplies(3) },
  ...each.map((fault) => ({ where: 'Redis' as const, ...fault })),
  { where: 'Redis', what: 'one in three replies of a PUBLISH lost', begin: (proxy) => proxy.loseReplies(3) },
  { where: 'HTTP', what: 'muted', begin: (proxy) => proxy.mute() },
  { where: 'HTTP', what: 'cut', begin: (proxy) => proxy.cut() },
];

test('two apis, two workers and their clients come through every fault of their connections, and nothing is lost or paid twice', async () => {
  const files = await startFileServer();
  files.release();
  const types = join(await testFolder(), 'types.json');
  await writeFile(types, JSON.stringify(faultTypes));
  const fleet = await prepareInstallation({ OUTBOUND_ALLOW: '127.0.0.1', JOB_TYPES: types, INITIAL_CREDITS: '1000000' });
  const [postgres, redis] = await Promise.all([createFaultProxy(fleet.databaseUrl), createFaultProxy(testRedisUrl)]);
  const env = { DATABASE_URL: postgres.url, REDIS_URL: redis.url };
  const [left, right, ...workers] = await Promise.all([
    fleet.start('api', env),
    fleet.start('api', env),
    fleet.start('worker', env),
    fleet.start('worker', env),
  ]);
  const processes = [left, right, ...workers];
  const fronts = await Promise.all([left, right].map(({ url }) => createFaultProxy(url.replace('localhost', '127.0.0.1'))));
  const proxies: Record<Place, FaultProxy[]> = { Postgres: [postgres], Redis: [redis], HTTP: fronts };
  const load = () => new FaultLoad({ urls: fronts.map(({ url }) => url), key: fleet.adminKey, sourceUrl: files.url('film') });

  const rows: Record<string, string | number>[] = [];
  const violations: string[] = [];
  let accepted = 0;
  for (const { where, what, begin } of faults) {
    const clients = load();
    clients.start();
    await clients.canary();
    for (const proxy of proxies[where]) begin(proxy);
    if (what !== 'muted') await delay(faultSeconds * 1_000);
    for (const proxy of proxies[where]) proxy.mend();
    const began = performance.now();
    await Promise.all([clients.canary(), untilReady(processes)]);
    const seconds = (performance.now() - began) / 1_000;

    await clients.created();
    // Whatever does not come to its end in time is named by `violationsAfter`.
    await vi.waitFor(async () => expect(await countUnfinished(fleet)).toBe(0), patience).catch(() => undefined);
    await vi.waitFor(() => expect(clients.watchers.filter(({ hasHeard }) => !hasHeard)).toEqual([]), patience).catch(() => undefined);
    await clients.stop();
    accepted += clients.jobs.size;
    const found = await violationsAfter(fleet, clients);
    if ((await countJobs(fleet)) !== accepted) found.push(`${await countJobs(fleet)} jobs are there, and ${accepted} were accepted`);
    violations.push(...found.map((violation) => `${where} ${what}: ${violation}`));
    rows.push({ fault: `${where}: ${what}`, jobs: clients.jobs.size, tried: clients.tried, failed: clients.failed, seconds, violations: found.length });
  }
  process.stdout.write(table(rows));
  expect(violations).toEqual([]);
  expect(rows.filter(({ seconds }) => Number(seconds) > recoverySeconds)).toEqual([]);
  await expect(Promise.race([...processes.map(({ ended }) => ended), Promise.resolve('all run')])).resolves.toBe('all run');
}, 400_000);

/** Until each process is ready, hears the bus, and does by itself what it should. */
async function untilReady(processes: readonly ReadyProcess[]): Promise<void> {
  const ready = { status: 'ready', database: 'up', bus: 'up', volume: 'writable', overdue: [] };
  await vi.waitFor(async () => expect(await Promise.all(processes.map(readiness))).toEqual(processes.map(() => ready)), patience);
}

async function readiness({ url }: ReadyProcess): Promise<unknown> {
  return JSON.parse(await (await fetch(`${url}/health/ready`)).text());
}

function table(rows: readonly Record<string, string | number>[]): string {
  const columns = Object.keys(rows[0] ?? {});
  const lines = rows.map((row) => columns.map((column) => (column === 'seconds' ? Number(row[column]).toFixed(1) : row[column])).join(' | '));
  return [`| ${columns.join(' | ')} |`, `|${columns.map(() => '---').join('|')}|`, ...lines.map((line) => `| ${line} |`), ''].join('\n');
}
