/**
 * The wake-up line between processes. It carries no truth: a message may be lost or doubled, and whoever hears one
 * reads the database. Topics are short names such as `job:0198c0de-…`, `work`, `keys`.
 */
export interface Bus {
  /**
   * Binds `listener` to a topic. Resolves once the binding is in force (Redis has acknowledged it): what is published
   * afterwards is heard. One SUBSCRIBE for each topic and process, however many listeners; the topic is let go with its
   * last listener. While the server behind is down it resolves too, and binds when the server is back, followed by a
   * call of the `onReconnect` listeners; so subscribing never fails and never waits for a server that is away (nor
   * longer than 2 seconds for one that froze). Listeners are called in the order in which they came; one that throws is
   * logged and hurts no other.
   */
  subscribe(topic: string, listener: (message: string) => void): Promise<Unsubscribe>;

  /**
   * Tells every process, this one included, in the order of publishing (on a Redis cluster, whose topics live on several
   * servers, in that of each topic) and never before this call has returned. Never throws and never waits: while the
   * server is away or far behind, the message is dropped.
   */
  publish(topic: string, message: string): void;

  /**
   * Called after messages may have been lost, once all topics are bound again: when the server came back, or after
   * messages were dropped. (On a Redis cluster, once all topics of the node that came back are.) Read again what you
   * watch.
   */
  onReconnect(listener: () => void): Unsubscribe;

  /** Whether messages reach other processes now: false within 2 seconds of a freeze. True for the bus in memory. */
  healthy(): boolean;

  /** What it has done since it was made, for the metrics. */
  stats(): BusStats;

  /** Lets every topic go and closes the connections; no listener is called any more. May be called twice. */
  close(): Promise<void>;
}

export interface BusStats {
  /** Topics that somebody in this process listens to now. */
  topics: number;
  /** Messages of this process that the server has taken. */
  published: number;
  /** Messages that came in for this process, its own among them. */
  received: number;
  /** Messages of this process that reached nobody: the server was away, far behind, or refused them. */
  dropped: number;
  /** Connections to the server that were lost: closed by it, or cut because it was silent. */
  outages: number;
}

/** Ends a subscription at once: the listener is not called again. May be called twice. */
export type Unsubscribe = () => void;
