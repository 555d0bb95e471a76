import { addAbortListener } from 'node:events';

/**
 * Settles like the promise, or rejects with the signal's reason as soon as the signal aborts. After an abort, the
 * outcome of the promise is ignored.
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
