import { setTimeout as delay } from 'node:timers/promises';

/** Clients that are sent away together, at most so many waves of them, and so far apart at most (milliseconds). */
const smallestWave = 100;
const mostWaves = 10;
const longestPause = 250;

/**
 * Does something to each item, in random order and in waves of random spacing: ten thousand clients that are sent away
 * at one instant would all come back at one instant. Takes less than 2.5 seconds (PROTOCOL.md, S4).
 */
export async function inWaves<Item>(items: Iterable<Item>, act: (item: Item) => void): Promise<void> {
  const shuffled = [...items].map((item) => ({ item, place: Math.random() })).toSorted((a, b) => a.place - b.place);
  const size = Math.max(smallestWave, Math.ceil(shuffled.length / mostWaves));
  for (let start = 0; start < shuffled.length; start += size) {
    if (start > 0) await delay(Math.random() * longestPause);
    for (const { item } of shuffled.slice(start, start + size)) act(item);
  }
}
