import type { ExecutionResult } from 'graphql';
import { isUnavailable } from '../public-error.ts';
import type { Watching } from './broadcasts.ts';
import type { Connection } from './connection.ts';
import type { Live } from './live.ts';

const over: IteratorReturnResult<void> = { value: undefined, done: true };

/**
 * One subscription on a socket, as graphql-ws takes it: a stream that yields nothing and ends when the subscription
 * does. The events go past it, straight to the socket: graphql-ws would put each into words anew for each watcher.
 */
export class SocketSubscription implements AsyncIterableIterator<never, void, void> {
  readonly #ended = Promise.withResolvers<IteratorReturnResult<void>>();
  #leave: (() => void) | null = null;
  #over = false;

  /** @param id the operation's, as the client gave it */
  static async open(
    live: Live,
    watching: Watching,
    connection: Connection,
    id: string,
  ): Promise<SocketSubscription | ExecutionResult> {
    const subscription = new SocketSubscription();
    const head = `{"id":${JSON.stringify(id)},"type":"next","payload":`;
    const watch = await live.watch(watching, connection, {
      next: ({ payload }) => `${head}${payload}}`,
      end: () => subscription.#end(),
    });
    if ('refused' in watch) {
      // An error ends a subscription for good; its client comes back to a socket that closes so.
      if (watch.refused.some(isUnavailable)) connection.giveUp();
      return { errors: watch.refused };
    }
    subscription.#leave = watch.leave;
    if (subscription.#over) watch.leave();
    return subscription;
  }

  next(): Promise<IteratorReturnResult<void>> {
    return this.#ended.promise;
  }

  /** The client has completed it, or is gone. */
  async return(): Promise<IteratorReturnResult<void>> {
    this.#end();
    return over;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #end(): void {
    this.#over = true;
    this.#leave?.();
    this.#ended.resolve(over);
  }
}
