import { isPassing, LonghaulError } from './errors.ts';
import type { Http } from './http.ts';
import { backoff, pause } from './limits.ts';
import { mutate } from './mutate.ts';

/** So often in a row something may fail before it is given up. */
const mostFailures = 9;

/** For how long something is tried again: a worker's calls for an attempt until their signal ends them, as its lease says when it is over. */
export type Patience = 'usual' | 'endless';

/** Waits before the next try of what has failed so often in a row. @throws the error itself, where another try is not worth it */
export async function pauseAfter(error: unknown, failures: number, signal: AbortSignal, patience: Patience): Promise<void> {
  signal.throwIfAborted();
  const isWorthIt = patience === 'endless' ? isWorthWaiting : isPassing;
  if (!isWorthIt(error) || (patience === 'usual' && failures > mostFailures)) throw error;
  await pause(Math.max(backoff(failures), error.retryAfter ?? 0), signal);
}

/** As `mutate`, of a worker: tried again for as long as the signal lets it. @throws LonghaulError */
export async function insist<Payload>(http: Http, document: string, input: object, signal: AbortSignal): Promise<Payload> {
  for (let failures = 0; ; failures += 1) {
    try {
      return await mutate<Payload>(http, document, input, signal);
    } catch (error) {
      await pauseAfter(error, failures, signal, 'endless');
    }
  }
}

/** Whether a worker tries again for as long as its lease lasts: also until there is room, and past a bug that another process may not have. */
function isWorthWaiting(error: unknown): error is LonghaulError {
  return isPassing(error) || (error instanceof LonghaulError && (error.code === 'INTERNAL' || error.code === 'INSUFFICIENT_STORAGE'));
}
