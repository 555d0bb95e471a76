import { setTimeout } from 'node:timers/promises';
import { openRedisConnection } from './redis-connection.ts';
import { createRedisNode, type RedisNode } from './redis-node.ts';
import type { RedisSharedOptions } from './redis-options.ts';
import { slotCount } from './redis-slot.ts';
import { readTopology, type RedisTopology } from './redis-topology.ts';
import type { RedisAddress } from './redis-url.ts';

/** The masters of a cluster, each with its connections, as they come and go. */
export interface RedisCluster {
  /** The master of a slot; undefined while none is known. */
  nodeOf(slot: number): RedisNode | undefined;
  /** Whether each slot has a master, and each master is well. */
  healthy(): boolean;
  close(): Promise<void>;
}

export interface RedisClusterOptions extends RedisSharedOptions {
  /** Asked for the layout, besides the masters that are known; at least one. */
  seeds: readonly RedisAddress[];
  /** Slots may have other masters now. Those that are none any more are closed right after. */
  onLayout(): void;
  /** A node is well again, after messages through it may have been lost. */
  onRestored(): void;
  /** Called twice a second. */
  onTick(): void;
}

const TICK_MS = 500;
/** Between two rounds of asking: while nodes disagree, each refused message would ask all of them at once. */
const ROUND_MS = 100;
/** The layout is asked for with each of so many ticks; with every one while something is wrong. */
const TICKS_WHILE_HEALTHY = 10;

/**
 * Keeps to the masters of a cluster without ioredis' Cluster, which notices a frozen node by TCP alone, loses a shard's
 * subscription when its SSUBSCRIBE fails after a reset, and tells nobody when topics are bound again. Here every node is
 * a `RedisNode`, with the watch over silence that a single Redis has. Throws nothing.
 */
export function createRedisCluster(options: RedisClusterOptions): RedisCluster {
  const { seeds, log } = options;
  let nodes = new Map<string, { address: RedisAddress; node: RedisNode }>();
  /** By slot. */
  let masters: (RedisNode | undefined)[] = [];
  let covered = 0;
  let asking = false;
  /** Whether the layout may have changed since it was asked for. */
  let stale = false;
  let ticks = 0;
  let closed = false;

  // Kept open: they find the cluster again after all of its nodes got other addresses.
  const scouts = seeds.map((address) => ({
    address,
    connection: openRedisConnection({
      ...options,
      address,
      name: 'scout',
      onReady: refresh,
      onLost() {},
      onHeartbeat() {},
    }),
  }));

  /** One at a time; a call during another one leads to one more. */
  function refresh(): void {
    stale = true;
    if (!asking) void ask();
  }

  /** Never rejects. */
  async function ask(): Promise<void> {
    asking = true;
    while (stale) {
      stale = false;
      const known = [...nodes.values()].map(({ address, node: { connection } }) => ({ address, connection }));
      // All of them: a node that was cut off from the others goes on telling of the past, with a lower epoch.
      const ready = [...scouts, ...known].filter(({ connection }) => connection.ready());
      const answers = await Promise.all(ready.map(({ address, connection }) => readTopology(connection, address)));
      const newest = answers.reduce((best, next) => (next && next.epoch > (best?.epoch ?? -1) ? next : best), undefined);
      if (closed) return;
      if (newest) adopt(newest);
      await setTimeout(ROUND_MS);
    }
    asking = false;
  }

  function adopt({ ranges }: RedisTopology): void {
    const former = nodes;
    nodes = new Map();
    masters = Array.from({ length: slotCount });
    for (const { first, last, master } of ranges) {
      const name = `${master.host}:${master.port}`;
      const entry = nodes.get(name) ?? former.get(name) ?? { address: master, node: open(master) };
      nodes.set(name, entry);
      masters.fill(entry.node, first, last + 1);
    }
    covered = masters.filter(Boolean).length;
    const gone = [...former].filter(([name]) => !nodes.has(name));
    if (former.size !== nodes.size || gone.length > 0) {
      log.info({ masters: [...nodes.keys()], slots: covered }, 'The Redis cluster has these masters now.');
    }
    options.onLayout();
    for (const [, { node }] of gone) void node.close();
  }

  function open(address: RedisAddress): RedisNode {
    return createRedisNode({ ...options, address, sharded: true, onMoved: refresh });
  }

  function healthy(): boolean {
    return covered === slotCount && nodes.values().every(({ node }) => node.healthy());
  }

  const tick = setInterval(() => {
    ticks += 1;
    if (ticks % TICKS_WHILE_HEALTHY === 0 || !healthy()) refresh();
    options.onTick();
  }, TICK_MS);

  return {
    nodeOf: (slot) => masters[slot],
    healthy,
    async close() {
      closed = true;
      clearInterval(tick);
      const connections = [...scouts.map(({ connection }) => connection), ...nodes.values().map(({ node }) => node)];
      await Promise.all(connections.map((connection) => connection.close()));
    },
  };
}
