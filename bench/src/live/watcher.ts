import { randomBytes, randomUUID } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { clientFrame, headAt, opcodes } from './frames.ts';
import { readStamp } from './stamps.ts';

export interface Subscription {
  query: string;
  variables: Record<string, unknown>;
}

/** Callbacks of a watcher. */
interface Listener {
  /** @param made when the version was made, in milliseconds since the epoch; null if this watcher does not read it */
  onVersion(made: number | null): void;
  onLost(reason: string): void;
}

/** All sockets share one read buffer, because each read is processed before the next. */
const incoming = Buffer.alloc(256 * 1024);

/**
 * A graphql-transport-ws client on its own socket. It is hand-written, so that a thousand of them use as little as possible of
 * the two cores that they share with the server: it only finds the bounds of frames, and reads the first ones.
 */
export class Watcher {
  readonly #socket: Socket;
  readonly #subscription: Subscription;
  readonly #listener: Listener;
  /** Whether it reads from each frame when it was made. */
  readonly #samples: boolean;
  readonly #subscribed = Promise.withResolvers<void>();
  readonly #begun = Promise.withResolvers<void>();
  /** An id like those of graphql-ws' client. */
  readonly #id = randomUUID();
  #phase: 'upgrade' | 'init' | 'first' | 'watching' = 'upgrade';
  #rest: Buffer | null = null;

  constructor(
    { port, key }: { port: number; key: string },
    subscription: Subscription,
    samples: boolean,
    listener: Listener,
  ) {
    this.#subscription = subscription;
    this.#samples = samples;
    this.#listener = listener;
    const read = { buffer: incoming, callback: (bytes: number) => this.#read(bytes) };
    this.#socket = connect({ host: '127.0.0.1', port, noDelay: true, onread: read }, () => {
      this.#socket.write(
        `GET /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
          `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n` +
          `Authorization: Bearer ${key}\r\n\r\n`,
      );
    });
    this.#socket.on('error', ({ message }) => listener.onLost(message));
    this.#socket.on('close', () => listener.onLost('the server closed a socket'));
  }

  /** Resolves once the subscription was sent. */
  get subscribed(): Promise<void> {
    return this.#subscribed.promise;
  }

  /** Resolves once the first version was received. */
  get begun(): Promise<void> {
    return this.#begun.promise;
  }

  close(): void {
    this.#socket.removeAllListeners('close').destroy();
  }

  #read(bytes: number): boolean {
    if (this.#rest === null) {
      this.#take(incoming, bytes);
    } else {
      const whole = Buffer.concat([this.#rest, incoming.subarray(0, bytes)]);
      this.#rest = null;
      this.#take(whole, whole.length);
    }
    return true;
  }

  #take(buffer: Buffer, length: number): void {
    let at = 0;
    if (this.#phase === 'upgrade') {
      at = this.#takeUpgrade(buffer, length);
      if (at === 0) return;
    }
    while (at < length) {
      const head = headAt(buffer, at, length);
      if (head === null) {
        this.#rest = Buffer.from(buffer.subarray(at, length));
        return;
      }
      if (head.opcode === opcodes.text) this.#takeText(buffer, head.start, head.end);
      else this.#takeControl(head.opcode, buffer.subarray(head.start, head.end));
      at = head.end;
    }
  }

  /** Returns where the first frame begins; 0 while the response is incomplete. */
  #takeUpgrade(buffer: Buffer, length: number): number {
    const end = buffer.subarray(0, length).indexOf('\r\n\r\n');
    if (end === -1) {
      this.#rest = Buffer.from(buffer.subarray(0, length));
      return 0;
    }
    const status = buffer.toString('latin1', 0, buffer.indexOf('\r\n'));
    if (!status.startsWith('HTTP/1.1 101 ')) throw new Error(`no upgrade: ${status}`);
    this.#phase = 'init';
    this.#send({ type: 'connection_init' });
    return end + 4;
  }

  #takeText(buffer: Buffer, start: number, end: number): void {
    if (this.#phase === 'watching') {
      this.#listener.onVersion(this.#samples ? readStamp(buffer.toString('latin1', start, end)) : null);
      return;
    }
    const text = buffer.toString('utf8', start, end);
    if (this.#phase === 'init') {
      if (!text.includes('"connection_ack"')) throw new Error(`no acknowledgement: ${text}`);
      this.#phase = 'first';
      this.#send({ id: this.#id, type: 'subscribe', payload: this.#subscription });
      this.#subscribed.resolve();
    } else {
      if (!text.startsWith(`{"id":"${this.#id}","type":"next"`) || text.includes('"errors"')) {
        throw new Error(`not what was subscribed to: ${text}`);
      }
      this.#phase = 'watching';
      this.#begun.resolve();
    }
  }

  #takeControl(opcode: number, payload: Buffer): void {
    if (opcode === opcodes.ping) this.#socket.write(clientFrame(opcodes.pong, Buffer.from(payload)));
    else if (opcode === opcodes.close) this.#listener.onLost(`closed with ${payload.readUInt16BE(0)}`);
  }

  #send(message: object): void {
    this.#socket.write(clientFrame(opcodes.text, Buffer.from(JSON.stringify(message))));
  }
}
