/*
 * A process with many watchers. Its parent sends the orders: `open`, then any number of `count`s.
 */
import { now } from './stamps.ts';
import { type Subscription, Watcher } from './watcher.ts';

/** Watchers that connect at the same time: fewer than fit into a server's connection backlog. */
const opening = 100;

/** One watcher in this many reads the times in the frames. */
const sampled = 10;

export type Order =
  | {
      do: 'open';
      target: { port: number; key: string };
      query: string;
      /** One entry per watcher. */
      variables: Record<string, unknown>[];
      /** Whether the server sends the current version first, which can then be awaited. */
      snapshot: boolean;
    }
  /** Waits until every watcher has received a version. */
  | { do: 'begin' }
  /** Returns the count so far and starts a new one. */
  | { do: 'count' };

/** What was received since the last count. */
export interface Count {
  messages: number;
  /** Delays of versions in milliseconds, from a sample of the watchers. */
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
