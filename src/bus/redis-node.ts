import type { Bus } from './bus.ts';
import type { RedisConnection } from './redis-connection.ts';
import type { RedisNodeOptions } from './redis-options.ts';
import { createRedisPublisher } from './redis-publisher.ts';
import { createRedisSubscriber } from './redis-subscriber.ts';

/** One Redis server: a connection that listens and one that publishes. */
export interface RedisNode extends Pick<Bus, 'subscribe' | 'publish' | 'healthy' | 'close'> {
  /** Topics that are bound here, or are to be. */
  topicCount(): number;
  /** The connection that publishes, which takes other commands too. */
  connection: RedisConnection;
}

/**
 * Connects in the background, and keeps the process alive until it is closed. `onRestored` is called after messages may
 * have been lost, once all topics are bound again and messages can be sent.
 */
export function createRedisNode({ onRestored, ...options }: RedisNodeOptions & { onRestored(): void }): RedisNode {
  let missed = false;

  const onMissed = () => {
    missed = true;
  };
  // Both connections end and come back together as a rule; who listens is told once, when both are there.
  const onHealthy = () => {
    if (!missed || !healthy()) return;
    missed = false;
    onRestored();
  };
  const subscriber = createRedisSubscriber({ ...options, onMissed, onHealthy });
  const publisher = createRedisPublisher({ ...options, onMissed, onHealthy });

  function healthy(): boolean {
    return subscriber.healthy() && publisher.healthy();
  }

  return {
    subscribe: subscriber.subscribe,
    topicCount: subscriber.topicCount,
    publish: publisher.publish,
    connection: publisher.connection,
    healthy,
    async close() {
      await Promise.all([subscriber.close(), publisher.close()]);
    },
  };
}
