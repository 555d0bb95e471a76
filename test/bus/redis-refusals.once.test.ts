import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createRedisBus } from '../../src/bus/redis-bus.ts';
import { silentLog, type Log } from '../../src/log.ts';
import { closedAfterTest, connected, nextReconnect, randomPrefix } from '../support/bus.ts';
import { startRedisCluster, type TestRedisCluster } from '../support/redis-cluster.ts';
import { createRedisServer, hasRedisServer } from '../support/redis-server.ts';

const patience = { timeout: 20_000, interval: 20 };
const hasRedis = hasRedisServer();

/** A bus, and its warnings: what happened, then what to do. */
function openBus(url: string, prefix = randomPrefix()) {
  const warn = vi.fn<Log['warn']>();
  const bus = closedAfterTest(createRedisBus({ url, prefix, log: { ...silentLog, warn } }));
  const warnings = () => warn.mock.calls.map(([fields, advice]) => `${JSON.stringify(fields)} ${advice}`);
  return { bus, warnings };
}

async function setUser({ nodes }: TestRedisCluster, ...rules: string[]): Promise<void> {
  await Promise.all(nodes.map(({ admin }) => admin().call('ACL', 'SETUSER', 'longhaul', 'on', '>hunter2', ...rules)));
}

function urlOfUser({ url }: TestRedisCluster, password = 'hunter2'): string {
  return url.replace('://', `://longhaul:${password}@`);
}

describe.runIf(hasRedis)('what a Redis refuses', () => {
  test('a password that its only user has not is told once for each connection, and is not repeated', async () => {
    const server = await createRedisServer('--requirepass', 'right password');
    onTestFinished(() => server.stop());
    await server.start();
    const { bus, warnings } = openBus(server.url.replace('://', '://:hunter2@'));
    const { bus: without, warnings: warningsWithout } = openBus(server.url);

    await vi.waitFor(() => expect(warnings()).toHaveLength(2), patience);
    await vi.waitFor(() => expect(warningsWithout()).not.toEqual([]), patience);

    expect(warnings()).toEqual(Array(2).fill(expect.stringMatching(/WRONGPASS.*Check both in REDIS_URL/)));
    expect(warnings().join()).not.toContain('hunter2');
    expect(warningsWithout()[0]).toMatch(/NOAUTH.*Check both in REDIS_URL/);
    expect([bus.healthy(), without.healthy()]).toEqual([false, false]);
    await connected(openBus(server.url.replace('://', '://:right%20password@')).bus);
  });

  test('a wrong password for a cluster is told without it, and works when it has become right', async () => {
    const cluster = await startRedisCluster(3);
    await setUser(cluster, '+@all', '&*');
    const { bus, warnings } = openBus(urlOfUser(cluster, 'hunter3'));

    await vi.waitFor(() => expect(warnings()).toHaveLength(1), patience);
    expect(warnings()).toEqual([expect.stringMatching(/WRONGPASS.*Check both in REDIS_URL/)]);
    await setUser(cluster, '>hunter3');
    await connected(bus);

    expect(warnings().join()).not.toContain('hunter3');
  });

  test('the least that a user of a cluster needs is its channels and CLUSTER SLOTS', async () => {
    const cluster = await startRedisCluster(3);
    const prefix = randomPrefix();
    await setUser(cluster, '+subscribe', '+unsubscribe', '+publish', '+ping');
    const { bus, warnings } = openBus(urlOfUser(cluster), prefix);
    const heard: string[] = [];
    const topics = Array.from({ length: 50 }, (_, index) => `job:${index}`);
    await Promise.all(topics.map((topic) => bus.subscribe(topic, () => heard.push(topic))));

    await vi.waitFor(() => expect(warnings()).toEqual([expect.stringContaining('+cluster|slots')]), patience);
    await setUser(cluster, '+cluster|slots');
    await vi.waitFor(() => expect(warnings().slice(1).join()).toContain(`Allow its user the channels (ACL: &${prefix}*)`), patience);
    expect(bus.healthy()).toBe(false);
    const reconnected = nextReconnect(bus);
    await setUser(cluster, `&${prefix}*`);
    await reconnected;
    await connected(bus);

    for (const topic of topics) bus.publish(topic, 'a');
    await vi.waitFor(() => expect(heard.toSorted()).toEqual(topics.toSorted()), patience);
  });

  test('messages that a node refuses make the bus unhealthy until it takes them', async () => {
    const cluster = await startRedisCluster(3);
    const prefix = randomPrefix();
    await setUser(cluster, '+@all', 'resetchannels');
    const { bus, warnings } = openBus(urlOfUser(cluster), prefix);
    await connected(bus);
    const reconnected = nextReconnect(bus);

    bus.publish('work', 'refused');
    await vi.waitFor(() => expect(bus.healthy()).toBe(false), patience);
    expect(bus.stats()).toMatchObject({ published: 0, dropped: 1 });
    await setUser(cluster, `&${prefix}*`);
    await reconnected;
    await connected(bus);

    expect(warnings()).toEqual([expect.stringContaining(`Redis refuses to publish. Allow its user the channels (ACL: &${prefix}*)`)]);
    bus.publish('work', 'taken');
    await vi.waitFor(() => expect(bus.stats()).toMatchObject({ published: 1, dropped: 1 }), patience);
  });

  test('a Redis that is no cluster where one is named is told', async () => {
    const server = await createRedisServer();
    onTestFinished(() => server.stop());
    await server.start();
    const { bus, warnings } = openBus(server.url.replace('redis:', 'redis+cluster:'));

    await vi.waitFor(() => expect(warnings()).toEqual([expect.stringContaining('use redis://')]), patience);
    expect(bus.healthy()).toBe(false);
  });
});
