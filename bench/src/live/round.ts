import { setTimeout as delay } from 'node:timers/promises';
import { cpuOf } from '../cpu.ts';
import type { Contestant } from './contestants.ts';
import type { Count } from './crowd.ts';

/** The result of a round, summed over all watchers. */
export interface Round extends Count {
  seconds: number;
  /** User and system time of the server in microseconds; null if unknown. */
  cpu: number | null;
}

/** Broadcasts at a rate for some seconds, once versions flow. When it resolves, no message is in flight. */
export async function broadcastRound({ server, crowds, drive }: Contestant, rate: number, seconds: number): Promise<Round> {
  const end = drive(rate);
  await delay(500);
  await crowds.count();
  const [start, cpu] = [performance.now(), await cpuOf(server.pid)];
  await delay(seconds * 1_000);
  const cpuAfter = await cpuOf(server.pid);
  const count = await crowds.count();
  const taken = (performance.now() - start) / 1_000;
  await end();
  let late = 1;
  while (late > 0) {
    await delay(200);
    late = (await crowds.count()).messages;
  }
  return { ...count, seconds: taken, cpu: cpu === null || cpuAfter === null ? null : cpuAfter - cpu };
}

/** @param share share of the numbers, from 0 to 1, that are at most the result */
export function percentile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
