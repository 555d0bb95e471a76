import type { Bus } from './bus.ts';
import { Listeners } from './listeners.ts';
import type { RedisBusOptions } from './redis-options.ts';
import { createRedisPublisher } from './redis-publisher.ts';
import { createRedisSubscriber } from './redis-subscriber.ts';

/**
 * The bus between processes, on Redis pub/sub: one connection that listens, one that publishes. Connects in the
 * background, and keeps the process alive until it is closed. While Redis is away, messages are dropped, not kept:
 * who listens reads the database again when it is back.
 *
 * @throws Error when the URL cannot be read.
 */
export function createRedisBus(options: RedisBusOptions): Bus {
  const reconnectListeners = new Listeners<[]>(options.log);
  let missed = false;

  const onMissed = () => {
    missed = true;
  };
  // Both connections end and come back together as a rule; who listens is told once, when both are there.
  const onHealthy = () => {
    if (!missed || !healthy()) return;
    missed = false;
    reconnectListeners.call();
  };
  const subscriber = createRedisSubscriber({ ...options, onMissed, onHealthy });
  const publisher = createRedisPublisher({ ...options, onMissed, onHealthy });

  function healthy(): boolean {
    return subscriber.healthy() && publisher.healthy();
  }

  return {
    subscribe: subscriber.subscribe,
    publish: publisher.publish,
    onReconnect: (listener) => reconnectListeners.add(listener),
    healthy,
    async close() {
      await Promise.all([subscriber.close(), publisher.close()]);
    },
  };
}
