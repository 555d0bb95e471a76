import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { LRUCache } from 'lru-cache';
import { longestRequest, type Memory, RepeatedLine, type Repeat } from './repeated-line.ts';

/** Bytes of memory for requests that are remembered. */
const mostBytes = 16 * 1024 * 1024;

/** What remembering a request takes beside its text, roughly, in bytes. */
const overhead = 3_072;

/** Headers with which the same bytes may mean another thing, or have more behind them. */
const excluded = ['content-length', 'transfer-encoding', 'expect', 'upgrade', 'proxy-connection', 'x-forwarded-host'];

/**
 * Requests that come again byte by byte, as those of pollers do. What such bytes say, the parser and the router have told
 * the first time. When they come again, whole and by themselves, on a connection that is between two requests, they are
 * carried out without being parsed and routed anew, which saves more than a third of what a poll costs.
 *
 * Nothing that was answered is remembered, only how to answer: the key is looked at, the request counted and the job read
 * each time.
 */
export class RepeatedRequests {
  readonly #known = new LRUCache<string, Repeat>({
    maxSize: mostBytes,
    sizeCalculation: (_repeat, text) => text.length + overhead,
  });
  readonly #lines = new WeakMap<Socket, RepeatedLine>();
  #underWay = 0;
  #carriedOut = 0;
  #onIdle: PromiseWithResolvers<void> | null = null;
  #stopped = false;

  /** What all lines share. */
  readonly #memory: Memory;

  constructor() {
    this.#memory = {
      find: (text) => (this.#stopped ? undefined : this.#known.get(text)),
      began: () => {
        this.#underWay += 1;
      },
      ended: (answered) => {
        if (answered) this.#carriedOut += 1;
        this.#underWay -= 1;
        if (this.#underWay === 0) this.#onIdle?.resolve();
      },
      isClosing: () => this.#stopped,
    };
  }

  /** Requests that were neither parsed nor routed, since the start. */
  get carriedOut(): number {
    return this.#carriedOut;
  }

  /**
   * To be called in the turn in which the parser hands over the request.
   *
   * @param repeatOf asked once the request was answered with 200 or 304: how to carry it out again, or null
   */
  watch(request: IncomingMessage, response: ServerResponse, repeatOf: () => Repeat | null): void {
    const text = textOf(request);
    if (this.#stopped || text === null) return;
    const line = this.#lineOf(request.socket);
    const chunk = line.chunkOf(text);
    response.once('finish', () => {
      if (response.statusCode !== 200 && response.statusCode !== 304) return;
      if (chunk !== null) line.answered(chunk);
      if (this.#known.has(text)) return;
      const repeat = repeatOf();
      if (repeat !== null) this.#known.set(text, repeat);
    });
  }

  /** The connection speaks another protocol from now on. */
  release(socket: Socket): void {
    this.#lines.get(socket)?.release();
  }

  /** From now on everything is parsed. Resolves when what is under way is answered. May be called twice. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#underWay === 0) return;
    this.#onIdle ??= Promise.withResolvers<void>();
    await this.#onIdle.promise;
  }

  /** Whether an answer is under way on a connection that Node takes for idle. */
  isUnderWayOn(socket: Socket): boolean {
    return this.#lines.get(socket)?.answering === true;
  }

  #lineOf(socket: Socket): RepeatedLine {
    const known = this.#lines.get(socket);
    if (known !== undefined) return known;
    const line = new RepeatedLine(socket, this.#memory);
    this.#lines.set(socket, line);
    return line;
  }
}

/**
 * The bytes that a request without a body is when it is written out again: whoever sends just these has sent just this
 * request. Null for one that is not to be remembered.
 */
function textOf({ method, url, httpVersion, headers, rawHeaders }: IncomingMessage): string | null {
  if (method !== 'GET' || httpVersion !== '1.1' || excluded.some((name) => name in headers)) return null;
  const { connection } = headers;
  if (connection !== undefined && connection.toLowerCase() !== 'keep-alive') return null;
  const lines = [`GET ${url} HTTP/1.1`];
  for (let at = 0; at < rawHeaders.length; at += 2) lines.push(`${rawHeaders[at]}: ${rawHeaders[at + 1]}`);
  const text = `${lines.join('\r\n')}\r\n\r\n`;
  return text.length > longestRequest ? null : text;
}
