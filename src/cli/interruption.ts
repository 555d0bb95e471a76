import { constants } from 'node:os';
import { exitCodes } from './exit-codes.ts';

/** Ctrl-C, a terminal that closes, or another's request to end, as a signal to abort by. */
export interface Interruption extends Disposable {
  signal: AbortSignal;
  /** The first that came; null before. */
  readonly by: InterruptingSignal | null;
  /** What a process that ends by it exits with: 128 and the signal's number. */
  readonly exitCode: number;
}

const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
type InterruptingSignal = (typeof names)[number];

/** Until it is disposed of, these signals abort instead of ending the process. Further ones change nothing: the launcher may send each twice. */
export function onInterruption(): Interruption {
  const controller = new AbortController();
  let by: InterruptingSignal | null = null;
  const interrupt = (name: NodeJS.Signals) => {
    by ??= names.find((one) => one === name) ?? null;
    controller.abort();
  };
  for (const name of names) process.on(name, interrupt);
  return {
    signal: controller.signal,
    get by() {
      return by;
    },
    get exitCode() {
      return by === null ? exitCodes.interrupted : 128 + constants.signals[by];
    },
    [Symbol.dispose]: () => {
      for (const name of names) process.off(name, interrupt);
    },
  };
}
