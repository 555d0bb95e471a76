import { isPassing, LonghaulError } from '../errors.ts';
import { dataOf, isExpiry, type Result } from '../http.ts';
import { backoff, pause } from '../limits.ts';
import type { Live } from './live.ts';
import { completed, type Subscription, type TransportName } from './transport.ts';

/** What is followed, and how far its reader has come. */
export interface Followed<Item> {
  query: string;
  newestOnly: boolean;
  /** With the place to resume from. */
  variables(): Record<string, unknown>;
  /** What of an event is new; it moves the place. */
  take(data: Record<string, unknown>): Item[];
}

/** So often a transport may fail to open while the server answers over HTTP: then something in between does not let it through. */
const mostRefusals = 2;

/** So often a fresh token may be called expired, before it is told: a clock is wrong, or `auth` gives the same one. */
const mostExpiries = 3;

/** Follows it across breaks until the server says that it is complete. Throws what is no use to try again. */
export async function* follow<Item>(
  live: Live,
  followed: Followed<Item>,
  signal: AbortSignal,
  onTransport: (name: TransportName | null) => void,
): AsyncGenerator<Item, void> {
  let { transport } = live;
  let failures = 0;
  let refusals = 0;
  let expiries = 0;
  for (;;) {
    let opened = false;
    const onOpen = () => {
      opened = true;
      failures = 0;
      refusals = 0;
      onTransport(transport.name);
    };
    const subscription: Subscription = { query: followed.query, variables: followed.variables(), newestOnly: followed.newestOnly };
    try {
      for await (const result of transport.open(subscription, signal, onOpen)) {
        if (result === completed) return;
        expiries = 0;
        yield* followed.take(dataOf<NonNullable<Result['data']>>(result));
      }
      // Ended in good order, to be asked again.
      ({ transport } = live);
    } catch (error) {
      signal.throwIfAborted();
      onTransport(null);
      if (isExpiry(error) && live.credentials.canRefresh && expiries < mostExpiries) expiries += 1;
      else if (!isPassing(error)) throw error;
      else if (opened) ({ transport } = live);
      else if (await live.http.answers(signal)) {
        refusals += 1;
        if (refusals >= mostRefusals) transport = live.without(transport);
      }
      await pause(Math.max(backoff(failures), error instanceof LonghaulError ? (error.retryAfter ?? 0) : 0), signal);
      failures += 1;
    }
  }
}
