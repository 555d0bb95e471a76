import type { WebSocket } from 'ws';

/** How often sockets are pinged (PROTOCOL.md, W3). */
const pingMilliseconds = 12_000;

/** Terminates half-open sockets: those that have not answered a ping by the next one. One timer serves all sockets. */
export class Heartbeat {
  readonly #sockets: ReadonlySet<WebSocket>;
  readonly #timer: NodeJS.Timeout;
  #silent = new WeakSet<WebSocket>();

  constructor(sockets: ReadonlySet<WebSocket>) {
    this.#sockets = sockets;
    this.#timer = setInterval(() => this.beat(), pingMilliseconds);
  }

  /** Call it for each pong. */
  heard(socket: WebSocket): void {
    this.#silent.delete(socket);
  }

  /** Terminates the silent sockets and pings the others. */
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
