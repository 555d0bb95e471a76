import { ConnectionError } from '../errors.ts';
import { type Http, parse, type Result } from '../http.ts';
import { begin, type Link, link } from '../limits.ts';
import { completed, type Subscription } from './transport.ts';

/** The server sends a comment every 12 seconds (E4). */
const silentAfter = 30_000;

/** A stream begins with a comment at once: what holds back that, holds back everything. */
const firstByteWithin = 10_000;

/** How long a poll is held, in seconds. */
const heldSeconds = 25;

/**
 * Server-sent events, read by fetch (PROTOCOL.md, E1 to E5). Held, they are polls: answers that end after their first event or in time,
 * to be asked again (E7).
 */
export async function* openEvents(
  http: Http,
  held: boolean,
  { query, variables }: Subscription,
  outer: AbortSignal,
  onOpen: () => void,
): AsyncGenerator<Result | typeof completed> {
  const linked = link([begin({ signal: outer })]);
  const patience = new Patience(linked);
  try {
    patience.wait(held ? heldSeconds * 1_000 + silentAfter : firstByteWithin);
    const headers = { accept: 'text/event-stream', ...(held ? { prefer: `wait=${heldSeconds}` } : {}) };
    const response = await http.send({ query, variables }, { signal: linked.signal, headers });
    if (response.headers.get('content-type')?.startsWith('text/event-stream') !== true || response.body === null) {
      yield await parse(response);
      // An answer of another kind is a refusal.
      throw new ConnectionError('The server answered a subscription with one result.');
    }
    let after: number | undefined;
    let heard = false;
    for await (const { event, data, retry } of eventsOf(response.body, () => {
      heard = true;
      onOpen();
      patience.wait(silentAfter);
    })) {
      if (retry !== null) after = retry;
      if (event === 'complete') return yield completed;
      if (event === 'next') yield readResult(data);
    }
    if (!held || !heard) throw new ConnectionError('The event stream was cut.', { retryAfter: after });
  } catch (error) {
    outer.throwIfAborted();
    throw linked.signal.aborted ? linked.signal.reason : error;
  } finally {
    patience.over();
    linked.abort(new ConnectionError('It was left.'));
  }
}

/** Ends a stream in which nothing comes. */
class Patience {
  readonly #linked: Link;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(linked: Link) {
    this.#linked = linked;
  }

  wait(milliseconds: number): void {
    this.over();
    this.#timer = setTimeout(() => this.#linked.abort(new ConnectionError(`Nothing came for ${milliseconds / 1_000} seconds.`)), milliseconds);
  }

  over(): void {
    clearTimeout(this.#timer);
  }
}

interface ServerEvent {
  event: string;
  data: string;
  /** Milliseconds. */
  retry: number | null;
}

/** The events of a stream, as far as graphql-sse uses the format. @param onBytes told of all that comes, comments too */
async function* eventsOf(body: ReadableStream<Uint8Array>, onBytes: () => void): AsyncGenerator<ServerEvent> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  try {
    for (;;) {
      const { done, value } = await readBytes(reader);
      if (done) return;
      onBytes();
      text += decoder.decode(value, { stream: true });
      for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
        const block = text.slice(0, end);
        text = text.slice(end + 2);
        yield readEvent(block);
      }
    }
  } finally {
    // Not awaited: a body whose connection is gone never answers.
    reader.cancel().catch(() => {});
  }
}

async function readBytes(reader: ReadableStreamDefaultReader<Uint8Array>) {
  try {
    return await reader.read();
  } catch (cause) {
    throw new ConnectionError('The event stream broke.', { cause });
  }
}

function readEvent(block: string): ServerEvent {
  const read: ServerEvent = { event: '', data: '', retry: null };
  for (const line of block.split('\n')) {
    const [, name, value = ''] = /^(event|data|retry): ?(.*)$/.exec(line) ?? [];
    if (name === 'event') read.event = value;
    if (name === 'data') read.data += value;
    if (name === 'retry') read.retry = Number(value);
  }
  return read;
}

function readResult(data: string): Result {
  const result: unknown = JSON.parse(data);
  return typeof result === 'object' && result !== null ? result : {};
}
