/*
 * A process full of watchers, told by its parent what to do: `open`, then any number of `count`s.
 */
import { now } from './stamps.ts';
import { type Subscription, Watcher } from './watcher.ts';

/** Watchers that connect at the same time: fewer than a server's queue of connections holds. */
const opening = 100;

/** One in so many looks into the frames, where times are wanted. */
const sampled = 10;

export type Order =
  | {
      do: 'open';
      target: { port: number; key: string };
      query: string;
      /** One for each watcher. */
      variables: Record<string, unknown>[];
      /** Whether the server sends the present version first, so that it can be waited for. */
      snapshot: boolean;
    }
  /** Waits until every watcher has had a version. */
  | { do: 'begin' }
  /** Begins to count anew, and answers with the count until then. */
  | { do: 'count' };

/** What came since the last count. */
export interface Count {
  messages: number;
  /** How long versions were on their way, in milliseconds, of a sample of the watchers. */
  delays: number[];
}

const watchers: Watcher[] = [];
let count: Count = { messages: 0, delays: [] };

const listener = {
  onVersion(made: number | null) {
    count.messages += 1;
    if (made !== null) count.delays.push(now() - made);
  },
  onLost(reason: string) {
    throw new Error(`a watcher was lost: ${reason}`);
  },
};

process.on('message', (order: Order) => {
  void carryOut(order).then((answer) => process.send?.(answer));
});
process.on('disconnect', () => process.exit());

async function carryOut(order: Order): Promise<Count | null> {
  if (order.do === 'open') {
    for (let first = 0; first < order.variables.length; first += opening) {
      await Promise.all(order.variables.slice(first, first + opening).map((variables) => open(order, variables)));
    }
    return null;
  }
  if (order.do === 'begin') {
    await Promise.all(watchers.map(({ begun }) => begun));
    return null;
  }
  const counted = count;
  count = { messages: 0, delays: [] };
  return counted;
}

function open({ target, query, snapshot }: Order & { do: 'open' }, variables: Subscription['variables']): Promise<void> {
  const watcher = new Watcher(target, { query, variables }, watchers.length % sampled === 0, listener);
  watchers.push(watcher);
  return snapshot ? watcher.begun : watcher.subscribed;
}
