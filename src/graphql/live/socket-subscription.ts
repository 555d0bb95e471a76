import type { ExecutionResult } from 'graphql';
import { isUnavailable } from '../public-error.ts';
import type { Watching } from './broadcasts.ts';
import type { Connection } from './connection.ts';
import type { Frame } from './frame.ts';
import type { Live } from './live.ts';
import { textFrame } from './text-frame.ts';

const over: IteratorReturnResult<void> = { value: undefined, done: true };

/** Of the frame that was sent last: a broadcast sends one to all its watchers in a row. */
let last: { frame: Frame; end: Buffer } | null = null;

/** What every watcher's message of a frame ends with. */
function endOf(frame: Frame): Buffer {
  if (last?.frame !== frame) last = { frame, end: Buffer.from(`${frame.payload}}`) };
  return last.end;
}

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
      next: (frame) => textFrame(head, endOf(frame)),
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
