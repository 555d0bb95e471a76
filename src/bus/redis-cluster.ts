import { Cluster } from 'ioredis';
import type { Log } from '../log.ts';
import { clientOptions, retryDelay, type RedisServers } from './redis-connection.ts';
import type { ScriptRunner } from './redis-counter.ts';
import { clusterAdvice, createComplaints, isRefusal } from './redis-refusal.ts';
import type { RedisAccess, RedisAddress } from './redis-url.ts';

export interface RedisClusterOptions {
  /** Some nodes of the cluster; at least one. */
  seeds: readonly RedisAddress[];
  access: RedisAccess;
  log: Log;
  /** Called when the nodes are known, and when no seed answers: connecting to them then shows why. */
  onOpen(): void;
}

const REFRESH_MS = 5_000;
/** A node that only lost its connection is on the list again after the next refresh. */
const GONE_MS = 2 * REFRESH_MS;
/** A frozen node must not hold up the requests that are counted there. */
const COMMAND_MS = 500;
const PAUSE_MS = 2_000;

/**
 * Knows the nodes of a cluster, and counts at the node of each key, by ioredis' Cluster. Messages go through one node by a
 * connection of our own, since the cluster broadcasts a plain PUBLISH: Cluster publishes through a random node each time,
 * which loses the order; and its ClusterSubscriber does not notice a frozen node, forgets its topics when the node that it
 * turns to fails as well, and does not tell when they are bound again.
 */
export function createRedisCluster({ seeds, access, log, onOpen }: RedisClusterOptions): RedisServers & ScriptRunner & { close(): void } {
  const gone = new Map<string, number>();
  let pausedUntil = 0;
  const complaints = createComplaints(log, access, () => ({ connection: 'cluster' }));
  const client = new Cluster([...seeds], {
    // The bus is of use while a shard is down.
    enableReadyCheck: false,
    // ioredis 6.0.0 has no default for it, although its types name one.
    slotsRefreshInterval: REFRESH_MS,
    clusterRetryStrategy: retryDelay,
    // A name stays a name: the certificate is for it.
    dnsLookup: (host, callback) => callback(null, host),
    redisOptions: { ...clientOptions(access, 'cluster'), family: access.family, commandTimeout: COMMAND_MS },
  });
  client.on('error', (error: unknown) => {
    // ClusterAllFailedError holds the answer of the last node.
    const reason = error instanceof Error && 'lastNodeError' in error ? error.lastNodeError : error;
    if (isRefusal(reason)) complaints.tell(reason, clusterAdvice(reason, access));
    else onOpen();
  });
  client.on('ready', () => {
    complaints.forget();
    onOpen();
  });
  client.on('+node', ({ options }) => gone.delete(nameOf(options)));
  client.on('-node', ({ options }) => gone.set(nameOf(options), Date.now()));

  return {
    addresses() {
      const nodes = client.nodes().map(({ options: { host = '', port = 0 } }) => ({ host, port }));
      const names = new Set(nodes.map(nameOf));
      return [...nodes, ...seeds.filter((seed) => !names.has(nameOf(seed)))];
    },
    hasLeft(address) {
      const since = gone.get(nameOf(address));
      return since !== undefined && client.status === 'ready' && Date.now() - since > GONE_MS;
    },
    client: {
      async eval(...parameters) {
        try {
          return await client.eval(...parameters);
        } catch (error) {
          if (!isRefusal(error)) pausedUntil = Date.now() + PAUSE_MS;
          throw error;
        }
      },
    },
    ready: () => client.status === 'ready' && Date.now() >= pausedUntil,
    complain: complaints.tell,
    close: () => client.disconnect(),
  };
}

function nameOf({ host, port }: { host?: string | undefined; port?: number | undefined }): string {
  return `${host}:${port}`;
}
