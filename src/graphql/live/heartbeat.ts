import type { WebSocket } from 'ws';

/** How often sockets are pinged, in milliseconds (PROTOCOL.md, W3). */
const pingMilliseconds = 12_000;

/** Cuts half-open sockets: whoever has not answered a ping by the next one is gone. One timer for all of them. */
export class Heartbeat {
  readonly #sockets: ReadonlySet<WebSocket>;
  readonly #timer: NodeJS.Timeout;
  #silent = new WeakSet<WebSocket>();

  constructor(sockets: ReadonlySet<WebSocket>) {
    this.#sockets = sockets;
    this.#timer = setInterval(() => this.beat(), pingMilliseconds);
  }

  /** To be called with each pong. */
  heard(socket: WebSocket): void {
    this.#silent.delete(socket);
  }

  /** Cuts the silent ones and pings the others. */
  beat(): void {
    for (const socket of this.#sockets) {
      if (this.#silent.has(socket)) {
        socket.terminate();
      } else if (socket.readyState === socket.OPEN) {
        this.#silent.add(socket);
        socket.ping();
      }
    }
  }

  /** May be called twice. */
  stop(): void {
    clearInterval(this.#timer);
  }
}
