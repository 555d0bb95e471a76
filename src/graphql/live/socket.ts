import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { Connection, type StalledConnections } from './connection.ts';

/** "Try again later" (IANA's registry of close codes): clients of graphql-ws connect again. */
export const tryAgainLater = 1013;

/** Bytes of answers that may wait for a client that asks and does not read: the largest answers, several times over. */
const mostUnsent = 64 * 1024 * 1024;

/** How long a socket may take to answer our close, in milliseconds. One that does not read never will. */
const closeMilliseconds = 1_000;

/** A WebSocket with subscriptions behind it. */
export class SocketConnection extends Connection {
  readonly #socket: WebSocket;
  readonly #stream: Duplex;
  #awaitsDrain = false;

  /** @param stream what the WebSocket writes to, without compression */
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

  /** Once for each congestion: a callback for each message would cost a broadcast a twentieth of its time. */
  protected override congested(): void {
    if (this.#awaitsDrain) return;
    this.#awaitsDrain = true;
    this.#stream.once('drain', () => {
      this.#awaitsDrain = false;
      this.sent();
    });
  }

  /** An answer that cannot wait for room: of the protocol, or of a query or mutation. */
  answer(text: string): void {
    this.write(text);
    if (this.unsent > mostUnsent) this.giveUp();
  }

  giveUp(): void {
    closeSoon(this.#socket, tryAgainLater, 'Too slow');
  }
}

/** Closes, and cuts the socket where no answer comes. */
export function closeSoon(socket: WebSocket, code: number, reason: string): void {
  // Each of a thousand answers that find no room would otherwise bring a timer of its own.
  if (socket.readyState !== socket.OPEN) return;
  socket.close(code, reason);
  const cut = setTimeout(() => socket.terminate(), closeMilliseconds);
  socket.once('close', () => clearTimeout(cut));
}
