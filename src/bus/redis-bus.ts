import type { Log } from '../log.ts';
import type { Bus } from './bus.ts';
import { Listeners } from './listeners.ts';
import { createRedisCluster } from './redis-cluster.ts';
import { createRedisConnection } from './redis-connection.ts';
import { createRedisCounter, type SharedCounter } from './redis-counter.ts';
import { isRefusal } from './redis-refusal.ts';
import { parseRedisUrl, redisUrlForm } from './redis-url.ts';

export interface RedisBusOptions {
  /** A URL for `parseRedisUrl`. */
  url: string;
  /** Prefix of all channels. It separates installations, because all databases of a Redis share one channel namespace. */
  prefix: string;
  log: Log;
}

export interface RedisBus extends Bus {
  /** Counts across all processes. Rejects while Redis is down. */
  counter: SharedCounter;
}

interface Message {
  topic: string;
  message: string;
}

interface Topic {
  listeners: Listeners<[string]>;
  /** Resolves when Redis has answered the SUBSCRIBE, or the connection is lost. Never rejects. */
  answered: Promise<void>;
}

/** Most channels in one SUBSCRIBE. */
const MAX_NAMES = 1_000;
/** Most messages that may wait for a reply. Above that, Redis is not keeping up. */
const MAX_IN_FLIGHT = 10_000;

/**
 * Creates the bus between processes, on Redis pub/sub. It connects in the background, and keeps the process alive until it
 * is closed.
 *
 * @throws Error if the URL is invalid
 */
export function createRedisBus({ url, prefix, log }: RedisBusOptions): RedisBus {
  const target = parseRedisUrl(url);
  // No `cause` and no URL in the error: they contain the password.
  if (!target) throw new Error(`REDIS_URL cannot be read. Write ${redisUrlForm}.`);
  const { access, addresses } = target;
  const channelAdvice = `Allow its user the channels (ACL: &${prefix}*).`;
  const counts = { published: 0, received: 0, dropped: 0, outages: 0 };
  const reconnectListeners = new Listeners<[]>(log);
  const topics = new Map<string, Topic>();
  /** Topics that Redis has not acknowledged on this connection, or refused. Retried with each heartbeat. */
  const unbound = new Set<string>();
  /** Written to the socket together: for Redis and for us the write costs more than the message. */
  let waiting: Message[] = [];
  let inFlight = 0;
  /** Whether Redis refused the last message. Then `probe` finds out when it accepts messages again. */
  let refused = false;
  /** Whether a message may have been lost since the reconnect listeners were last called. */
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

  /** Waits until both connections are back, so that the reconnect listeners are called once: they usually fail together. */
  function tellMissed(): void {
    if (!missed || !healthy()) return;
    missed = false;
    reconnectListeners.call();
  }

  /**
   * Sends the SUBSCRIBE before it returns. Redis handles commands in the order of sending, so the last SUBSCRIBE or
   * UNSUBSCRIBE wins. If Redis does not answer, the connection is cut, which fails the command.
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
      // No answer means that the connection is lost. The next one subscribes to all topics again.
      if (!isRefusal(error)) return;
      for (const name of names) if (topics.has(name)) unbound.add(name);
      subscriber.complain(error, `Redis refuses to subscribe. ${channelAdvice}`);
    }
  }

  /** Called after a heartbeat, whose reply follows those of all earlier commands: no SUBSCRIBE for these names is pending. */
  async function bindAll(): Promise<void> {
    const names = [...unbound];
    const answers: Promise<void>[] = [];
    for (let start = 0; start < names.length; start += MAX_NAMES) {
      const some = names.slice(start, start + MAX_NAMES);
      const answered = bind(some);
      answers.push(answered);
      for (const name of some) {
        const topic = topics.get(name);
        // Later subscribers must wait for this answer, not for the one of the previous connection.
        if (topic) topic.answered = answered;
      }
    }
    await Promise.all(answers);
    tellMissed();
  }

  function release(name: string): void {
    topics.delete(name);
    unbound.delete(name);
    // It fails only if the connection is lost, and then nothing is subscribed anyway.
    if (subscriber.ready()) subscriber.client.unsubscribe(prefix + name).catch(() => {});
  }

  /** Resolves to how many of the messages Redis accepted. Never rejects. */
  async function send(messages: readonly Message[]): Promise<number> {
    inFlight += messages.length;
    const pipeline = publisher.client.pipeline();
    for (const { topic, message } of messages) pipeline.publish(prefix + topic, message);
    const results = await pipeline.exec().catch((error: unknown) => messages.map(() => [error]));
    inFlight -= messages.length;
    let accepted = 0;
    for (const [error] of results ?? []) {
      if (error === null) {
        accepted += 1;
        refused = false;
      } else if (isRefusal(error)) {
        refused = true;
        publisher.complain(error, `Redis refuses to publish. ${channelAdvice}`);
      }
    }
    if (accepted < messages.length) missed = true;
    return accepted;
  }

  /** Sends what has been published in this turn of the event loop. */
  async function flush(): Promise<void> {
    const messages = waiting;
    waiting = [];
    if (messages.length === 0) return;
    const accepted = await send(messages);
    counts.published += accepted;
    counts.dropped += messages.length - accepted;
  }

  /** After a refusal, finds out whether Redis accepts messages again. No topic has an empty name, so nobody gets this one. */
  async function probe(): Promise<void> {
    if (refused) await send([{ topic: '', message: '' }]);
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
        // The topic may have been dropped and created again since.
        if (topic.listeners.size === 0 && topics.get(name) === topic) release(name);
      };
    },

    publish(topic, message) {
      if (publisher.ready() && inFlight + waiting.length < MAX_IN_FLIGHT) {
        if (waiting.length === 0) setImmediate(() => void flush());
        waiting.push({ topic, message });
        return;
      }
      // Drop it rather than queue it: a slow or unavailable Redis must not fill our memory, and readers have a safety net.
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
      void flush();
      for (const part of [cluster, subscriber, publisher]) part?.close();
    },
  };
}
