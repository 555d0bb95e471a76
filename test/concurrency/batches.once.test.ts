import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { type BatchLimits, Batches, Failed, notYet, type Outcome } from '../../src/concurrency/batches.ts';
import { LonghaulError } from '../../src/errors.ts';
import { eventually } from '../support/eventually.ts';

/** Batches of numbers that end when the test says so. */
function steppedBatches(limits: Partial<BatchLimits<number>> = {}) {
  const begun: { items: readonly number[]; resolve: (outcomes: Outcome<string>[]) => void; reject: (error: unknown) => void }[] = [];
  const batches = new Batches<number, string>(
    (items) => new Promise((resolve, reject) => begun.push({ items, resolve, reject })),
    { lanes: 1, size: 100, ...limits },
  );
  /** Waits until so many batches have begun, and gives the last of them. */
  const batch = async (count: number) => {
    await eventually(() => expect(begun).toHaveLength(count));
    const last = begun[count - 1];
    if (!last) throw new Error('It has begun.');
    return { ...last, finish: () => last.resolve(last.items.map(String)) };
  };
  return { batches, begun, batch };
}

test('items of one tick share a batch, and each has its own result', async () => {
  const { batches, batch } = steppedBatches();
  const results = Promise.all([1, 2, 3].map((item) => batches.add(item)));
  const first = await batch(1);
  expect(first.items).toEqual([1, 2, 3]);
  first.finish();
  expect(await results).toEqual(['1', '2', '3']);
});

test('an item that comes alone is carried out at once, and what comes meanwhile shares the next batch', async () => {
  const { batches, begun, batch } = steppedBatches();
  const alone = batches.add(1);
  const first = await batch(1);
  const others = Promise.all([2, 3].map((item) => batches.add(item)));
  await nextTurn();
  expect(begun).toHaveLength(1);
  first.finish();
  expect(await alone).toBe('1');
  const second = await batch(2);
  expect(second.items).toEqual([2, 3]);
  second.finish();
  expect(await others).toEqual(['2', '3']);
});

test('no more batches than there are lanes are under way, and none is larger than its size', async () => {
  const { batches, begun, batch } = steppedBatches({ lanes: 2, size: 2 });
  const results = Promise.all([1, 2, 3, 4, 5].map((item) => batches.add(item)));
  const second = await batch(2);
  await nextTurn();
  expect(begun.map(({ items }) => items)).toEqual([[1, 2], [3, 4]]);
  second.finish();
  const third = await batch(3);
  expect(third.items).toEqual([5]);
  third.finish();
  (await batch(3)).finish();
  begun[0]?.resolve(['1', '2']);
  expect(await results).toEqual(['1', '2', '3', '4', '5']);
});

test('a batch takes items by their weight, and a single one however much it weighs', async () => {
  const { batches, batch } = steppedBatches({ size: 10, weigh: (item) => item });
  const results = Promise.all([4, 6, 1, 50, 2].map((item) => batches.add(item)));
  for (const [index, items] of [[4, 6], [1], [50], [2]].entries()) {
    const next = await batch(index + 1);
    expect(next.items).toEqual(items);
    next.finish();
  }
  await results;
});

test('an item that fails alone fails no other', async () => {
  const { batches, batch } = steppedBatches();
  const results = Promise.allSettled([1, 2].map((item) => batches.add(item)));
  (await batch(1)).resolve([new Failed('broken'), '2']);
  expect(await results).toEqual([
    { status: 'rejected', reason: 'broken' },
    { status: 'fulfilled', value: '2' },
  ]);
});

test('when a batch throws, its items are tried one by one', async () => {
  const { batches, batch } = steppedBatches();
  const results = Promise.allSettled([1, 2].map((item) => batches.add(item)));
  (await batch(1)).reject('one of them is bad');
  (await batch(2)).reject('this one is bad');
  const third = await batch(3);
  expect(third.items).toEqual([2]);
  third.finish();
  expect(await results).toEqual([
    { status: 'rejected', reason: 'this one is bad' },
    { status: 'fulfilled', value: '2' },
  ]);
});

test('while the database is away, the items of a batch fail together', async () => {
  const { batches, begun, batch } = steppedBatches();
  const results = Promise.allSettled([1, 2].map((item) => batches.add(item)));
  const away = new LonghaulError('UNAVAILABLE', 'away');
  (await batch(1)).reject(away);
  const failed = { status: 'rejected', reason: away };
  expect(await results).toEqual([failed, failed]);
  expect(begun).toHaveLength(1);
});

test('an item that cannot be served yet comes first in the next batch, which it need not wait for', async () => {
  const { batches, batch } = steppedBatches();
  const first = batches.add(1);
  (await batch(1)).resolve([notYet]);
  await nextTurn();
  const second = batches.add(2);
  const both = await batch(2);
  expect(both.items).toEqual([1, 2]);
  both.resolve([notYet, '2']);
  expect(await second).toBe('2');
  // Nobody comes: it is tried again all the same.
  const third = await batch(3);
  expect(third.items).toEqual([1]);
  third.finish();
  expect(await first).toBe('1');
});

test('whoever drains waits for what is under way, what waits, and what cannot be served yet', async () => {
  const { batches, batch } = steppedBatches();
  let drained = false;
  void batches.add(1);
  const end = batches.drain().then(() => (drained = true));
  (await batch(1)).resolve([notYet]);
  const again = await batch(2);
  void batches.add(2);
  again.finish();
  const last = await batch(3);
  await nextTurn();
  expect(drained).toBe(false);
  last.finish();
  await end;
  expect(batches.idle).toBe(true);
  await batches.drain();
});
