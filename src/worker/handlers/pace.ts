import { HandlerError } from '../handler.ts';

/** How fast a source has to be. */
export interface Pace {
  /** Seconds of waiting for it over which its rate is judged. */
  windowSeconds: number;
  /** What has to come in that time. A source that sends nothing at all is given up by the fetch, after a minute. */
  leastBytes: number;
  /** Seconds that all of it may take. */
  wholeSeconds: number;
}

/**
 * A kibibyte a second, over a minute: what is small may trickle in. Most types time out after an hour: this tells first what is the
 * matter.
 */
const usualPace: Pace = { windowSeconds: 60, leastBytes: 60 * 1024, wholeSeconds: 3_300 };

/**
 * Passes a source on as long as it keeps pace. Time that whoever reads it takes does not count against its rate.
 *
 * @throws HandlerError SOURCE_TOO_SLOW. It may be tried again: a download goes on where it was.
 */
export async function* paced(
  chunks: AsyncIterable<Uint8Array>,
  host: string,
  { windowSeconds, leastBytes, wholeSeconds }: Pace = usualPace,
  milliseconds = () => performance.now(),
): AsyncGenerator<Uint8Array, void> {
  const began = milliseconds();
  let asked = began;
  let [waited, bytes] = [0, 0];
  for await (const chunk of chunks) {
    const now = milliseconds();
    waited += now - asked;
    bytes += chunk.byteLength;
    if (waited >= windowSeconds * 1_000) {
      if (bytes < leastBytes) throw tooSlow(`${host} sent ${bytes} bytes in ${Math.round(waited / 1_000)} seconds`);
      [waited, bytes] = [0, 0];
    }
    if (now - began >= wholeSeconds * 1_000) throw tooSlow(`${host} has not sent the file within ${wholeSeconds} seconds`);
    yield chunk;
    asked = milliseconds();
  }
}

function tooSlow(what: string): HandlerError {
  return new HandlerError('SOURCE_TOO_SLOW', `${what}, which is too slow. Try again later, or use a faster source.`, { retryable: true });
}
