import { type Client, createClient } from 'graphql-ws/client';
import type { Credentials } from '../credentials.ts';
import { ConnectionError, errorOf } from '../errors.ts';
import type { Result } from '../http.ts';
import { Channel } from './channel.ts';
import { completed, type Subscription, type Transport } from './transport.ts';

/** After so many milliseconds without an answer, to a ping or to the opening, the socket is taken for dead. */
const silentAfter = 10_000;

/** How many results may wait for a reader; then its subscription is left and resumed. */
const mostWaiting = 1_000;

/** All subscriptions over one WebSocket, which is open while there are any (PROTOCOL.md, W1 to W5). */
export class SocketTransport implements Transport {
  readonly name = 'websocket';
  readonly #client: Client;
  readonly #credentials: Credentials;
  #token: string | null = null;
  #connected = false;
  #open = 0;
  #silence: ReturnType<typeof setTimeout> | undefined;
  readonly #onConnected = new Set<() => void>();

  /** @param url of GraphQL over HTTP */
  constructor(url: string, implementation: unknown, credentials: Credentials) {
    this.#credentials = credentials;
    const heard = () => clearTimeout(this.#silence);
    this.#client = createClient({
      url: url.replace(/^http/, 'ws'),
      webSocketImpl: implementation,
      connectionParams: async () => {
        this.#token = await credentials.token();
        return this.#token === null ? {} : { authorization: `Bearer ${this.#token}` };
      },
      // Reading again and resuming are follow's, whatever the transport.
      retryAttempts: 0,
      keepAlive: silentAfter,
      on: {
        connecting: () => this.#wait(),
        connected: () => {
          heard();
          this.#connected = true;
          for (const tell of this.#onConnected) tell();
        },
        ping: (received) => {
          if (!received) this.#wait();
        },
        pong: (received) => {
          if (received) heard();
        },
        closed: () => {
          heard();
          this.#connected = false;
        },
        error: heard,
      },
    });
  }

  async *open({ query, variables, newestOnly }: Subscription, signal: AbortSignal, onOpen: () => void): AsyncGenerator<Result | typeof completed> {
    signal.throwIfAborted();
    const channel = new Channel<Result | typeof completed>(newestOnly ? 1 : mostWaiting);
    // Comes before an end in good order, which it is not (W1).
    let refusal: Result | null = null;
    const put = (result: Result) => {
      // Left, to be resumed from the last that it took.
      if (!channel.push(result)) channel.fail(new ConnectionError('The reader is too slow.'));
    };
    this.#onConnected.add(onOpen);
    if (this.#connected) onOpen();
    this.#open += 1;
    const leave = this.#client.subscribe<Record<string, unknown>>({ query, variables }, {
      next: (result) => {
        if (result.data == null) refusal = refused(result.errors);
        else put({ data: result.data });
      },
      error: (error) => channel.fail(this.#reasonOf(error)),
      complete: () => {
        if (refusal !== null) put(refusal);
        channel.end();
      },
    });
    const abort = () => channel.fail(signal.reason);
    signal.addEventListener('abort', abort);
    try {
      yield* channel.read();
      yield completed;
    } finally {
      signal.removeEventListener('abort', abort);
      this.#onConnected.delete(onOpen);
      leave();
      this.#open -= 1;
      // Nobody waits for a socket that is still opening.
      if (this.#open === 0 && !this.#connected) this.#client.terminate();
    }
  }

  #wait(): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#client.terminate(), silentAfter);
  }

  /** What the end of a socket means (PROTOCOL.md, close codes). */
  #reasonOf(error: unknown): unknown {
    if (Array.isArray(error)) return errorOf({ code: 'BAD_USER_INPUT', message: error.map(({ message }) => String(message)).join('; ') });
    const { code, reason } = closeOf(error);
    // What `auth` threw.
    if (code === null && error instanceof Error) return error;
    switch (code) {
      case 4401:
        return errorOf({ code: 'UNAUTHENTICATED', message: reason || 'The key is unknown or was revoked.' });
      case 4403:
        this.#credentials.expired(this.#token);
        return errorOf({ code: 'TOKEN_EXPIRED', message: reason || "The access token's time is over." });
      case 1009:
      case 4400:
      case 4406:
      case 4409:
      case 4429:
        return errorOf({ code: 'PROTOCOL', message: `The server closed the socket (${code}): ${reason}` });
      default:
        return new ConnectionError(`The socket broke${code === null ? '' : ` (${code} ${reason})`}.`);
    }
  }
}

function refused(errors: Result['errors']): Result {
  return { errors: errors ?? [{ message: 'The server refused the subscription.' }] };
}

/** Code and reason of a CloseEvent, as the platforms make them. */
function closeOf(event: unknown): { code: number | null; reason: string } {
  if (typeof event !== 'object' || event === null || !('code' in event) || typeof event.code !== 'number') return { code: null, reason: '' };
  return { code: event.code, reason: 'reason' in event && typeof event.reason === 'string' ? event.reason : '' };
}
