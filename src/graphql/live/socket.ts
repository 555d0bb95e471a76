import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { Connection, type StalledConnections } from './connection.ts';

/** "Try Again Later" in IANA's registry of close codes. graphql-ws clients reconnect after it. */
export const tryAgainLater = 1013;

/** Most unsent bytes for a client that sends requests but does not read: room for several of the largest answers. */
const mostUnsent = 64 * 1024 * 1024;

/** How long a client may take to answer our close frame. One that does not read never will. */
const closeMilliseconds = 1_000;

/** A WebSocket with flow control for its subscriptions. */
export class SocketConnection extends Connection {
  readonly #socket: WebSocket;
  readonly #stream: Duplex;
  #awaitsDrain = false;

  /** @param stream the stream that the WebSocket writes to, without compression */
  constructor(socket: WebSocket, stream: Duplex, stalled: StalledConnections) {
    super(stalled);
    this.#socket = socket;
    this.#stream = stream;
  }

  protected get unsent(): number {
    return this.#socket.bufferedAmount;
  }

  protected write(text: string): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(text);
  }

  /** Listens for `drain` once per congestion: a callback for each message would cost a broadcast 5% of its time. */
  protected override congested(): void {
    if (this.#awaitsDrain) return;
    this.#awaitsDrain = true;
    this.#stream.once('drain', () => {
      this.#awaitsDrain = false;
      this.sent();
    });
  }

  /** Sends a message that must not wait for room: one of the protocol, or the result of a query or mutation. */
  answer(text: string): void {
    this.write(text);
    if (this.unsent > mostUnsent) this.giveUp();
  }

  giveUp(why = 'Too slow'): void {
    closeSoon(this.#socket, tryAgainLater, why);
  }
}

/** Closes the socket, and terminates it if the client does not answer. */
export function closeSoon(socket: WebSocket, code: number, reason: string): void {
  // Otherwise each of a thousand messages to a full socket would start a timer.
  if (socket.readyState !== socket.OPEN) return;
  socket.close(code, reason);
  const cut = setTimeout(() => socket.terminate(), closeMilliseconds);
  socket.once('close', () => clearTimeout(cut));
}
