import { type Limits, link, type RunningLimits } from '../limits.ts';
import { type Followed, follow } from './follow.ts';
import type { Live } from './live.ts';
import type { TransportName } from './transport.ts';

/** What comes, as it comes. Each loop over it follows anew; leaving the loop leaves nothing behind. */
export interface Updates<Item> extends AsyncIterable<Item> {
  /** Over what the newest loop hears; null before the server was heard, and from a break until it is heard again. */
  readonly transport: TransportName | null;
}

export interface Listening extends Limits {
  /** Told over what it hears whenever that changes: null from a break until the server is heard again. */
  onTransport?: ((name: TransportName | null) => void) | undefined;
}

/**
 * Follows the same thing for each loop.
 *
 * @param start what to follow, from where; may ask the server first
 * @param tell `onLimit`: of the limit that ends it, and not when the loop is left; `onTransport`: as of Listening
 */
export function updatesOf<Item>(
  live: Live,
  limits: readonly RunningLimits[],
  start: (signal: AbortSignal) => Followed<Item> | Promise<Followed<Item>>,
  { onLimit = () => {}, onTransport = () => {} }: { onLimit?: (limit: RunningLimits) => void; onTransport?: Listening['onTransport'] } = {},
): Updates<Item> {
  let transport: TransportName | null = null;
  const hears = (name: TransportName | null) => {
    if (name === transport) return;
    transport = name;
    onTransport(name);
  };
  return {
    get transport() {
      return transport;
    },
    [Symbol.asyncIterator]: () => {
      const linked = link(limits);
      const items = (async function* () {
        try {
          linked.signal.throwIfAborted();
          yield* follow(live, await start(linked.signal), linked.signal, hears);
        } catch (error) {
          if (error === left) return;
          if (linked.endedBy !== null) onLimit(linked.endedBy);
          throw error;
        } finally {
          linked.release();
        }
      })();
      return {
        next: () => items.next(),
        // A generator that waits hears of `return` only when something comes: the signal wakes it.
        return: async () => {
          linked.abort(left);
          await items.return();
          return { done: true, value: undefined };
        },
      };
    },
  };
}

/** Why a loop's signal is aborted when it is left. */
const left = Symbol('left');
