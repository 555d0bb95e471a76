import type { Unsubscribe } from './bus.ts';
import { Listeners } from './listeners.ts';
import type { RedisBus } from './redis-bus.ts';
import { createRedisCounter } from './redis-counter.ts';
import { createRedisCluster, type RedisClusterOptions } from './redis-cluster.ts';
import type { RedisNode } from './redis-node.ts';
import { slotOf } from './redis-slot.ts';

interface Topic {
  name: string;
  slot: number;
  listeners: Listeners<[string]>;
  /** Where it is bound, or about to be. */
  node: RedisNode | undefined;
  /** Settles when the node has answered, or cannot. Never rejects. */
  bound: Promise<Unsubscribe>;
}

/**
 * The bus on a Redis cluster, by sharded pub/sub: a topic lives on the one node that has its slot, and so its messages
 * load no other. Topics go where their slots go. A node that is away keeps its topics silent and no others.
 */
export function createRedisClusterBus(
  options: Omit<RedisClusterOptions, 'onLayout' | 'onRestored' | 'onTick'>,
): RedisBus {
  const { prefix, log, counts } = options;
  const reconnectListeners = new Listeners<[]>(log);
  const topics = new Map<string, Topic>();
  /** Whether a message was dropped, or a topic not bound, for want of a node. */
  let missed = false;
  /** Moves of topics whose new nodes have not answered yet. */
  let moves = 0;
  let closed = false;

  const cluster = createRedisCluster({
    ...options,
    onLayout: () => void moveTopics(),
    onRestored: () => reconnectListeners.call(),
    onTick() {
      if (missed && healthy()) tellMissed();
    },
  });

  function tellMissed(): void {
    missed = false;
    reconnectListeners.call();
  }

  function bind(topic: Topic): void {
    const former = topic.bound;
    topic.node = cluster.nodeOf(topic.slot);
    if (topic.node) {
      topic.bound = topic.node.subscribe(topic.name, (message) => topic.listeners.call(message));
    } else {
      missed = true;
      topic.bound = Promise.resolve(() => {});
    }
    // After the new one, so that no message falls between where both are the same node.
    void former.then((unbind) => unbind());
  }

  async function moveTopics(): Promise<void> {
    const moved = [...topics.values()].filter(({ node, slot }) => node !== cluster.nodeOf(slot));
    if (moved.length === 0) return;
    moves += 1;
    for (const topic of moved) bind(topic);
    await Promise.all(moved.map(({ bound }) => bound));
    moves -= 1;
    // A node that is not well tells for itself, once it is.
    if (!closed && moved.some(({ node }) => node?.healthy())) tellMissed();
  }

  function healthy(): boolean {
    return !closed && moves === 0 && cluster.healthy();
  }

  function addTopic(name: string): Topic {
    const topic: Topic = {
      name,
      slot: slotOf(prefix + name),
      listeners: new Listeners(log),
      node: undefined,
      bound: Promise.resolve(() => {}),
    };
    topics.set(name, topic);
    bind(topic);
    return topic;
  }

  return {
    async subscribe(name, listener) {
      if (closed) return () => {};
      const topic = topics.get(name) ?? addTopic(name);
      const remove = topic.listeners.add(listener);
      await topic.bound;
      return () => {
        remove();
        // By now the name may belong to a topic made after this one was let go.
        if (topic.listeners.size > 0 || topics.get(name) !== topic) return;
        topics.delete(name);
        void topic.bound.then((unbind) => unbind());
      };
    },

    publish(name, message) {
      if (closed) return;
      const node = cluster.nodeOf(slotOf(prefix + name));
      if (node) return node.publish(name, message);
      counts.dropped += 1;
      missed = true;
    },

    onReconnect: (listener) => reconnectListeners.add(listener),
    healthy,
    counter: createRedisCounter((key) => cluster.nodeOf(slotOf(key))),
    stats: () => ({ topics: topics.size, ...counts }),

    async close() {
      closed = true;
      topics.clear();
      await cluster.close();
    },
  };
}
