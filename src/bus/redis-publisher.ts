import type { Bus } from './bus.ts';
import type { RedisSideOptions } from './redis-options.ts';
import { openRedisConnection, type RedisConnection } from './redis-connection.ts';
import { isMoved, isRefusal, refusalAdvice } from './redis-refusal.ts';

/** Messages that await their reply. With more than that, Redis is not keeping up. */
const MAX_IN_FLIGHT = 10_000;

interface RedisPublisher extends Pick<Bus, 'publish' | 'healthy' | 'close'> {
  connection: RedisConnection;
}

/** The connection that publishes. */
export function createRedisPublisher(options: RedisSideOptions): RedisPublisher {
  const { prefix, sharded, counts, onMissed, onMoved, onHealthy } = options;
  let inFlight = 0;
  /** The channel of the last message where Redis would not take it; tried again with each heartbeat. */
  let refused: string | undefined;

  const connection = openRedisConnection({
    ...options,
    name: 'publisher',
    onReady() {
      refused = undefined;
      onHealthy();
    },
    onLost() {
      counts.outages += 1;
      onMissed();
    },
    onHeartbeat: () => void retryRefused(),
  });

  /** Resolves to whether Redis took it. Never rejects. */
  async function send(channel: string, message: string): Promise<boolean> {
    inFlight += 1;
    try {
      await (sharded ? connection.client.spublish(channel, message) : connection.client.publish(channel, message));
      refused = undefined;
      return true;
    } catch (error) {
      onMissed();
      if (sharded && isMoved(error)) {
        // Another node takes the channel now, and this one is well.
        refused = undefined;
        onMoved();
      } else if (isRefusal(error)) {
        refused ??= channel;
        connection.complain(error, `Redis refuses to publish. ${refusalAdvice(error, prefix)}`);
      }
      return false;
    } finally {
      inFlight -= 1;
    }
  }

  async function sendMessage(channel: string, message: string): Promise<void> {
    if (await send(channel, message)) counts.published += 1;
    else counts.dropped += 1;
  }

  async function retryRefused(): Promise<void> {
    // No topic of anybody's; the braces put it into the slot of the refused channel, or another node would be asked.
    if (refused !== undefined) await send(`${prefix}{${refused}}`, '');
    onHealthy();
  }

  function drop(): void {
    counts.dropped += 1;
    onMissed();
  }

  return {
    publish(topic, message) {
      // Dropped rather than kept: a Redis that is slow or away must not fill our memory, and readers have a safety net.
      if (!connection.ready() || inFlight >= MAX_IN_FLIGHT) return drop();
      void sendMessage(prefix + topic, message);
    },
    healthy: () => connection.ready() && refused === undefined,
    close: connection.close,
    connection,
  };
}
