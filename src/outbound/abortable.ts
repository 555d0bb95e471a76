import { addAbortListener } from 'node:events';

/**
 * Settles like the promise, or rejects with the signal's reason as soon as it aborts, whichever comes first. The promise
 * that lost may still settle; nobody hears of it.
 */
export async function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const listener = addAbortListener(signal, () => aborted.reject(signal.reason));
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    listener[Symbol.dispose]();
  }
}
