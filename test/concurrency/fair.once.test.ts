import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { FairLanes } from '../../src/concurrency/fair-lanes.ts';
import { FairQueue } from '../../src/concurrency/fair-queue.ts';
import { Turns } from '../../src/concurrency/turns.ts';

/** Work that goes on until it is told to end. */
function held(lanes: FairLanes, owner: string, log: string[]): { end: () => void; result: Promise<string> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const result = lanes.run(owner, async () => {
    log.push(owner);
    await promise;
    return owner;
  });
  return { end: resolve, result };
}

test('owners take turns in a queue, each with its oldest item, and an item that is added twice is there once', () => {
  const queue = new FairQueue<string>();
  for (const item of ['a1', 'a2', 'a3', 'b1', 'a1', 'c1', 'c2']) queue.add(item.charAt(0), item);
  queue.delete('a', 'a2');
  queue.delete('b', 'none');
  expect(queue.sizeOf('a')).toBe(2);
  const taken = [];
  while (!queue.isEmpty) taken.push(queue.take());
  expect(taken).toEqual(['a1', 'b1', 'c1', 'a3', 'c2']);
  expect(queue.take()).toBeUndefined();
});

test('costly work runs one at a time for each owner, so many in all, and owners take turns', async () => {
  const lanes = new FairLanes({ lanes: 2, mostWaiting: 10, tooMany: 'too many' });
  const log: string[] = [];
  const [a1, a2, b1, c1] = ['a', 'a', 'b', 'c'].map((owner) => held(lanes, owner, log));
  await nextTurn();
  expect(log).toEqual(['a', 'b']);
  b1?.end();
  expect(await b1?.result).toBe('b');
  await nextTurn();
  expect(log).toEqual(['a', 'b', 'c']);
  a1?.end();
  await a1?.result;
  await nextTurn();
  expect(log).toEqual(['a', 'b', 'c', 'a']);
  for (const work of [a2, c1]) work?.end();
  await Promise.all([a2?.result, c1?.result]);
});

test('an owner with too much of it is refused, and work that fails gives its place back', async () => {
  const lanes = new FairLanes({ lanes: 1, mostWaiting: 1, tooMany: 'Wait.' });
  const log: string[] = [];
  const [first, second] = [held(lanes, 'a', log), held(lanes, 'a', log)];
  await expect(lanes.run('a', async () => undefined)).rejects.toMatchObject({ code: 'RATE_LIMITED', message: 'Wait. Try again in 5 s.' });
  const failing = expect(lanes.run('b', () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  first.end();
  second.end();
  await failing;
  expect(await second.result).toBe('a');
  expect(await lanes.run('a', () => Promise.resolve('again'))).toBe('again');
});

test('of a thousand pieces of work, one runs in each turn of the event loop, and owners take turns', async () => {
  const turns = new Turns(new FairQueue());
  const log: string[] = [];
  let ticks = 0;
  const tick = () => {
    ticks += 1;
    setImmediate(tick).unref();
  };
  setImmediate(tick).unref();
  const flood = Array.from({ length: 1_000 }, () => turns.next('flood').then(() => log.push('flood')));
  const one = turns.next('one').then(() => log.push('one'));
  await Promise.all([...flood, one]);
  expect(log.indexOf('one')).toBeLessThanOrEqual(1);
  expect(ticks).toBeGreaterThanOrEqual(1_000);
});
