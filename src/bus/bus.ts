/**
 * Wake-ups between processes. The bus carries no truth: a message may be lost or doubled, and whoever hears one reads
 * the database. Topics are short names such as `job:0198c0de-…`, `work`, `keys`.
 */
export interface Bus {
  /**
   * Binds `listener` to a topic. Resolves once Redis has acknowledged it: whatever is published afterwards is heard. One
   * SUBSCRIBE for each topic and process, however many listeners; the topic is let go with its last listener. While Redis
   * is away this resolves too, within 2 seconds, and the topic is bound when Redis is back, before `onReconnect` listeners
   * are called. Never rejects. Listeners are called in the order in which they were added; one that throws is logged and
   * does not affect the others.
   */
  subscribe(topic: string, listener: (message: string) => void): Promise<Unsubscribe>;

  /**
   * Sends a message to every process, this one included, in the order of publishing, never before this call has returned.
   * Never throws and never waits: while Redis is away or far behind, the message is dropped.
   */
  publish(topic: string, message: string): void;

  /** Called after messages may have been lost, once all topics are bound again. Read again what you watch. */
  onReconnect(listener: () => void): Unsubscribe;

  /** Whether messages reach other processes now: false within 2 seconds of a freeze. Always true in memory. */
  healthy(): boolean;

  /** Counts since the start, for the metrics. */
  stats(): BusStats;

  /** Lets every topic go and closes the connections; no listener is called any more. May be called twice. */
  close(): Promise<void>;
}

export interface BusStats {
  /** Topics that somebody in this process listens to now. */
  topics: number;
  /** Messages of this process that Redis has taken. */
  published: number;
  /** Messages that came in for this process, its own among them. */
  received: number;
  /** Messages of this process that reached nobody: Redis was away, far behind, or refused them. */
  dropped: number;
  /** Connections to Redis that were lost: closed by it, or cut because it was silent. */
  outages: number;
}

/** Ends a subscription at once: the listener is not called again. May be called twice. */
export type Unsubscribe = () => void;
