import { abortable } from '../../outbound/abortable.ts';
import { FileTooLargeError } from './errors.ts';
import type { AppendOptions } from './store.ts';

/**
 * The chunks of a source. Throws as soon as the signal aborts, whatever the source does, and FileTooLargeError for the chunk that
 * goes over the limit.
 *
 * @param from bytes of the file that come before
 */
export async function* taken(
  source: AsyncIterable<Uint8Array>,
  from: number,
  { signal, maxBytes }: Pick<AppendOptions, 'signal' | 'maxBytes'>,
): AsyncGenerator<Uint8Array, void> {
  const chunks = source[Symbol.asyncIterator]();
  let bytes = from;
  let ended = false;
  try {
    for (;;) {
      const chunk = await abortable(chunks.next(), signal);
      if (chunk.done === true) {
        ended = true;
        return;
      }
      bytes += chunk.value.byteLength;
      if (bytes > maxBytes) throw new FileTooLargeError(maxBytes);
      yield chunk.value;
    }
  } finally {
    // Not awaited: a generator that hangs in its own await would never return.
    if (!ended) chunks.return?.().catch(() => {});
  }
}
