import type { Socket } from 'node:net';
import { connectionHeaders } from './connection-headers.ts';

/** Bytes of a request that is remembered; longer ones are rare, and not those of pollers. */
export const longestRequest = 4_096;

/** An answer as it goes over the wire. */
export interface WireAnswer {
  status: number;
  /** Status line and headers, each with its end, but for Date and those of the connection. */
  head: string;
  body: string;
  /** Of head and body: `latin1`, which is written faster, where every character is ASCII. */
  encoding: 'latin1' | 'utf8';
}

/** A request that was answered, and may come again. */
export interface Repeat {
  /** @param then called once, never in the same turn; with null where the request has to go the long way */
  carryOut(then: (answer: WireAnswer | null) => void): void;
  /** Told how it was answered, after so many seconds. */
  answered(status: number, seconds: number): void;
}

/** Whoever remembers the requests of all lines. */
export interface Memory {
  find(text: string): Repeat | undefined;
  began(): void;
  /** @param answered false where the request goes the long way after all */
  ended(answered: boolean): void;
  /** Whether connections end with their next answer, because the process stops. */
  isClosing(): boolean;
}

/**
 * One connection of a poller. Stands between the socket and Node's parser, and answers a chunk by itself where the chunk
 * is one remembered request and nothing else. That it stands by itself is never guessed: a chunk from which the parser
 * made a request that, written out again, is that very chunk, has left nothing in the parser, and the next chunk begins
 * where the next request does.
 *
 * The first requests of a connection go to the parser always, so that Node's limits of time hold as for any other.
 */
export class RepeatedLine {
  readonly #socket: Socket;
  readonly #memory: Memory;
  readonly #parse: (chunk: Buffer) => void;
  readonly #onData = (chunk: Buffer) => this.#take(chunk);
  /** What the parser was given in this very turn. */
  #parsing: string | null = null;
  /** Chunks that went to the parser. */
  #parsed = 0;
  #betweenRequests = false;
  #answering = false;
  /** What came while an answer was under way. */
  #ahead: Buffer[] = [];

  /** To be made while Node's parser has the connection. */
  constructor(socket: Socket, memory: Memory) {
    this.#socket = socket;
    this.#memory = memory;
    const [parse] = socket.listeners('data');
    if (parse === undefined) throw new Error('no parser listens to this connection');
    this.#parse = (chunk) => parse.call(socket, chunk);
    // A listener that is not Node's has the parser stop reading from the socket by itself.
    socket.removeAllListeners('data').on('data', this.#onData);
  }

  /** Whether an answer is under way that Node knows nothing of. */
  get answering(): boolean {
    return this.#answering;
  }

  /** Which chunk the parser has just made this request from, where it is the whole of it; null otherwise. */
  chunkOf(text: string): number | null {
    return this.#parsing === text ? this.#parsed : null;
  }

  /** The request was answered that the chunk was. */
  answered(chunk: number): void {
    // More may have come since.
    if (chunk === this.#parsed) this.#betweenRequests = true;
  }

  /** Listens no longer. */
  release(): void {
    this.#socket.removeListener('data', this.#onData).removeListener('data', this.#parse);
  }

  #take(chunk: Buffer): void {
    if (this.#answering) {
      this.#ahead.push(chunk);
      this.#socket.pause();
      return;
    }
    const text = chunk.length > longestRequest ? null : chunk.toString('latin1');
    // Of who does not read its answers, the parser reads no further.
    const ready = this.#betweenRequests && !this.#socket.writableNeedDrain;
    const repeat = ready && text !== null ? this.#memory.find(text) : undefined;
    if (repeat === undefined) this.#giveToParser(chunk, text);
    else this.#carryOut(repeat, chunk, text);
  }

  #giveToParser(chunk: Buffer, text: string | null): void {
    this.#betweenRequests = false;
    this.#parsed += 1;
    this.#parsing = text;
    this.#parse(chunk);
    this.#parsing = null;
  }

  #carryOut(repeat: Repeat, chunk: Buffer, text: string | null): void {
    const startedAt = performance.now();
    this.#answering = true;
    this.#memory.began();
    repeat.carryOut((answer) => {
      this.#memory.ended(answer !== null);
      this.#answering = false;
      // The client may have hung up, or closed its half, which ends a connection of Node's.
      if (!this.#socket.writable) return;
      if (answer === null) {
        this.#giveToParser(chunk, text);
      } else {
        this.#write(answer);
        repeat.answered(answer.status, (performance.now() - startedAt) / 1_000);
      }
      if (this.#ahead.length > 0 && this.#socket.writable) this.#giveUp();
    });
  }

  #write({ head, body, encoding }: WireAnswer): void {
    const stays = !this.#memory.isClosing();
    this.#socket.write(`${head}${connectionHeaders({ stays })}\r\n${body}`, encoding);
    if (!stays) this.#socket.end();
  }

  /** Who sends before it has read is left to the parser for good, which knows how to keep answers in order. */
  #giveUp(): void {
    this.release();
    for (const chunk of this.#ahead.toReversed()) this.#socket.unshift(chunk);
    this.#ahead = [];
    this.#socket.on('data', this.#parse).resume();
  }
}
