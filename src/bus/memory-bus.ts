import { silentLog, type Log } from '../log.ts';
import type { Bus } from './bus.ts';
import { Listeners } from './listeners.ts';

/**
 * The bus of a single process. Like the Redis bus it delivers messages in the order of publishing, in a later turn of the
 * event loop, to the listeners at that time.
 */
export function createMemoryBus({ log = silentLog }: { log?: Log } = {}): Bus {
  const topics = new Map<string, Listeners<[string]>>();
  let waiting: { topic: string; message: string }[] = [];
  let closed = false;
  let published = 0;
  let received = 0;

  function deliver(): void {
    const messages = waiting;
    waiting = [];
    for (const { topic, message } of messages) {
      const listeners = topics.get(topic);
      if (!listeners) continue;
      received += 1;
      listeners.call(message);
    }
  }

  return {
    async subscribe(topic, listener) {
      if (closed) return () => {};
      const listeners = topics.get(topic) ?? new Listeners(log);
      topics.set(topic, listeners);
      const remove = listeners.add(listener);
      return () => {
        remove();
        // The topic may have been dropped and created again since.
        if (listeners.size === 0 && topics.get(topic) === listeners) topics.delete(topic);
      };
    },

    publish(topic, message) {
      if (closed) return;
      // Not a microtask: listeners that answer each other would block the event loop.
      if (waiting.length === 0) setImmediate(deliver);
      waiting.push({ topic, message });
      published += 1;
    },

    onReconnect: () => () => {},
    healthy: () => !closed,
    stats: () => ({ topics: topics.size, published, received, dropped: 0, outages: 0 }),

    async close() {
      closed = true;
      topics.clear();
    },
  };
}
