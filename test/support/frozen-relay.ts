import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A network to a server that may move, and that can freeze: what is sent meanwhile is lost with its connections, without a word. */
export class Relay {
  readonly url: string;
  readonly #server;
  readonly #sockets = new Set<Socket>();
  #target: URL | null = null;
  #frozen = false;

  private constructor(server: ReturnType<typeof createServer>, port: number) {
    this.#server = server;
    this.url = `http://127.0.0.1:${port}`;
    server.on('connection', (socket) => this.#join(socket));
  }

  static async listen(): Promise<Relay> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Relay(server, (server.address() as AddressInfo).port);
  }

  /** Where connections lead from now on. */
  to(url: string): void {
    this.#target = new URL(url);
  }

  /** Nothing passes, and no connection that is there, or comes meanwhile, will ever be of use again. */
  freeze(): void {
    this.#frozen = true;
    for (const socket of this.#sockets) socket.pause().unpipe();
  }

  thaw(): void {
    this.#frozen = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, 'close');
  }

  #join(near: Socket): void {
    this.#keep(near);
    if (this.#frozen || this.#target === null) return;
    const far = connect(Number(this.#target.port), this.#target.hostname);
    this.#keep(far);
    near.pipe(far);
    far.pipe(near);
    for (const [one, other] of [[near, far], [far, near]] as const) one.once('close', () => this.#frozen || other.destroy());
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => this.#sockets.delete(socket));
  }
}
