import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * The connections on which nothing has come yet, such as those that browsers and HTTP clients open ahead. Node does not count
 * them as idle, so closing the server would wait for them.
 */
export class UnusedConnections {
  readonly #open = new Set<Socket>();

  constructor(server: Server) {
    server.on('connection', (socket: Socket) => {
      this.#open.add(socket);
      socket.once('close', () => this.#open.delete(socket));
    });
    server.on('request', ({ socket }) => this.#open.delete(socket));
    server.on('upgrade', ({ socket }) => this.#open.delete(socket));
  }

  close(): void {
    for (const socket of this.#open) if (socket.bytesRead === 0) socket.destroy();
  }
}
