/** Ctrl-C, or another's request to end, as a signal to abort by. */
export interface Interruption extends Disposable {
  signal: AbortSignal;
  /** What a process that ends by it exits with: 128 and the signal's number. */
  readonly exitCode: number;
}

const exitCodeOf = { SIGINT: 130, SIGTERM: 143 } as const;

/** Until it is disposed of, these signals abort instead of ending the process. Further ones change nothing: the launcher may send each twice. */
export function onInterruption(): Interruption {
  const controller = new AbortController();
  let exitCode: number = exitCodeOf.SIGINT;
  const listen = (name: keyof typeof exitCodeOf) => () => {
    if (!controller.signal.aborted) exitCode = exitCodeOf[name];
    controller.abort();
  };
  const onInt = listen('SIGINT');
  const onTerm = listen('SIGTERM');
  process.on('SIGINT', onInt);
  process.on('SIGTERM', onTerm);
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode;
    },
    [Symbol.dispose]: () => {
      process.off('SIGINT', onInt);
      process.off('SIGTERM', onTerm);
    },
  };
}
