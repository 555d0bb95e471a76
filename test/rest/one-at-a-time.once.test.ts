import { expect, test } from 'vitest';
import { OneAtATime } from '../../src/rest/vidocu/one-at-a-time.ts';

test('work on one key waits for the work before it, failed or not; work on another key does not', async () => {
  const turns = new OneAtATime();
  const seen: string[] = [];
  const first = Promise.withResolvers<string>();
  const taken = [
    turns.run('a', () => first.promise.finally(() => seen.push('first'))),
    turns.run('a', async () => seen.push('second')),
    turns.run('a', async () => seen.push('third')),
  ];
  await turns.run('b', async () => seen.push('elsewhere'));
  expect(seen).toEqual(['elsewhere']);
  first.reject(new Error('it broke'));
  const outcomes = await Promise.allSettled(taken);
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
  expect(seen).toEqual(['elsewhere', 'first', 'second', 'third']);
});
