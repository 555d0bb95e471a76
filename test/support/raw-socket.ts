import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';

/** A graphql-transport-ws message from the server. */
interface ServerMessage {
  id?: string;
  type: string;
  payload?: unknown;
}

/** A subscription request. */
export interface Asked {
  query: string;
  variables?: Record<string, unknown>;
  operationName?: string;
}

/**
 * A raw graphql-transport-ws client: keeps the exact text of each message, and can stop reading. Closed after the test.
 */
export class RawSocket {
  readonly ws: WebSocket;
  /** Each message after the acknowledgement, as text. */
  readonly texts: string[] = [];
  /** The server's close code. */
  readonly closed: Promise<number>;
  /** Waiters check again after each message, and when the socket closes. */
  readonly #waiting = new Set<() => void>();
  #over = false;

  private constructor(ws: WebSocket) {
    this.ws = ws;
    ws.on('message', (data) => {
      const text = String(data);
      if (text !== '{"type":"connection_ack"}') this.texts.push(text);
      this.#look();
    });
    ws.on('error', () => undefined);
    this.closed = new Promise((resolve) => {
      ws.once('close', (code) => {
        this.#over = true;
        resolve(code);
        this.#look();
      });
    });
  }

  /** Connects without sending anything. */
  static async connect(url: string): Promise<RawSocket> {
    const ws = new WebSocket(`${url.replace(/^http/, 'ws')}/graphql`, 'graphql-transport-ws');
    onTestFinished(() => ws.terminate());
    const socket = new RawSocket(ws);
    await once(ws, 'open');
    return socket;
  }

  /** Connects and initializes the connection. */
  static async open(url: string, key: string): Promise<RawSocket> {
    const socket = await RawSocket.connect(url);
    const acknowledged = once(socket.ws, 'message');
    socket.init(key);
    await acknowledged;
    return socket;
  }

  init(key: string): void {
    this.send({ type: 'connection_init', payload: { apiKey: key } });
  }

  subscribe(id: string, payload: Asked): void {
    this.send({ id, type: 'subscribe', payload });
  }

  complete(id: string): void {
    this.send({ id, type: 'complete' });
  }

  send(message: object): void {
    this.ws.send(JSON.stringify(message));
  }

  /** The messages of one operation, in order. */
  messages(id: string): ServerMessage[] {
    return this.texts.map((text): ServerMessage => JSON.parse(text)).filter((message) => message.id === id);
  }

  /** The payload of each event of one operation, as text. */
  payloads(id: string): string[] {
    const head = `{"id":${JSON.stringify(id)},"type":"next","payload":`;
    return this.texts.filter((text) => text.startsWith(head)).map((text) => text.slice(head.length, -1));
  }

  #look(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }

  /** Waits until the condition holds. Fails if the socket closes first. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      if (this.#over) throw new Error(`the socket closed too early, after ${this.texts.join('\n')}`);
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve);
      });
    }
  }

  /** Waits for the message that ends the operation, and returns it. */
  async end(id: string): Promise<ServerMessage> {
    const last = () => this.messages(id).find(({ type }) => type === 'complete' || type === 'error');
    await this.until(() => last() !== undefined);
    return last() ?? { type: 'none' };
  }
}
