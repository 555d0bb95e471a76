import type { Log } from '../log.ts';
import type { Bus } from './bus.ts';
import { Listeners } from './listeners.ts';
import { createRedisCluster } from './redis-cluster.ts';
import { createRedisConnection } from './redis-connection.ts';
import { createRedisCounter, type SharedCounter } from './redis-counter.ts';
import { isRefusal } from './redis-refusal.ts';
import { parseRedisUrl, redisUrlForm } from './redis-url.ts';

export interface RedisBusOptions {
  /** As `parseRedisUrl` takes it. */
  url: string;
  /** Put before every topic. All databases of a Redis share one space of channels: the prefix keeps installations apart. */
  prefix: string;
  log: Log;
}

export interface RedisBus extends Bus {
  /** Counts that all processes share; rejects while Redis is away. */
  counter: SharedCounter;
}

interface Topic {
  listeners: Listeners<[string]>;
  /** Settles when Redis has answered the SUBSCRIBE, or cannot any more. Never rejects. */
  answered: Promise<void>;
}

/** Names in one SUBSCRIBE. */
const MAX_NAMES = 1_000;
/** Messages that await their reply. With more than that, Redis is not keeping up. */
const MAX_IN_FLIGHT = 10_000;

/**
 * The bus between processes, on Redis pub/sub. Connects in the background, and keeps the process alive until it is closed.
 *
 * @throws Error when the URL cannot be read.
 */
export function createRedisBus({ url, prefix, log }: RedisBusOptions): RedisBus {
  const target = parseRedisUrl(url);
  // Neither a cause nor the URL, which holds a password.
  if (!target) throw new Error(`REDIS_URL cannot be read. Write ${redisUrlForm}.`);
  const { access, addresses } = target;
  const channelAdvice = `Allow its user the channels (ACL: &${prefix}*).`;
  const counts = { published: 0, received: 0, dropped: 0, outages: 0 };
  const reconnectListeners = new Listeners<[]>(log);
  const topics = new Map<string, Topic>();
  /** Topics that Redis has not acknowledged on this connection, or has refused; asked for again with each heartbeat. */
  const unbound = new Set<string>();
  let inFlight = 0;
  /** Whether Redis refused the last message. */
  let refused = false;
  /** Whether a message may have been lost since the listeners were last told. */
  let missed = false;
  let closed = false;

  const cluster = target.cluster ? createRedisCluster({ seeds: addresses, access, log, onOpen: open }) : undefined;
  const shared = {
    servers: cluster ?? { addresses: () => addresses, hasLeft: () => false },
    access,
    log,
    onLost() {
      counts.outages += 1;
      missed = true;
    },
  };
  const subscriber = createRedisConnection({
    ...shared,
    name: 'subscriber',
    onReady() {
      for (const name of topics.keys()) unbound.add(name);
      void bindAll();
    },
    onHeartbeat: () => void bindAll(),
  });
  const publisher = createRedisConnection({
    ...shared,
    name: 'publisher',
    onReady() {
      refused = false;
      tellMissed();
    },
    onHeartbeat: () => void probe(),
  });
  if (!cluster) open();

  subscriber.client.on('message', (channel: string, message: string) => {
    const topic = topics.get(channel.slice(prefix.length));
    if (!topic) return;
    counts.received += 1;
    topic.listeners.call(message);
  });

  function open(): void {
    subscriber.open();
    publisher.open();
  }

  function healthy(): boolean {
    return subscriber.ready() && unbound.size === 0 && publisher.ready() && !refused;
  }

  /** The two connections usually end and come back together: listeners are told once, when both are there. */
  function tellMissed(): void {
    if (!missed || !healthy()) return;
    missed = false;
    reconnectListeners.call();
  }

  /**
   * The command is sent before this returns. Redis answers in the order of sending, so a SUBSCRIBE overtakes no
   * UNSUBSCRIBE, and the last one sent is what holds. A connection that does not answer is cut, which fails the command.
   */
  async function bind(names: string[]): Promise<void> {
    if (!subscriber.ready()) {
      missed = true;
      return;
    }
    try {
      await subscriber.client.subscribe(...names.map((name) => prefix + name));
      for (const name of names) unbound.delete(name);
    } catch (error) {
      missed = true;
      // Without an answer the connection is gone, and the next one begins with all topics.
      if (!isRefusal(error)) return;
      for (const name of names) if (topics.has(name)) unbound.add(name);
      subscriber.complain(error, `Redis refuses to subscribe. ${channelAdvice}`);
    }
  }

  /** A heartbeat is answered after all commands before it, so none of these names is being asked for already. */
  async function bindAll(): Promise<void> {
    const names = [...unbound];
    const answers: Promise<void>[] = [];
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
    await Promise.all(answers);
    tellMissed();
  }

  function release(name: string): void {
    topics.delete(name);
    unbound.delete(name);
    // It fails only with the connection, and then nothing is bound either.
    if (subscriber.ready()) subscriber.client.unsubscribe(prefix + name).catch(() => {});
  }

  /** Resolves to whether Redis took it. Never rejects. */
  async function send(topic: string, message: string): Promise<boolean> {
    inFlight += 1;
    try {
      await publisher.client.publish(prefix + topic, message);
      refused = false;
      return true;
    } catch (error) {
      missed = true;
      if (isRefusal(error)) {
        refused = true;
        publisher.complain(error, `Redis refuses to publish. ${channelAdvice}`);
      }
      return false;
    } finally {
      inFlight -= 1;
    }
  }

  async function sendMessage(topic: string, message: string): Promise<void> {
    if (await send(topic, message)) counts.published += 1;
    else counts.dropped += 1;
  }

  /** Finds out whether a Redis that refused a message would take one now; no topic has an empty name. */
  async function probe(): Promise<void> {
    if (refused) await send('', '');
    tellMissed();
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
        // The topic may have been let go and made again since.
        if (topic.listeners.size === 0 && topics.get(name) === topic) release(name);
      };
    },

    publish(topic, message) {
      if (publisher.ready() && inFlight < MAX_IN_FLIGHT) return void sendMessage(topic, message);
      // Dropped rather than kept: a Redis that is slow or away must not fill our memory, and readers have a safety net.
      counts.dropped += 1;
      missed = true;
    },

    onReconnect: (listener) => reconnectListeners.add(listener),
    healthy,
    stats: () => ({ topics: topics.size, ...counts }),
    counter: createRedisCounter(cluster ?? publisher),

    async close() {
      closed = true;
      topics.clear();
      for (const part of [cluster, subscriber, publisher]) part?.close();
    },
  };
}
