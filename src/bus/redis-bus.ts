import type { Bus } from './bus.ts';
import { Listeners } from './listeners.ts';
import type { SharedCounter } from '../rate-limit/rate-limiter.ts';
import { createRedisClusterBus } from './redis-cluster-bus.ts';
import { createRedisCounter } from './redis-counter.ts';
import { createRedisNode } from './redis-node.ts';
import type { RedisBusOptions, RedisSharedOptions } from './redis-options.ts';
import { parseRedisUrl, redisUrlForm, type RedisAddress } from './redis-url.ts';

/** Redis as the processes of an installation use it. */
export interface RedisBus extends Bus {
  /** Counts in which all processes share; rejects while Redis is away. */
  counter: SharedCounter;
}

/**
 * The bus between processes, on Redis pub/sub. Connects in the background, and keeps the process alive until it is
 * closed. While Redis is away, messages are dropped, not kept: who listens reads the database again when it is back.
 *
 * @throws Error when the URL cannot be read.
 */
export function createRedisBus({ url, prefix, log }: RedisBusOptions): RedisBus {
  const target = parseRedisUrl(url);
  const [address] = target?.addresses ?? [];
  // Without a cause, and without the URL: its password is somewhere in it.
  if (!target || !address) throw new Error(`REDIS_URL cannot be read. Write ${redisUrlForm}.`);
  const counts = { published: 0, received: 0, dropped: 0, outages: 0 };
  const shared: RedisSharedOptions = { access: target.access, prefix, log, counts };
  return target.cluster
    ? createRedisClusterBus({ ...shared, seeds: target.addresses })
    : createSingleRedisBus({ ...shared, address });
}

function createSingleRedisBus(options: RedisSharedOptions & { address: RedisAddress }): RedisBus {
  const reconnectListeners = new Listeners<[]>(options.log);
  const node = createRedisNode({
    ...options,
    sharded: false,
    onMoved() {},
    onRestored: () => reconnectListeners.call(),
  });
  return {
    subscribe: node.subscribe,
    publish: node.publish,
    onReconnect: (listener) => reconnectListeners.add(listener),
    healthy: node.healthy,
    stats: () => ({ topics: node.topicCount(), ...options.counts }),
    counter: createRedisCounter(() => node),
    close: node.close,
  };
}
