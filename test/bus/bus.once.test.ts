import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Bus } from '../../src/bus/bus.ts';
import { createMemoryBus } from '../../src/bus/memory-bus.ts';
import { createRedisBus } from '../../src/bus/redis-bus.ts';
import { silentLog, type Log } from '../../src/log.ts';
import { closedAfterTest, connected, everythingArrived, randomPrefix } from '../support/bus.ts';
import { eventually } from '../support/eventually.ts';
import { startRedisCluster, type TestRedisCluster } from '../support/redis-cluster.ts';
import { createRedisServer, hasRedisServer } from '../support/redis-server.ts';

const server = await createRedisServer();
let cluster: TestRedisCluster | undefined;

const kinds = [
  { kind: 'in memory', available: true, open: (log: Log) => createMemoryBus({ log }) },
  {
    kind: 'on Redis',
    available: hasRedisServer(),
    open: (log: Log) => createRedisBus({ url: server.url, prefix: randomPrefix(), log }),
  },
  {
    // Of one node: between several, messages of different topics keep no order.
    kind: 'on a Redis cluster',
    available: hasRedisServer(),
    open: (log: Log) => createRedisBus({ url: cluster?.url ?? '', prefix: randomPrefix(), log }),
  },
];

/** What every bus does, on whatever it runs. */
describe.each(kinds.filter(({ available }) => available))('the bus $kind', ({ kind, open }) => {
  beforeEach(async () => {
    if (kind === 'on Redis') await server.start();
    if (kind === 'on a Redis cluster') cluster = await startRedisCluster(1);
  });
  afterEach(() => server.stop());

  async function openBus(log: Log = silentLog): Promise<Bus> {
    return connected(closedAfterTest(open(log)));
  }

  test('a message reaches every listener of its topic and no other', async () => {
    const bus = await openBus();
    const heard: string[] = [];
    await bus.subscribe('work', (message) => heard.push(`first ${message}`));
    await bus.subscribe('work', (message) => heard.push(`second ${message}`));
    await bus.subscribe('keys', (message) => heard.push(`keys ${message}`));

    bus.publish('work', 'a');
    await everythingArrived(bus);

    expect(heard).toEqual(['first a', 'second a']);
  });

  test('messages arrive in the order of publishing, also across topics', async () => {
    const bus = await openBus();
    const heard: string[] = [];
    await Promise.all(['x', 'y'].map((topic) => bus.subscribe(topic, (message) => heard.push(message))));
    const messages = Array.from({ length: 1_000 }, (_, index) => `${index} ü€😀`);

    for (const [index, message] of messages.entries()) bus.publish(index % 3 === 0 ? 'x' : 'y', message);
    await everythingArrived(bus);

    expect(heard).toEqual(messages);
  });

  test('what it does is counted', async () => {
    const bus = await openBus();
    const heard: string[] = [];
    await bus.subscribe('work', (message) => heard.push(message));
    await bus.subscribe('work', () => {});

    for (const message of ['a', 'b', 'c']) bus.publish('work', message);
    bus.publish('keys', 'nobody listens');
    await eventually(() => expect(heard).toHaveLength(3));

    const counted = { topics: 1, published: 4, received: 3, dropped: 0, outages: 0 };
    await eventually(() => expect(bus.stats()).toEqual(counted));
  });

  test('publishing returns before any listener is called', async () => {
    const bus = await openBus();
    const order: string[] = [];
    await bus.subscribe('work', (message) => {
      order.push(`${message} begins`);
      if (message === 'a') bus.publish('work', 'b');
      order.push(`${message} ends`);
    });

    bus.publish('work', 'a');
    order.push('published');
    await everythingArrived(bus, 2);

    expect(order).toEqual(['published', 'a begins', 'a ends', 'b begins', 'b ends']);
  });

  test('a listener that unsubscribed, twice even, hears nothing more, and the others do', async () => {
    const bus = await openBus();
    const heard: string[] = [];
    const listener = (message: string) => heard.push(message);
    const unsubscribe = await bus.subscribe('work', listener);
    await bus.subscribe('work', listener);

    bus.publish('work', 'a');
    await everythingArrived(bus);
    unsubscribe();
    unsubscribe();
    bus.publish('work', 'b');
    await everythingArrived(bus);

    expect(heard).toEqual(['a', 'a', 'b']);
  });

  test('a listener that throws is logged and hurts no other', async () => {
    const error = vi.fn<Log['error']>();
    const bus = await openBus({ ...silentLog, error });
    const heard: string[] = [];
    const failure = new Error('broken');
    await bus.subscribe('work', () => {
      throw failure;
    });
    await bus.subscribe('work', (message) => heard.push(message));

    bus.publish('work', 'a');
    bus.publish('work', 'b');
    await everythingArrived(bus);

    expect(heard).toEqual(['a', 'b']);
    expect(error.mock.calls.map(([fields]) => fields)).toEqual([{ err: failure }, { err: failure }]);
  });

  test('a message goes to those who listened when it arrived, without those removed meanwhile', async () => {
    const bus = await openBus();
    const heard: string[] = [];
    const added: Promise<unknown>[] = [];
    await bus.subscribe('work', (message) => {
      heard.push(`first ${message}`);
      removeSecond();
      if (message === 'a') added.push(bus.subscribe('work', (later) => heard.push(`third ${later}`)));
    });
    const removeSecond = await bus.subscribe('work', (message) => heard.push(`second ${message}`));

    bus.publish('work', 'a');
    await everythingArrived(bus);
    await Promise.all(added);
    bus.publish('work', 'b');
    await everythingArrived(bus);

    expect(heard).toEqual(['first a', 'first b', 'third b']);
  });

  test('whoever subscribes while the topic is being let go hears it all the same', async () => {
    const bus = await openBus();
    const heard: string[] = [];
    for (let round = 0; round < 100; round += 1) {
      const unsubscribe = await bus.subscribe('work', (message) => heard.push(message));
      unsubscribe();
      const again = bus.subscribe('work', (message) => heard.push(message));
      unsubscribe();
      const unsubscribeAgain = await again;
      bus.publish('work', String(round));
      await everythingArrived(bus);
      unsubscribeAgain();
    }

    expect(heard).toEqual(Array.from({ length: 100 }, (_, round) => String(round)));
  });

  test('however subscribing and unsubscribing interleave, exactly those who listen are called', async () => {
    const bus = await openBus();
    const step = fc.record({ topic: fc.constantFrom('x', 'y'), leave: fc.boolean(), awaited: fc.boolean() });

    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const heard: number[] = [];
        const staying = new Map<number, string>();
        const removals: Promise<() => void>[] = [];
        for (const [index, { topic, leave, awaited }] of steps.entries()) {
          const subscribed = bus.subscribe(topic, () => heard.push(index));
          if (leave) removals.push(subscribed.then((unsubscribe) => (unsubscribe(), unsubscribe)));
          else removals.push(subscribed);
          if (!leave) staying.set(index, topic);
          if (awaited) await subscribed;
        }
        const unsubscribes = await Promise.all(removals);

        bus.publish('x', '');
        await everythingArrived(bus);
        expect(heard).toEqual([...staying].filter(([, topic]) => topic === 'x').map(([index]) => index));
        for (const unsubscribe of unsubscribes) unsubscribe();
        bus.publish('x', '');
        bus.publish('y', '');
        await everythingArrived(bus);
        expect(heard).toHaveLength([...staying].filter(([, topic]) => topic === 'x').length);
      }),
      { numRuns: 100 },
    );
  });

  test('a closed bus calls nobody, and using it or closing it again does nothing', async () => {
    const bus = await openBus();
    const heard: string[] = [];
    const unsubscribe = await bus.subscribe('work', (message) => heard.push(message));
    bus.publish('work', 'a');

    await Promise.all([bus.close(), bus.close()]);
    await bus.subscribe('work', (message) => heard.push(message));
    bus.publish('work', 'b');
    await new Promise(setImmediate);
    unsubscribe();
    await bus.close();

    expect(heard).toEqual([]);
    expect(bus.healthy()).toBe(false);
  });
});
