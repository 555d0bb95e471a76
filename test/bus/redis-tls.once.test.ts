import { readFile } from 'node:fs/promises';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Bus } from '../../src/bus/bus.ts';
import { createRedisBus } from '../../src/bus/redis-bus.ts';
import { silentLog, type Log } from '../../src/log.ts';
import { closedAfterTest, connected, everythingArrived, nextReconnect, randomPrefix } from '../support/bus.ts';
import { type Certificates, makeCertificates, tlsFlags } from '../support/redis-certificates.ts';
import { startRedisCluster } from '../support/redis-cluster.ts';
import { createRedisServer, freePort, hasRedisServer, type RedisServer } from '../support/redis-server.ts';

const patience = { timeout: 20_000, interval: 20 };
const hasRedis = hasRedisServer();

function openBus(url: string, log: Log = silentLog): Bus {
  return closedAfterTest(createRedisBus({ url, prefix: randomPrefix(), log }));
}

/** A log whose warnings are kept: what happened, then what to do. */
function openLog() {
  const warn = vi.fn<Log['warn']>();
  const warnings = () => warn.mock.calls.map(([fields, advice]) => `${JSON.stringify(fields)} ${advice}`);
  return { log: { ...silentLog, warn }, warnings };
}

async function startTlsServer(...flags: string[]): Promise<{ server: RedisServer; port: number; certificates: Certificates }> {
  const certificates = await makeCertificates();
  const port = await freePort();
  const server = await createRedisServer(...tlsFlags(certificates, port), ...flags);
  onTestFinished(() => server.stop());
  await server.start();
  return { server, port, certificates };
}

/** What NODE_EXTRA_CA_CERTS does at the start of a process. */
async function trust({ ca }: Certificates): Promise<void> {
  const before = getCACertificates('default');
  onTestFinished(() => setDefaultCACertificates(before));
  setDefaultCACertificates([...before, await readFile(ca, 'utf8')]);
}

describe.runIf(hasRedis)('the bus over TLS', () => {
  test('speaks to a Redis whose CA is trusted, with user and password, and comes back after a restart', async () => {
    const { server, port, certificates } = await startTlsServer(...'--user longhaul on >p@ss:word +@all &*'.split(' '));
    await trust(certificates);
    const bus = await connected(openBus(`rediss://longhaul:p%40ss%3Aword@127.0.0.1:${port}`));
    const heard: string[] = [];
    await bus.subscribe('work', (message) => heard.push(message));
    const reconnected = nextReconnect(bus);

    await server.stop();
    await server.start();
    await reconnected;
    bus.publish('work', 'a');
    await everythingArrived(bus);

    expect(heard).toEqual(['a']);
  });

  test('a frozen Redis is noticed, and used again when it thaws', async () => {
    const { server, port, certificates } = await startTlsServer();
    await trust(certificates);
    const bus = await connected(openBus(`rediss://127.0.0.1:${port}`));
    const reconnected = nextReconnect(bus);

    server.freeze();
    await vi.waitFor(() => expect(bus.healthy()).toBe(false), patience);
    // Dropped, so that there is something to tell of.
    bus.publish('work', 'nobody is there');
    server.thaw();
    await reconnected;

    await everythingArrived(bus);
  });

  test.for([
    { given: 'a certificate of a CA that is not trusted', name: '127.0.0.1', trusted: false },
    { given: 'a certificate for another host', name: 'localhost', trusted: true },
  ])('$given is refused, and the log says what to do', async ({ name, trusted }) => {
    const { port, certificates } = await startTlsServer();
    if (trusted) await trust(certificates);
    const { log, warnings } = openLog();
    const bus = openBus(`rediss://longhaul:hunter2@${name}:${port}?family=4`, log);

    await vi.waitFor(() => expect(warnings()).toHaveLength(2), patience);

    expect(bus.healthy()).toBe(false);
    expect(warnings()).toEqual([
      expect.stringMatching(/certificate.*NODE_EXTRA_CA_CERTS/),
      expect.stringMatching(/certificate.*NODE_EXTRA_CA_CERTS/),
    ]);
    expect(warnings().join()).not.toContain('hunter2');
  });

  test('TLS where Redis speaks none, and none where it speaks TLS, is told once for each connection', async () => {
    const { server, port } = await startTlsServer();
    const { log, warnings } = openLog();
    openBus(`rediss://:hunter2@127.0.0.1:${server.port}`, log);
    openBus(`redis://:hunter2@127.0.0.1:${port}`, log);

    await vi.waitFor(() => expect(warnings()).toHaveLength(4), patience);

    expect(warnings()).toEqual(Array(4).fill(expect.stringContaining('rediss:// in REDIS_URL if Redis speaks TLS')));
    expect(warnings().join()).not.toContain('hunter2');
  });

  test('a cluster is spoken to over TLS alone', async () => {
    const certificates = await makeCertificates();
    await trust(certificates);
    const ports = await Promise.all([freePort(), freePort(), freePort()]);
    const cluster = await startRedisCluster(3, 0, (index) => [
      ...tlsFlags(certificates, ports[index] ?? 0),
      '--tls-cluster',
      'yes',
    ]);
    const bus = await connected(openBus(`rediss+cluster://127.0.0.1:${ports[1]}`));
    const heard = new Set<string>();
    const topics = Array.from({ length: 100 }, (_, index) => `job:${index}`);
    await Promise.all(topics.map((topic) => bus.subscribe(topic, () => heard.add(topic))));

    for (const topic of topics) bus.publish(topic, 'a');
    await vi.waitFor(() => expect(heard.size).toBe(100), patience);

    const clients = await Promise.all(cluster.nodes.map(async ({ admin }) => String(await admin().client('LIST'))));
    const ours = clients.join('').split('\n').filter((line) => line.includes('name=longhaul-'));
    expect(ours).toHaveLength(2);
    for (const { port } of cluster.nodes) {
      expect(ours.filter((line) => line.includes(`laddr=127.0.0.1:${port} `))).toEqual([]);
    }
  });
});
