import { Cluster } from 'ioredis';
import type { Log } from '../log.ts';
import { clientOptions, retryDelay, type RedisServers } from './redis-connection.ts';
import type { ScriptRunner } from './redis-counter.ts';
import { clusterAdvice, createComplaints, isRefusal } from './redis-refusal.ts';
import type { RedisAccess, RedisAddress } from './redis-url.ts';

interface RedisClusterOptions {
  /** Some nodes of the cluster, at least one. */
  seeds: readonly RedisAddress[];
  access: RedisAccess;
  log: Log;
  /** Called when the nodes are known. Also called when no seed answers: the connection attempts then report why. */
  onOpen(): void;
}

const REFRESH_MS = 5_000;
/** After this long a node counts as gone. One that only lost its connection is back in the list after the next refresh. */
const GONE_MS = 2 * REFRESH_MS;
/** Timeout of a command, so that a frozen node does not delay the requests that are counted there. */
const COMMAND_MS = 500;
const PAUSE_MS = 2_000;

/**
 * Keeps track of a cluster's nodes with ioredis' Cluster, and counts at the node of each key. Messages use our own connection
 * to a single node, because the cluster broadcasts a plain PUBLISH to all nodes. Cluster is not used for them: it publishes
 * through a random node each time, which loses the order. Its ClusterSubscriber does not notice a frozen node, forgets its
 * topics if the node that it fails over to fails as well, and does not report when they are subscribed again.
 */
export function createRedisCluster({ seeds, access, log, onOpen }: RedisClusterOptions): RedisServers & ScriptRunner & { close(): void } {
  const gone = new Map<string, number>();
  let pausedUntil = 0;
  const complaints = createComplaints(log, access, () => ({ connection: 'cluster' }));
  const client = new Cluster([...seeds], {
    // The bus still works while a shard is down.
    enableReadyCheck: false,
    // ioredis 6.0.0 has no default for this, although its types say so.
    slotsRefreshInterval: REFRESH_MS,
    clusterRetryStrategy: retryDelay,
    // Keep the host name, because the certificate is issued for it.
    dnsLookup: (host, callback) => callback(null, host),
    redisOptions: { ...clientOptions(access, 'cluster'), family: access.family, commandTimeout: COMMAND_MS },
  });
  client.on('error', (error: unknown) => {
    // ClusterAllFailedError carries the error of the last node.
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
