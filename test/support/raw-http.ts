import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { onTestFinished } from 'vitest';

/** A raw HTTP answer. */
export interface RawAnswer {
  status: number;
  /** Keyed by name in lower case. */
  headers: Record<string, string>;
  body: string;
}

/** A connection on which a test writes raw bytes, in pieces of its choice. Closed after the test. */
export class RawHttp {
  readonly #socket: Socket;
  readonly #answers: RawAnswer[] = [];
  #taken = 0;
  #rest = Buffer.alloc(0);
  #over = false;
  #look: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (part: Buffer) => {
      this.#rest = Buffer.concat([this.#rest, part]);
      for (let answer = this.#cut(); answer !== null; answer = this.#cut()) this.#answers.push(answer);
      this.#look();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#over = true;
      this.#look();
    });
  }

  static async open(url: string): Promise<RawHttp> {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    onTestFinished(() => void socket.destroy());
    await once(socket, 'connect');
    return new RawHttp(socket);
  }

  get socket(): Socket {
    return this.#socket;
  }

  /**
   * Resolves when the kernel has the bytes and the server, which shares this process' event loop, has had time to read them.
   * So what is written next arrives as a separate piece.
   */
  async write(bytes: string): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.write(bytes, 'latin1', () => resolve()));
    for (let turn = 0; turn < 3; turn += 1) await nextTurn();
  }

  /** The next answers, in order. */
  async answers(count: number): Promise<RawAnswer[]> {
    while (this.#answers.length < this.#taken + count) {
      if (this.#over) throw new Error(`the connection ended after ${this.#answers.length - this.#taken} of ${count} answers`);
      await new Promise<void>((resolve) => {
        this.#look = resolve;
      });
    }
    this.#taken += count;
    return this.#answers.slice(this.#taken - count, this.#taken);
  }

  async ask(bytes: string): Promise<RawAnswer> {
    await this.write(bytes);
    const [answer] = await this.answers(1);
    if (answer === undefined) throw new Error('no answer');
    return answer;
  }

  #cut(): RawAnswer | null {
    const headEnd = this.#rest.indexOf('\r\n\r\n');
    if (headEnd === -1) return null;
    const [line = '', ...lines] = this.#rest.toString('latin1', 0, headEnd).split('\r\n');
    const headers = Object.fromEntries(
      lines.map((each) => {
        const colon = each.indexOf(':');
        return [each.slice(0, colon).toLowerCase(), each.slice(colon + 1).trim()];
      }),
    );
    const start = headEnd + 4;
    const end = start + Number(headers['content-length'] ?? 0);
    if (this.#rest.length < end) return null;
    const body = this.#rest.toString('utf8', start, end);
    this.#rest = this.#rest.subarray(end);
    return { status: Number(line.split(' ')[1]), headers, body };
  }
}
