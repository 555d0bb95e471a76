import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

/** The longest head that is looked at. undici refuses longer ones. */
const mostBytes = 64 * 1024;

/**
 * A connection for one request, on which a server's interim answers with status 100 are not seen. RFC 9110 (15.2) lets a
 * server send them unasked, and undici ends the connection at one. It understands the others.
 */
export class WithoutContinue extends Duplex {
  readonly #socket: Socket;
  /** What has arrived of a head; null once the final answer has begun. */
  #head: Buffer | null = Buffer.alloc(0);

  constructor(socket: Socket) {
    super();
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      const passed = this.#filter(chunk);
      if (passed.length > 0 && !this.push(passed)) socket.pause();
    });
    socket.on('end', () => {
      if (this.#head !== null && this.#head.length > 0) this.push(this.#head);
      this.push(null);
    });
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => {
      if (!socket.readableEnded) this.destroy();
    });
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, encoding, done);
  }

  override _final(done: () => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }

  #filter(chunk: Buffer): Buffer {
    if (this.#head === null) return chunk;
    const passed: Buffer[] = [];
    let rest = Buffer.concat([this.#head, chunk]);
    for (;;) {
      const [, status] = /^HTTP\/\d\.\d (\d{3})/.exec(rest.toString('latin1', 0, 12)) ?? [];
      const end = rest.indexOf('\r\n\r\n');
      const isFinal = status === undefined ? rest.length >= 12 : !status.startsWith('1') || status === '101';
      if (isFinal || rest.length > mostBytes) {
        this.#head = null;
        return Buffer.concat([...passed, rest]);
      }
      if (end < 0) {
        this.#head = rest;
        return Buffer.concat(passed);
      }
      if (status !== '100') passed.push(rest.subarray(0, end + 4));
      rest = rest.subarray(end + 4);
    }
  }
}
