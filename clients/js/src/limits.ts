import { AbortError, TimeoutError } from './errors.ts';

/** What becomes of the job when a call is aborted or times out: it goes on, or it is cancelled. */
export type OnAbort = 'detach' | 'cancel';

/** How long a call may go on. */
export interface Limits {
  /** Aborting it rejects with AbortError, before, during and after. */
  signal?: AbortSignal | undefined;
  /** Milliseconds from the call on; then it rejects with TimeoutError. */
  timeout?: number | undefined;
  /** Default: detach. */
  onAbort?: OnAbort | undefined;
}

/** Limits whose clock runs: they may hold for several calls. */
export interface RunningLimits {
  signal: AbortSignal | null;
  timeout: number;
  /** By performance.now(). */
  endsAt: number;
  onAbort: OnAbort;
}

export function begin({ signal, timeout = Infinity, onAbort = 'detach' }: Limits = {}): RunningLimits {
  return { signal: signal ?? null, timeout, endsAt: performance.now() + timeout, onAbort };
}

/** setTimeout takes no more. */
const longestTimer = 2 ** 31 - 1;

/** One signal for several limits. `release` it: it leaves no listener and no timer. */
export interface Link {
  signal: AbortSignal;
  /** The limit that ended it; null where none did. */
  readonly endedBy: RunningLimits | null;
  /** Ends the signal itself. */
  abort(reason: unknown): void;
  release(): void;
}

export function link(limits: readonly RunningLimits[]): Link {
  const controller = new AbortController();
  const undo: (() => void)[] = [];
  const release = () => {
    for (const one of undo.splice(0)) one();
  };
  const abort = (reason: unknown) => {
    release();
    controller.abort(reason);
  };
  let endedBy: RunningLimits | null = null;
  for (const limit of limits) {
    if (controller.signal.aborted) break;
    const { signal, timeout, endsAt } = limit;
    const end = (reason: unknown) => {
      if (!controller.signal.aborted) endedBy = limit;
      abort(reason);
    };
    if (signal !== null) {
      const onAbort = () => end(signal.reason instanceof AbortError ? signal.reason : new AbortError(signal.reason));
      if (signal.aborted) onAbort();
      else {
        signal.addEventListener('abort', onAbort);
        undo.push(() => signal.removeEventListener('abort', onAbort));
      }
    }
    if (timeout !== Infinity && !controller.signal.aborted) {
      const left = endsAt - performance.now();
      if (left <= 0) end(new TimeoutError(timeout));
      else {
        const timer = setTimeout(() => end(new TimeoutError(timeout)), Math.min(left, longestTimer));
        undo.push(() => clearTimeout(timer));
      }
    }
  }
  return {
    signal: controller.signal,
    get endedBy() {
      return endedBy;
    },
    abort,
    release,
  };
}

/** Runs it within the limits: rejects at once when one of them ends it. */
export async function within<T>(limits: readonly RunningLimits[], run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { signal, release } = link(limits);
  try {
    return await unlessAborted(signal, run);
  } finally {
    release();
  }
}

/** Rejects with the signal's reason as soon as it is aborted, whatever the work does. */
export async function unlessAborted<T>(signal: AbortSignal, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const done = new AbortController();
  const aborted = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { signal: done.signal });
  });
  try {
    return await Promise.race([run(signal), aborted]);
  } finally {
    done.abort();
  }
}

/** Waits, unless the signal ends it. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, Math.min(milliseconds, longestTimer));
    signal.addEventListener('abort', stop, { once: true });
  });
}

/** A pause before the next try: doubles from 200 ms to 8 s, with jitter, so that clients of a restarted server spread. */
export function backoff(failures: number): number {
  return Math.min(8_000, 200 * 2 ** failures) * (0.5 + Math.random() / 2);
}
