import { setTimeout as delay } from 'node:timers/promises';

/** Least items per wave, most waves, and longest pause between two waves in milliseconds. */
const smallestWave = 100;
const mostWaves = 10;
const longestPause = 250;

/**
 * Calls `act` for each item in random order, in waves with random pauses: ten thousand clients disconnected at once would
 * all reconnect at once. Takes less than 2.5 seconds (PROTOCOL.md, S4).
 */
export async function inWaves<Item>(items: Iterable<Item>, act: (item: Item) => void): Promise<void> {
  const shuffled = [...items].map((item) => ({ item, place: Math.random() })).toSorted((a, b) => a.place - b.place);
  const size = Math.max(smallestWave, Math.ceil(shuffled.length / mostWaves));
  for (let start = 0; start < shuffled.length; start += size) {
    if (start > 0) await delay(Math.random() * longestPause);
    for (const { item } of shuffled.slice(start, start + size)) act(item);
  }
}
