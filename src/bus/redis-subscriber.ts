import type { Bus } from './bus.ts';
import { Listeners } from './listeners.ts';
import type { RedisSideOptions } from './redis-options.ts';
import { openRedisConnection } from './redis-connection.ts';
import { isMoved, isRefusal, refusalAdvice, refusalReason } from './redis-refusal.ts';
import { slotOf } from './redis-slot.ts';

interface Topic {
  listeners: Listeners<[string]>;
  /** Settles when Redis has answered the SUBSCRIBE, or cannot any more. Never rejects. */
  answered: Promise<boolean>;
}

/** Names in one SUBSCRIBE. */
const MAX_NAMES = 1_000;

interface RedisSubscriber extends Pick<Bus, 'subscribe' | 'healthy' | 'close'> {
  /** Topics that are bound here, or are to be. */
  topicCount(): number;
}

/** The connection that listens. */
export function createRedisSubscriber(options: RedisSideOptions): RedisSubscriber {
  const { log, prefix, sharded, counts, onMissed, onMoved, onHealthy } = options;
  const topics = new Map<string, Topic>();
  /** Topics that Redis would not let us have; asked for again with each heartbeat. */
  const refused = new Set<string>();
  /** Whether the topics were made again on the present connection. */
  let restored = false;
  /** Notices that a slot has left the node, which do not say of which topics; all are asked for again. */
  let taken = 0;
  let closed = false;

  const connection = openRedisConnection({
    ...options,
    name: 'subscriber',
    onReady: () => void restore(),
    onLost() {
      restored = false;
      counts.outages += 1;
      onMissed();
    },
    onHeartbeat: () => void retry(),
  });

  connection.client.on(sharded ? 'smessage' : 'message', (channel: string, message: string) => {
    const topic = topics.get(channel.slice(prefix.length));
    if (!topic) return;
    counts.received += 1;
    topic.listeners.call(message);
  });
  // ioredis' name for two things: Redis takes a subscription away with its slot, and a SSUBSCRIBE is answered MOVED.
  connection.client.on('moved', () => {
    if (closed) return;
    taken += 1;
    onMissed();
    onMoved();
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
    const channels = names.map((name) => prefix + name);
    try {
      await (sharded ? connection.client.ssubscribe(...channels) : connection.client.subscribe(...channels));
      for (const name of names) refused.delete(name);
      return true;
    } catch (error) {
      onMissed();
      // Without an answer the connection is gone, and the next one begins with all topics.
      if (!isRefusal(error)) return false;
      // Known by its answer: here nothing was taken away.
      if (isMoved(error)) taken -= 1;
      for (const name of names) if (topics.has(name)) refused.add(name);
      connection.complain(refusalReason(error), `Redis refuses to subscribe. ${refusalAdvice(error, prefix)}`);
      return true;
    }
  }

  async function restore(): Promise<void> {
    refused.clear();
    taken = 0;
    const answers: Promise<boolean>[] = [];
    for (const names of commands(topics.keys())) {
      const answered = bind(names);
      answers.push(answered);
      for (const name of names) {
        const topic = topics.get(name);
        // Who subscribes from now on waits for this answer, not for that of the connection before.
        if (topic) topic.answered = answered;
      }
    }
    restored = (await Promise.all(answers)).every(Boolean);
    onHealthy();
  }

  async function retry(): Promise<void> {
    if (taken > 0) return restore();
    await Promise.all(commands(refused).map(bind));
    onHealthy();
  }

  /** Names that go into one command: not too many, and on a cluster those of one slot, or Redis refuses it. */
  function commands(names: Iterable<string>): string[][] {
    const groups = sharded ? Map.groupBy(names, (name) => slotOf(prefix + name)).values() : [[...names]];
    return [...groups].flatMap((group) =>
      Array.from({ length: Math.ceil(group.length / MAX_NAMES) }, (_, index) =>
        group.slice(index * MAX_NAMES, (index + 1) * MAX_NAMES),
      ),
    );
  }

  function release(name: string): void {
    topics.delete(name);
    refused.delete(name);
    // It fails with the connection only, and then nothing is bound either.
    if (!connection.ready()) return;
    const { client } = connection;
    (sharded ? client.sunsubscribe(prefix + name) : client.unsubscribe(prefix + name)).catch(() => {});
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
    topicCount: () => topics.size,
    healthy: () => connection.ready() && restored && refused.size === 0 && taken <= 0,
    async close() {
      closed = true;
      topics.clear();
      refused.clear();
      await connection.close();
    },
  };
}
