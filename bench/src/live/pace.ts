import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';

/**
 * Calls `act` at a rate per second until the signal. Catches up if it is late, by up to a tenth of a second.
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
