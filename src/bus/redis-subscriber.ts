import type { Bus } from './bus.ts';
import { Listeners } from './listeners.ts';
import type { RedisSideOptions } from './redis-options.ts';
import { isRefusal, openRedisConnection } from './redis-connection.ts';

interface Topic {
  listeners: Listeners<[string]>;
  /** Settles when Redis has answered the SUBSCRIBE, or cannot any more. Never rejects. */
  answered: Promise<boolean>;
}

/** Names in one SUBSCRIBE. */
const MAX_NAMES = 1_000;

/** The connection that listens. */
export function createRedisSubscriber(options: RedisSideOptions): Pick<Bus, 'subscribe' | 'healthy' | 'close'> {
  const { log, prefix, onMissed, onHealthy } = options;
  const topics = new Map<string, Topic>();
  /** Topics that Redis would not let us have; asked for again with each heartbeat. */
  const refused = new Set<string>();
  /** Whether the topics were made again on the present connection. */
  let restored = false;
  let closed = false;

  const connection = openRedisConnection({
    ...options,
    name: 'subscriber',
    onReady: () => void restore(),
    onLost() {
      restored = false;
      onMissed();
    },
    onHeartbeat: () => void retryRefused(),
  });

  connection.client.on('message', (channel, message) => {
    topics.get(channel.slice(prefix.length))?.listeners.call(message);
  });

  /**
   * Asks Redis for topics; resolves to whether it answered, with a yes or a no. The command leaves before this returns:
   * Redis obeys in the order of sending, so a SUBSCRIBE overtakes no UNSUBSCRIBE, and the last one sent is what holds.
   * Nor does it wait for ever: a connection without an answer is cut, which fails the command.
   */
  async function bind(names: string[]): Promise<boolean> {
    if (!connection.ready()) {
      onMissed();
      return false;
    }
    try {
      await connection.client.subscribe(...names.map((name) => prefix + name));
      for (const name of names) refused.delete(name);
      return true;
    } catch (error) {
      onMissed();
      // Without an answer the connection is gone, and the next one begins with all topics.
      if (!isRefusal(error)) return false;
      for (const name of names) if (topics.has(name)) refused.add(name);
      connection.complain(error, `Redis refuses to subscribe. Allow its user the channels (ACL: &${prefix}*).`);
      return true;
    }
  }

  async function restore(): Promise<void> {
    refused.clear();
    const names = [...topics.keys()];
    const answers: Promise<boolean>[] = [];
    for (let start = 0; start < names.length; start += MAX_NAMES) {
      const some = names.slice(start, start + MAX_NAMES);
      const answered = bind(some);
      answers.push(answered);
      for (const name of some) {
        const topic = topics.get(name);
        // Who subscribes from now on waits for this answer, not for that of the connection before.
        if (topic) topic.answered = answered;
      }
    }
    restored = (await Promise.all(answers)).every(Boolean);
    onHealthy();
  }

  async function retryRefused(): Promise<void> {
    if (refused.size > 0) await bind([...refused]);
    onHealthy();
  }

  function release(name: string): void {
    topics.delete(name);
    refused.delete(name);
    // It fails with the connection only, and then nothing is bound either.
    if (connection.ready()) connection.client.unsubscribe(prefix + name).catch(() => {});
  }

  return {
    async subscribe(name, listener) {
      if (closed) return () => {};
      const topic = topics.get(name) ?? { listeners: new Listeners(log), answered: bind([name]) };
      topics.set(name, topic);
      const remove = topic.listeners.add(listener);
      await topic.answered;
      return () => {
        remove();
        // By now the name may belong to a topic made after this one was let go.
        if (topic.listeners.size === 0 && topics.get(name) === topic) release(name);
      };
    },
    healthy: () => connection.ready() && restored && refused.size === 0,
    async close() {
      closed = true;
      topics.clear();
      refused.clear();
      await connection.close();
    },
  };
}
