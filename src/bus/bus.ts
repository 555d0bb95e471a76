/**
 * Sends wake-ups between processes. Messages may be lost or duplicated, so they carry no state: a listener reads the database
 * instead. Topics are short names such as `job:0198c0de-…`, `work`, `keys`.
 */
export interface Bus {
  /**
   * Adds a listener to a topic. Resolves once Redis has acknowledged the subscription; every later message is delivered. Each
   * process subscribes to a topic once, for its first listener, and unsubscribes with its last. While Redis is down this still
   * resolves, within 2 seconds; the topic is subscribed when Redis is back, before `onReconnect` listeners are called. Never
   * rejects. Listeners are called in the order in which they were added. If one throws, the error is logged and the others are
   * called all the same.
   */
  subscribe(topic: string, listener: (message: string) => void): Promise<Unsubscribe>;

  /**
   * Sends a message to every process, including this one. Messages are delivered in the order of publishing, and never before
   * this call returns. Never throws or waits: while Redis is down or far behind, messages are dropped.
   */
  publish(topic: string, message: string): void;

  /** Adds a listener that is called after messages may have been lost, once all topics are subscribed again. Re-read then. */
  onReconnect(listener: () => void): Unsubscribe;

  /** Whether messages reach other processes now. Turns false within 2 seconds if Redis freezes. Always true in memory. */
  healthy(): boolean;

  /** Counts since the start, for the metrics. */
  stats(): BusStats;

  /** Drops all topics and closes the connections. No listener is called afterwards. May be called twice. */
  close(): Promise<void>;
}

interface BusStats {
  /** Topics with listeners in this process. */
  topics: number;
  /** Messages from this process that Redis accepted. */
  published: number;
  /** Messages received by this process, including its own. */
  received: number;
  /** Messages from this process that were dropped, because Redis was down, far behind, or refused them. */
  dropped: number;
  /** Lost connections to Redis: closed by Redis, or by us because it was silent. */
  outages: number;
}

/** Removes the listener at once: it is not called again. May be called twice. */
export type Unsubscribe = () => void;
