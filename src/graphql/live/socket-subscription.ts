import type { ExecutionResult } from 'graphql';
import { databaseAway, isUnavailable } from '../public-error.ts';
import type { Watching } from './broadcasts.ts';
import type { Connection } from './connection.ts';
import type { Live } from './live.ts';

const over: IteratorReturnResult<void> = { value: undefined, done: true };

/**
 * One subscription on a socket, in the form that graphql-ws expects: a stream that yields nothing and ends with the
 * subscription. Events go straight to the socket, because graphql-ws would serialize each again for every watcher.
 */
export class SocketSubscription implements AsyncIterableIterator<never, void, void> {
  readonly #ended = Promise.withResolvers<IteratorReturnResult<void>>();
  #leave: (() => void) | null = null;
  #over = false;

  /** @param id the operation id from the client */
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
      // An error would end the subscription for good; closing the socket makes the client reconnect.
      if (watch.refused.some(isUnavailable)) connection.giveUp(databaseAway);
      return { errors: watch.refused };
    }
    subscription.#leave = watch.leave;
    if (subscription.#over) watch.leave();
    return subscription;
  }

  next(): Promise<IteratorReturnResult<void>> {
    return this.#ended.promise;
  }

  /** Called when the client completes the subscription or disconnects. */
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
