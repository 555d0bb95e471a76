import type { Result } from '../http.ts';

/** Over what a watcher hears: a WebSocket, server-sent events, or requests that are held until there is something new. */
export type TransportName = 'websocket' | 'events' | 'polls';

export interface Subscription {
  query: string;
  variables: Record<string, unknown>;
  /** Where the reader is slow: whether only the newest result matters. */
  newestOnly: boolean;
}

/** Comes after the last result, where the server said that there is no more. */
export const completed = Symbol('completed');

export interface Transport {
  readonly name: TransportName;
  /**
   * Opens it once. Ends after `completed`, or without it where the other side ended it in good order to be asked again; throws where
   * the connection broke or the server refused it.
   *
   * @param onOpen told when the server was heard over it
   */
  open(subscription: Subscription, signal: AbortSignal, onOpen: () => void): AsyncIterable<Result | typeof completed>;
}
