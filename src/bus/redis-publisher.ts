import type { Bus } from './bus.ts';
import type { RedisSideOptions } from './redis-options.ts';
import { isRefusal, openRedisConnection } from './redis-connection.ts';

/** Messages that await their reply. With more than that, Redis is not keeping up. */
const MAX_IN_FLIGHT = 10_000;

/** The connection that publishes. */
export function createRedisPublisher(options: RedisSideOptions): Pick<Bus, 'publish' | 'healthy' | 'close'> {
  const { prefix, onMissed, onHealthy } = options;
  let inFlight = 0;
  /** Whether Redis would not take the last message; tried again with each heartbeat. */
  let refused = false;

  const connection = openRedisConnection({
    ...options,
    name: 'publisher',
    onReady() {
      refused = false;
      onHealthy();
    },
    onLost: onMissed,
    onHeartbeat: () => void retryRefused(),
  });

  /** Never rejects. */
  async function send(channel: string, message: string): Promise<void> {
    inFlight += 1;
    try {
      await connection.client.publish(channel, message);
      refused = false;
    } catch (error) {
      onMissed();
      if (!isRefusal(error)) return;
      refused = true;
      connection.complain(error, `Redis refuses to publish. Allow its user the channels (ACL: &${prefix}*).`);
    } finally {
      inFlight -= 1;
    }
  }

  async function retryRefused(): Promise<void> {
    // To the bare prefix, which is no topic of anybody's.
    if (refused) await send(prefix, '');
    onHealthy();
  }

  return {
    publish(topic, message) {
      // Dropped rather than kept: a Redis that is slow or away must not fill our memory, and readers have a safety net.
      if (!connection.ready() || inFlight >= MAX_IN_FLIGHT) onMissed();
      else void send(prefix + topic, message);
    },
    healthy: () => connection.ready() && !refused,
    close: connection.close,
  };
}
