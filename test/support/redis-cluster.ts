import { Redis } from 'ioredis';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished, vi } from 'vitest';
import { createRedisServer, freePort, type RedisServer } from './redis-server.ts';

/** A Redis cluster for the test, removed after it. */
export interface TestRedisCluster {
  /** A REDIS_URL that names only the first master. */
  url: string;
  nodes: RedisClusterNode[];
  /** The node that serves a channel's slot, according to the first running node. */
  ownerOf(channel: string): Promise<RedisClusterNode>;
  /** Any node except these, master or replica. */
  otherThan(...nodes: RedisClusterNode[]): RedisClusterNode;
}

export interface RedisClusterNode extends RedisServer {
  /** An admin client of the node. It is replaced when the node is stopped. */
  admin(): Redis;
}

/** Of any Redis cluster. */
export const slotCount = 16_384;
const patience = { timeout: 20_000, interval: 20 };

/**
 * Starts a number of masters that share the slots, and replicas for each. Resolves when all nodes agree.
 * @param flags further flags for the node with an index
 */
export async function startRedisCluster(
  masters: number,
  replicas = 0,
  flags: (index: number) => string[] = () => [],
): Promise<TestRedisCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'longhaul-redis-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const nodes = await Promise.all(
    Array.from({ length: masters * (1 + replicas) }, (_, index) => createNode(folder, flags(index))),
  );
  await Promise.all(nodes.map((node) => node.start()));
  const [first] = nodes;
  if (!first) throw new Error('A cluster has at least one master.');

  await Promise.all(
    nodes.slice(0, masters).map(async ({ admin }, index) => {
      const from = Math.ceil((index * slotCount) / masters);
      const to = Math.ceil(((index + 1) * slotCount) / masters) - 1;
      await admin().cluster('SET-CONFIG-EPOCH', index + 1);
      await admin().cluster('ADDSLOTSRANGE', from, to);
    }),
  );
  for (const { port, busPort } of nodes.slice(1)) await first.admin().cluster('MEET', '127.0.0.1', port, busPort);
  await vi.waitFor(() => expectInfo(nodes, 'cluster_known_nodes', nodes.length), patience);
  await Promise.all(
    nodes.slice(masters).map(async ({ admin }, index) => {
      const master = await nodes[index % masters]?.admin().cluster('MYID');
      // A node in handshake is counted, but its id is not known yet.
      await vi.waitFor(() => admin().cluster('REPLICATE', master ?? ''), patience);
    }),
  );
  // Do not wait for the state `ok`, which comes two seconds later: channels work before.
  await vi.waitFor(() => expectInfo(nodes, 'cluster_slots_assigned', slotCount), patience);
  for (const { admin } of nodes.slice(masters)) {
    await vi.waitFor(async () => {
      const info = await admin().info('replication');
      if (!info.includes('master_link_status:up')) throw new Error('A replica has not found its master.');
    }, patience);
  }

  return {
    url: first.url.replace('redis://', 'redis+cluster://'),
    nodes,
    async ownerOf(channel) {
      const running = nodes.find((node) => node.running()) ?? first;
      const slot = await running.admin().cluster('KEYSLOT', channel);
      const ranges = await running.admin().cluster('SLOTS');
      const [, , [, port] = []] = ranges.find(([from, to]) => from <= slot && slot <= to) ?? [];
      const owner = nodes.find((node) => node.port === port);
      if (!owner) throw new Error(`The slot of ${channel} belongs to nobody.`);
      return owner;
    },
    otherThan(...others) {
      const other = nodes.find((node) => !others.includes(node));
      if (!other) throw new Error('The cluster has no further node.');
      return other;
    },
  };
}

async function createNode(folder: string, flags: string[]): Promise<RedisClusterNode & { busPort: number }> {
  const busPort = await freePort();
  const server = await createRedisServer(
    ...`--cluster-enabled yes --cluster-port ${busPort} --cluster-config-file nodes-${busPort}.conf`.split(' '),
    // How long a node may be silent before its replica takes over, in milliseconds.
    ...'--cluster-node-timeout 1000 --repl-diskless-sync-delay 0 --dir'.split(' '),
    folder,
    ...flags,
  );
  onTestFinished(() => server.stop());
  let client: Redis | undefined;
  const admin = () => {
    if (client && client.status !== 'end') return client;
    const opened = new Redis(server.url, { retryStrategy: () => null }).on('error', () => {});
    client = opened;
    onTestFinished(() => opened.disconnect());
    return opened;
  };
  return { ...server, busPort, admin };
}

async function expectInfo(nodes: RedisClusterNode[], field: string, value: string | number): Promise<void> {
  const infos = await Promise.all(nodes.map(({ admin }) => admin().cluster('INFO')));
  if (infos.every((info) => info.includes(`${field}:${value}\r\n`))) return;
  throw new Error(`Not all nodes have ${field}:${value} yet.`);
}
