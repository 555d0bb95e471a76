import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';

/**
 * Does something so many times a second until the signal comes; what is late is made up for, up to a tenth of a second.
 */
export async function pace(
  rate: number,
  act: (number: number) => Promise<unknown> | void,
  signal: AbortSignal,
): Promise<void> {
  let due = performance.now();
  for (let number = 1; !signal.aborted; number += 1) {
    await act(number);
    due = Math.max(due + 1_000 / rate, performance.now() - 100);
    const wait = due - performance.now();
    if (wait > 1) await delay(wait);
    else await nextTurn();
  }
}
