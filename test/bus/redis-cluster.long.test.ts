import { describe, expect, test, vi } from 'vitest';
import type { Bus } from '../../src/bus/bus.ts';
import { createRedisBus, type RedisBus, type RedisBusOptions } from '../../src/bus/redis-bus.ts';
import { silentLog } from '../../src/log.ts';
import { closedAfterTest, connected, nextReconnect, randomPrefix, resolvesWithin2Seconds } from '../support/bus.ts';
import { type RedisClusterNode, slotCount, startRedisCluster, type TestRedisCluster } from '../support/redis-cluster.ts';
import { hasRedisServer } from '../support/redis-server.ts';

const within2Seconds = { timeout: 2_000, interval: 20 };
const patience = { timeout: 20_000, interval: 20 };
const hasRedis = hasRedisServer();
const manyTopics = Array.from({ length: 300 }, (_, index) => `job:${index}`);

function openBus({ url }: Pick<TestRedisCluster, 'url'>, options: Partial<RedisBusOptions> = {}): RedisBus {
  const bus = createRedisBus({ url, prefix: randomPrefix(), log: silentLog, ...options });
  closedAfterTest(bus);
  return bus;
}

/** The topics that are bound at each node. */
async function boundTopics(nodes: RedisClusterNode[], prefix: string): Promise<string[][]> {
  const channels = await Promise.all(nodes.map(({ admin }) => admin().pubsub('CHANNELS', `${prefix}*`)));
  return channels.map((names) => names.map((name) => String(name).slice(prefix.length)).toSorted());
}

async function calls({ admin }: RedisClusterNode, command: string): Promise<number> {
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(await admin().info('commandstats'))?.[1] ?? 0);
}

/** Whether a bus listens or publishes through the node. */
async function isUsed({ admin }: RedisClusterNode): Promise<boolean> {
  return /name=longhaul-(subscriber|publisher) /.test(String(await admin().client('LIST')));
}

/** Listens to the topics, and gives what was heard. */
async function hear(bus: Bus, topics: string[]): Promise<string[]> {
  const heard: string[] = [];
  await Promise.all(topics.map((topic) => bus.subscribe(topic, (message) => heard.push(`${topic} ${message}`))));
  return heard;
}

async function expectHeard(heard: string[], expected: string[]): Promise<void> {
  await vi.waitFor(() => expect(heard.toSorted()).toEqual(expected.toSorted()), patience);
}

/** Publishes until every topic is heard, as it is from some moment on. */
async function expectService(bus: Bus, heard: string[]): Promise<void> {
  heard.length = 0;
  await vi.waitFor(() => {
    for (const topic of manyTopics) bus.publish(topic, 'a');
    expect(new Set(heard).size).toBe(manyTopics.length);
  }, patience);
}

function count({ counter }: RedisBus, key: string): Promise<[number, number]> {
  return counter.rlflxIncr([key, '2', '60']);
}

/** Once messages reach other processes. */
async function openConnected(...from: Parameters<typeof openBus>): Promise<RedisBus> {
  const bus = openBus(...from);
  await connected(bus);
  return bus;
}

function urlOf(...nodes: (RedisClusterNode | undefined)[]): { url: string } {
  return { url: `redis+cluster://${nodes.map((node) => `127.0.0.1:${node?.port}`).join()}` };
}

describe.runIf(hasRedis)('the bus on a Redis cluster', () => {
  test('messages reach the other processes, through whichever nodes they are connected', async () => {
    const cluster = await startRedisCluster(3);
    const [first, second] = cluster.nodes;
    const prefix = randomPrefix();
    const [here, there] = await Promise.all([
      connected(openBus(urlOf(first), { prefix })),
      connected(openBus(urlOf(second), { prefix })),
    ]);
    const heard = await hear(there, manyTopics);

    for (const topic of manyTopics) here.publish(topic, 'a');
    await expectHeard(heard, manyTopics.map((topic) => `${topic} a`));

    expect(await boundTopics(cluster.nodes, prefix)).toEqual([[], manyTopics.toSorted(), []]);
    expect(here.stats()).toEqual({ topics: 0, published: 300, received: 0, dropped: 0, outages: 0 });
    expect(there.stats()).toEqual({ topics: 300, published: 0, received: 300, dropped: 0, outages: 0 });
  });

  test('a topic is one SUBSCRIBE, however many listen, keeps its order, and is let go with the last of them', async () => {
    const cluster = await startRedisCluster(3);
    const [first, second] = cluster.nodes;
    const prefix = randomPrefix();
    const bus = await connected(openBus(urlOf(second), { prefix }));
    const elsewhere = await connected(openBus(urlOf(first), { prefix }));
    const heard: string[] = [];
    const messages = Array.from({ length: 1_000 }, (_, index) => String(index));

    const unsubscribes = await Promise.all(Array.from({ length: 100 }, () => bus.subscribe('work', () => {})));
    unsubscribes.push(await bus.subscribe('work', (message) => heard.push(message)));
    expect(await Promise.all(cluster.nodes.map((node) => calls(node, 'subscribe')))).toEqual([0, 1, 0]);
    for (const message of messages) elsewhere.publish('work', message);
    await vi.waitFor(() => expect(heard).toEqual(messages), patience);

    for (const unsubscribe of unsubscribes) unsubscribe();
    await vi.waitFor(async () => expect((await boundTopics(cluster.nodes, prefix)).flat()).toEqual([]), patience);
    expect(bus.stats().topics).toBe(0);
  });

  test('whichever node is down, messages arrive, and listeners are told when they may have been lost', async () => {
    const cluster = await startRedisCluster(3);
    const bus = await connected(openBus(cluster));
    const heard = await hear(bus, manyTopics);
    let usedNodes = 0;
    // Each in turn, the one that the URL names among them.
    for (const node of cluster.nodes) {
      const used = await isUsed(node);
      const reconnected = nextReconnect(bus);
      await node.stop();
      if (used) {
        usedNodes += 1;
        await reconnected;
      }
      await expectService(bus, heard);
      await node.start();
    }
    expect(usedNodes).toBeGreaterThan(0);
    // One of the connection that listens, one of the connection that publishes.
    expect(bus.stats()).toMatchObject({ outages: 2 * usedNodes });
  }, 60_000);

  test('a frozen node is noticed within 2 seconds, delays nobody longer, and another one takes its place', async () => {
    const cluster = await startRedisCluster(3);
    const bus = await connected(openBus(cluster));
    const [node] = cluster.nodes;
    const heard = await hear(bus, manyTopics);
    const reconnected = nextReconnect(bus);

    node?.freeze();
    await Promise.all([
      resolvesWithin2Seconds(bus.subscribe('during', (message) => heard.push(message))),
      vi.waitFor(() => expect(bus.healthy()).toBe(false), within2Seconds),
    ]);
    await reconnected;
    expect(bus.healthy()).toBe(true);
    for (const topic of [...manyTopics, 'during']) bus.publish(topic, 'a');
    await expectHeard(heard, [...manyTopics.map((topic) => `${topic} a`), 'a']);

    node?.thaw();
    await expectService(bus, heard);
    expect(bus.stats()).toMatchObject({ outages: 2 });
  });

  test.for(['killed', 'frozen'])('a master that is %s and comes back as a replica costs no message but those of the moment', { timeout: 60_000 }, async (end) => {
    const cluster = await startRedisCluster(3, 1);
    const bus = await connected(openBus(cluster));
    const heard = await hear(bus, manyTopics);
    const [master] = cluster.nodes;
    if (!master) throw new Error('The cluster is not whole.');
    const reconnected = nextReconnect(bus);

    if (end === 'killed') await master.stop();
    else master.freeze();
    await reconnected;
    for (const topic of manyTopics) bus.publish(topic, 'a');
    await expectHeard(heard, manyTopics.map((topic) => `${topic} a`));

    heard.length = 0;
    const [, , , replica] = cluster.nodes;
    await vi.waitFor(async () => expect(await replica?.admin().info('replication')).toContain('role:master'), patience);
    if (end === 'killed') await master.start();
    else master.thaw();
    await vi.waitFor(async () => expect(await master.admin().info('replication')).toContain('role:slave'), patience);
    for (const topic of manyTopics) bus.publish(topic, 'b');
    await expectHeard(heard, manyTopics.map((topic) => `${topic} b`));
  });

  test('a node that has left the cluster is left, and listeners are told when their topics are bound elsewhere', async () => {
    const cluster = await startRedisCluster(2);
    const [left, right] = cluster.nodes;
    if (!left || !right) throw new Error('The cluster is not whole.');
    const prefix = randomPrefix();
    const bus = await connected(openBus(urlOf(left, right), { prefix }));
    const heard = await hear(bus, manyTopics);
    expect(await isUsed(left)).toBe(true);
    // As it is told: who reads again then hears all that comes later.
    const boundWhenTold: Promise<string[][]>[] = [];
    bus.onReconnect(() => boundWhenTold.push(boundTopics([right], prefix)));

    // As redis-cli --cluster del-node does it: the node goes on, alone.
    const id = await left.admin().cluster('MYID');
    await right.admin().cluster('DELSLOTSRANGE', 0, slotCount / 2 - 1);
    await right.admin().cluster('ADDSLOTSRANGE', 0, slotCount / 2 - 1);
    await right.admin().cluster('FORGET', id);
    await left.admin().cluster('RESET');
    await vi.waitFor(async () => expect(await isUsed(left)).toBe(false), { ...patience, timeout: 40_000 });
    await connected(bus);

    expect(await boundWhenTold.at(-1)).toEqual([manyTopics.toSorted()]);
    for (const topic of manyTopics) bus.publish(topic, 'a');
    await expectHeard(heard, manyTopics.map((topic) => `${topic} a`));
  }, 60_000);

  test('a cluster that is down at start delays nobody, and the topics are bound when it is there', async () => {
    const cluster = await startRedisCluster(3);
    await Promise.all(cluster.nodes.map((node) => node.stop()));
    const bus = openBus(cluster);
    const heard = await hear(bus, manyTopics);
    bus.publish('job:1', 'nobody is there');
    expect(bus.healthy()).toBe(false);
    expect(bus.stats()).toEqual({ topics: 300, published: 0, received: 0, dropped: 1, outages: 0 });
    const reconnected = nextReconnect(bus);

    await Promise.all(cluster.nodes.map((node) => node.start()));
    await reconnected;
    await connected(bus);

    for (const topic of manyTopics) bus.publish(topic, 'a');
    await expectHeard(heard, manyTopics.map((topic) => `${topic} a`));
  });

  test('listeners are told of a message that was dropped before any node was known', async () => {
    const cluster = await startRedisCluster(1);
    const [node] = cluster.nodes;
    await node?.stop();
    const bus = openBus(cluster);
    const reconnected = nextReconnect(bus);

    bus.publish('work', 'nobody is there');
    await node?.start();
    await reconnected;

    expect(bus.healthy()).toBe(true);
  });

  test('one of the named nodes is enough, and listeners are told of a restart of all', async () => {
    const cluster = await startRedisCluster(3);
    const [, second, third] = cluster.nodes;
    const url = `redis+cluster://127.0.0.1:1,127.0.0.1:${second?.port},127.0.0.1:${third?.port}`;
    const bus = await connected(openBus({ url }));
    const heard = await hear(bus, manyTopics);

    await Promise.all(cluster.nodes.map((node) => node.stop()));
    await vi.waitFor(() => expect(bus.healthy()).toBe(false), within2Seconds);
    const reconnected = nextReconnect(bus);
    await Promise.all(cluster.nodes.map((node) => node.start()));
    await reconnected;
    await connected(bus);

    await expectService(bus, heard);
  });

  test('processes count together, each key at its node; while one is frozen its keys are refused without delay', async () => {
    const cluster = await startRedisCluster(3);
    const [here, there] = await Promise.all([openConnected(cluster), openConnected(urlOf(cluster.nodes[1]))]);
    const prefix = randomPrefix();
    const keys = Array.from({ length: 30 }, (_, index) => `${prefix}${index}`);
    // A node refuses keys for its first two seconds in a cluster.
    await vi.waitFor(() => Promise.all([here, there].flatMap((bus) => keys.map((key) => count(bus, `before ${key}`)))), patience);
    for (const key of keys) expect(await count(here, key)).toEqual([2, expect.any(Number)]);
    for (const key of keys) expect(await count(there, key)).toEqual([4, expect.any(Number)]);
    const owners = await Promise.all(keys.map((key) => cluster.ownerOf(key)));
    expect(new Set(owners).size).toBe(3);

    const [, , node] = cluster.nodes;
    node?.freeze();
    const counted = await resolvesWithin2Seconds(Promise.allSettled(keys.map((key) => count(here, key))));
    expect(counted.map(({ status }) => status)).toEqual(owners.map((owner) => (owner === node ? 'rejected' : 'fulfilled')));
    await expect(count(here, keys[0] ?? '')).rejects.toThrow('Redis is away');

    node?.thaw();
    await vi.waitFor(() => Promise.all(keys.map((key) => count(here, key))), patience);
  });

  test('closing ends at once while nodes are away, frozen or being connected to', async () => {
    const cluster = await startRedisCluster(3);
    const starting = openBus(cluster);
    await resolvesWithin2Seconds(starting.close());

    const frozen = await connected(openBus(cluster));
    for (const node of cluster.nodes) node.freeze();
    const subscribed = frozen.subscribe('work', () => {});
    await resolvesWithin2Seconds(frozen.close());
    await resolvesWithin2Seconds(subscribed);

    await Promise.all(cluster.nodes.map((node) => node.stop()));
    const away = openBus(cluster);
    await resolvesWithin2Seconds(away.close());
    expect(away.healthy()).toBe(false);
  });
});
