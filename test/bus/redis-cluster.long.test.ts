import { describe, expect, test, vi } from 'vitest';
import type { Bus } from '../../src/bus/bus.ts';
import { createRedisBus } from '../../src/bus/redis-bus.ts';
import type { RedisBusOptions } from '../../src/bus/redis-options.ts';
import { slotCount, slotOf } from '../../src/bus/redis-slot.ts';
import { silentLog } from '../../src/log.ts';
import { closedAfterTest, connected, nextReconnect, randomPrefix, resolvesWithin2Seconds } from '../support/bus.ts';
import { type RedisClusterNode, startRedisCluster, type TestRedisCluster } from '../support/redis-cluster.ts';
import { hasRedisServer } from '../support/redis-server.ts';

const within2Seconds = { timeout: 2_000, interval: 20 };
const patience = { timeout: 20_000, interval: 20 };
const hasRedis = hasRedisServer();
const manyTopics = Array.from({ length: 300 }, (_, index) => `job:${index}`);

function openBus({ url }: TestRedisCluster, options: Partial<RedisBusOptions> = {}): Bus {
  return closedAfterTest(createRedisBus({ url, prefix: randomPrefix(), log: silentLog, ...options }));
}

/** What is bound at each node. */
async function boundTopics(nodes: RedisClusterNode[], prefix: string): Promise<string[][]> {
  const channels = await Promise.all(nodes.map(({ admin }) => admin().pubsub('SHARDCHANNELS', `${prefix}*`)));
  return channels.map((names) => names.map((name) => String(name).slice(prefix.length)).toSorted());
}

async function calls({ admin }: RedisClusterNode, command: string): Promise<number> {
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(await admin().info('commandstats'))?.[1] ?? 0);
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

/** A topic whose slot the node has. */
async function topicOf(cluster: TestRedisCluster, prefix: string, node: RedisClusterNode): Promise<string> {
  for (const topic of manyTopics) if ((await cluster.ownerOf(prefix + topic)) === node) return topic;
  throw new Error('None of the topics belongs to the node.');
}

/** As an operator moves a slot, with nothing in it. */
async function moveSlot(cluster: TestRedisCluster, slot: number, from: RedisClusterNode, to: RedisClusterNode): Promise<void> {
  const [giver, taker] = await Promise.all([from, to].map(({ admin }) => admin().cluster('MYID')));
  if (!giver || !taker) throw new Error('Both nodes have an id.');
  await to.admin().cluster('SETSLOT', slot, 'IMPORTING', giver);
  await from.admin().cluster('SETSLOT', slot, 'MIGRATING', taker);
  for (const node of [to, from, ...cluster.nodes.filter((other) => other !== to && other !== from)]) {
    await node.admin().cluster('SETSLOT', slot, 'NODE', taker);
  }
}

describe.runIf(hasRedis)('the bus on a Redis cluster', () => {
  test('messages reach the other processes, each through the one node of its topic', async () => {
    const cluster = await startRedisCluster(3);
    const prefix = randomPrefix();
    const [here, there] = await Promise.all([
      connected(openBus(cluster, { prefix })),
      connected(openBus(cluster, { prefix })),
    ]);
    const heard = await hear(there, manyTopics);

    for (const topic of manyTopics) here.publish(topic, 'a');
    await expectHeard(heard, manyTopics.map((topic) => `${topic} a`));

    const bound = await boundTopics(cluster.nodes, prefix);
    expect(bound.flat().toSorted()).toEqual(manyTopics.toSorted());
    expect(bound.filter((topics) => topics.length > 0)).toHaveLength(3);
    // No node was told of messages of another's.
    expect(await Promise.all(cluster.nodes.map((node) => calls(node, 'spublish')))).toEqual(bound.map(({ length }) => length));
    expect(here.stats()).toEqual({ topics: 0, published: 300, received: 0, dropped: 0, outages: 0 });
    expect(there.stats()).toEqual({ topics: 300, published: 0, received: 300, dropped: 0, outages: 0 });
  });

  test('a topic is one SSUBSCRIBE, however many listen, keeps its order, and is let go with the last of them', async () => {
    const cluster = await startRedisCluster(3);
    const prefix = randomPrefix();
    const bus = await connected(openBus(cluster, { prefix }));
    const owner = await cluster.ownerOf(`${prefix}work`);
    const heard: string[] = [];
    const messages = Array.from({ length: 1_000 }, (_, index) => String(index));

    const unsubscribes = await Promise.all(Array.from({ length: 100 }, () => bus.subscribe('work', () => {})));
    unsubscribes.push(await bus.subscribe('work', (message) => heard.push(message)));
    expect(await calls(owner, 'ssubscribe')).toBe(1);
    for (const message of messages) bus.publish('work', message);
    await vi.waitFor(() => expect(heard).toEqual(messages), patience);

    for (const unsubscribe of unsubscribes) unsubscribe();
    await vi.waitFor(async () => expect((await boundTopics(cluster.nodes, prefix)).flat()).toEqual([]), patience);
    expect(bus.stats().topics).toBe(0);
  });

  test('a channel has the slot that Redis says', async () => {
    const { nodes } = await startRedisCluster(1);
    const admin = nodes[0]?.admin();
    for (const channel of ['', 'a', '123456789', 'ü€😀', '{a}b', 'a{b}c{d}', '{}a', 'a{}{b}', 'a{b', 'a}b{c}', randomPrefix()]) {
      expect([channel, slotOf(channel)]).toEqual([channel, await admin?.cluster('KEYSLOT', channel)]);
    }
  });

  test('the other nodes serve on while one is down, and its topics are bound when it is back', async () => {
    const cluster = await startRedisCluster(3);
    const prefix = randomPrefix();
    const bus = await connected(openBus(cluster, { prefix }));
    const heard = await hear(bus, manyTopics);
    const before = await boundTopics(cluster.nodes, prefix);
    // Each in turn, the one that the URL names among them.
    for (const node of cluster.nodes) {
      const other = await topicOf(cluster, prefix, cluster.otherThan(node));
      const own = await topicOf(cluster, prefix, node);
      await node.stop();
      await vi.waitFor(() => expect(bus.healthy()).toBe(false), within2Seconds);
      await resolvesWithin2Seconds(bus.subscribe(own, () => {}));
      bus.publish(own, 'nobody is there');
      bus.publish(other, 'is well');
      await expectHeard(heard, [`${other} is well`]);

      const reconnected = nextReconnect(bus);
      await node.start();
      await reconnected;
      await connected(bus);
      heard.length = 0;
      for (const topic of manyTopics) bus.publish(topic, 'a');
      await expectHeard(heard, manyTopics.map((topic) => `${topic} a`));
      heard.length = 0;
    }
    expect(await boundTopics(cluster.nodes, prefix)).toEqual(before);
    // Of each node the one that listens and the one that publishes.
    expect(bus.stats()).toMatchObject({ dropped: 3, outages: 6 });
  }, 60_000);

  test('a frozen node is noticed within 2 seconds, delays nobody longer, and is used again when it thaws', async () => {
    const cluster = await startRedisCluster(3);
    const prefix = randomPrefix();
    const bus = await connected(openBus(cluster, { prefix }));
    const node = await cluster.ownerOf(`${prefix}before`);
    const other = await topicOf(cluster, prefix, cluster.otherThan(node));
    const heard = await hear(bus, ['before', other]);
    // In the slot of the first.
    const during = `{${prefix}before}`;
    const reconnected = nextReconnect(bus);

    node.freeze();
    await Promise.all([
      resolvesWithin2Seconds(bus.subscribe(during, () => {})),
      vi.waitFor(() => expect(bus.healthy()).toBe(false), within2Seconds),
    ]);
    bus.publish(other, 'is well');
    await expectHeard(heard, [`${other} is well`]);
    node.thaw();
    await reconnected;
    await connected(bus);

    bus.publish('before', 'thawed');
    await expectHeard(heard, [`${other} is well`, 'before thawed']);
  });

  test.for(['killed', 'frozen'])('the replica of a master that is %s gets its topics, and listeners are told', { timeout: 60_000 }, async (end) => {
    const cluster = await startRedisCluster(3, 1);
    const prefix = randomPrefix();
    const bus = await connected(openBus(cluster, { prefix }));
    const heard = await hear(bus, manyTopics);
    const [master, , , replica] = cluster.nodes;
    if (!master || !replica) throw new Error('The cluster is not whole.');
    const [own = []] = await boundTopics([master], prefix);
    const reconnected = nextReconnect(bus);

    if (end === 'killed') await master.stop();
    else master.freeze();
    await reconnected;
    await connected(bus);

    expect(own.length).toBeGreaterThan(0);
    expect(await boundTopics([replica], prefix)).toEqual([own]);
    for (const topic of manyTopics) bus.publish(topic, 'a');
    await expectHeard(heard, manyTopics.map((topic) => `${topic} a`));

    // Back as a replica of its replica, it changes nothing.
    heard.length = 0;
    if (end === 'killed') await master.start();
    else master.thaw();
    await vi.waitFor(async () => expect(await master.admin().info('replication')).toContain('role:slave'), patience);
    await connected(bus);
    for (const topic of manyTopics) bus.publish(topic, 'b');
    await expectHeard(heard, manyTopics.map((topic) => `${topic} b`));
  });

  test('a topic goes with its slot to another node and back, and listeners are told each time', async () => {
    const cluster = await startRedisCluster(3);
    const prefix = randomPrefix();
    const bus = await connected(openBus(cluster, { prefix }));
    const elsewhere = await connected(openBus(cluster, { prefix }));
    const heard = await hear(bus, ['work']);
    const from = await cluster.ownerOf(`${prefix}work`);
    const to = cluster.otherThan(from);
    const slot = slotOf(`${prefix}work`);

    for (const [one, other] of [[from, to], [to, from]] as const) {
      const reconnected = nextReconnect(bus);
      await moveSlot(cluster, slot, one, other);
      await reconnected;
      expect(await boundTopics([one, other], prefix)).toEqual([[], ['work']]);
      heard.length = 0;
      // It learns of the move by the first refusal.
      await vi.waitFor(() => {
        elsewhere.publish('work', 'moved');
        expect(heard).toContain('work moved');
      }, patience);
      await connected(elsewhere);
    }
  });

  test('a slot that leaves and comes back at once costs no topic', async () => {
    const cluster = await startRedisCluster(2);
    const prefix = randomPrefix();
    const bus = await connected(openBus(cluster, { prefix }));
    const heard = await hear(bus, ['work']);
    const from = await cluster.ownerOf(`${prefix}work`);
    const to = cluster.otherThan(from);
    const slot = slotOf(`${prefix}work`);
    const reconnected = nextReconnect(bus);

    await moveSlot(cluster, slot, from, to);
    await moveSlot(cluster, slot, to, from);
    await reconnected;
    await connected(bus);

    await vi.waitFor(async () => expect(await boundTopics([from, to], prefix)).toEqual([['work'], []]), patience);
    bus.publish('work', 'a');
    await expectHeard(heard, ['work a']);
  });

  test('a node that gave all of its slots away is left, and listeners are told when their topics are bound', async () => {
    const cluster = await startRedisCluster(2);
    const [left, right] = cluster.nodes;
    if (!left || !right) throw new Error('The cluster is not whole.');
    const prefix = randomPrefix();
    const bus = await connected(openBus(cluster, { prefix }));
    const heard = await hear(bus, manyTopics);
    // As it is told: who reads again then hears all that comes later.
    const boundWhenTold: Promise<string[][]>[] = [];
    bus.onReconnect(() => boundWhenTold.push(boundTopics([right], prefix)));

    // What the other one has it takes, as after a failover: the newer epoch is what the other obeys.
    await right.admin().cluster('DELSLOTSRANGE', 0, slotCount / 2 - 1);
    await right.admin().cluster('ADDSLOTSRANGE', 0, slotCount / 2 - 1);
    await right.admin().cluster('BUMPEPOCH');
    await vi.waitFor(async () => expect(String(await left.admin().client('LIST'))).not.toContain('longhaul-publisher'), patience);
    await connected(bus);

    expect(await boundWhenTold.at(-1)).toEqual([manyTopics.toSorted()]);
    for (const topic of manyTopics) bus.publish(topic, 'a');
    await expectHeard(heard, manyTopics.map((topic) => `${topic} a`));
  });

  test('a node that was cut off, and tells of the past, is not believed', async () => {
    const [past, cluster] = await Promise.all([startRedisCluster(1), startRedisCluster(3)]);
    const prefix = randomPrefix();
    const url = `${past.url},127.0.0.1:${cluster.nodes[0]?.port}`;
    const bus = await connected(openBus({ ...cluster, url }, { prefix }));
    await hear(bus, manyTopics);

    await vi.waitFor(async () => {
      const bound = await boundTopics(cluster.nodes, prefix);
      expect(bound.flat().toSorted()).toEqual(manyTopics.toSorted());
    }, patience);
    expect(await boundTopics(past.nodes, prefix)).toEqual([[]]);
    expect(String(await past.nodes[0]?.admin().client('LIST'))).not.toContain('longhaul-publisher');
  });

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
    // Until they have found each other again, which takes two seconds, the nodes refuse everything.
    const cluster = await startRedisCluster(3, 0, () => ['--cluster-allow-pubsubshard-when-down', 'no']);
    const [, second, third] = cluster.nodes;
    const url = `redis+cluster://127.0.0.1:1,127.0.0.1:${second?.port},127.0.0.1:${third?.port}`;
    const bus = await connected(openBus({ ...cluster, url }));
    const heard = await hear(bus, manyTopics);

    await Promise.all(cluster.nodes.map((node) => node.stop()));
    await vi.waitFor(() => expect(bus.healthy()).toBe(false), within2Seconds);
    const reconnected = nextReconnect(bus);
    await Promise.all(cluster.nodes.map((node) => node.start()));
    await reconnected;
    await connected(bus);

    for (const topic of manyTopics) bus.publish(topic, 'a');
    await expectHeard(heard, manyTopics.map((topic) => `${topic} a`));
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
