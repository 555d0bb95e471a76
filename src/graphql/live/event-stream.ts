import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import { whenClosed } from './when-closed.ts';
import { Connection, type StalledConnections } from './connection.ts';
import type { Frame } from './frame.ts';
import { inWaves } from './waves.ts';

/** Interval of the comments that keep proxies from closing a quiet stream (PROTOCOL.md, E4). */
const keepAliveMilliseconds = 12_000;

/** Bounds of the random delay, in milliseconds, after which clients of a stopping process reconnect (E3). */
const retryAfter = { least: 1_000, most: 5_000 };

/** How long a held answer is kept open after its first event, in milliseconds: what comes right after it goes along. */
const gatherMilliseconds = 20;

/** How long a stream may take to send its last bytes when the process stops. */
const farewellMilliseconds = 500;

export const streamHeaders = {
  'content-type': 'text/event-stream; charset=utf-8',
  // Without `no-transform` proxies compress it, and send nothing before they have enough for a block.
  'cache-control': 'no-cache, no-transform',
  // Proxies that buffer responses would hold back every event.
  'x-accel-buffering': 'no',
} as const;

/**
 * A server-sent events response in graphql-sse's distinct connections mode (PROTOCOL.md, E1 to E5). Held, it is a poll (E7): it ends
 * after its first event or in time, without saying that the subscription is complete.
 */
export class EventStream extends Connection {
  readonly #response: ServerResponse;
  readonly #stalled: StalledConnections;
  readonly #onSent = () => this.sent();
  #held: NodeJS.Timeout | null = null;
  #waits = false;

  /**
   * @param reply hijacked; its headers so far are sent too
   * @param wait how many seconds to hold it; null for a stream that stays
   */
  constructor(reply: FastifyReply, stalled: StalledConnections, wait: number | null = null) {
    super(stalled);
    const response = reply.raw;
    this.#response = response;
    this.#stalled = stalled;
    const headers = Object.entries(reply.getHeaders()).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
    response.writeHead(200, {
      ...Object.fromEntries(headers),
      ...streamHeaders,
    });
    response.write(':\n\n');
    if (wait === null) return;
    this.#waits = true;
    this.#holdFor(wait * 1_000);
    whenClosed(response, () => this.#letGo());
  }

  protected get unsent(): number {
    return this.#response.writableLength;
  }

  protected write(text: string): void {
    if (this.#response.writableEnded) return;
    this.#response.write(text, this.#onSent);
    if (!this.#waits) return;
    this.#waits = false;
    this.#holdFor(gatherMilliseconds);
  }

  /** Nothing to do: every write calls `sent` from its callback. */
  protected override congested(): void {}

  giveUp(): void {
    this.#response.destroy();
  }

  /** Sends one event and ends the stream: for errors, and for the result of a query or mutation. */
  answer(result: object): void {
    this.#end(`event: next\ndata: ${JSON.stringify(result)}\n\n${completed}`);
  }

  end(): void {
    this.#end(completed);
  }

  #holdFor(milliseconds: number): void {
    this.#letGo();
    this.#held = setTimeout(() => {
      if (!this.#response.writableEnded) this.#end('');
    }, milliseconds);
  }

  #letGo(): void {
    if (this.#held !== null) clearTimeout(this.#held);
  }

  /** Registers as stalled, so that the stream is closed if the client never reads the end. */
  #end(text: string): void {
    this.#response.end(text);
    this.#stalled.add(this);
    whenClosed(this.#response, () => this.#stalled.remove(this));
  }
}

const completed = 'event: complete\ndata:\n\n';

export function toEvent({ resumeId, payload }: Frame): string {
  return `event: next\n${resumeId === null ? '' : `id: ${resumeId}\n`}data: ${payload}\n\n`;
}

/** The long-lived responses of this process. */
export class OpenStreams {
  readonly #events = new Set<ServerResponse>();
  readonly #others = new Set<ServerResponse>();
  readonly #keepAlive = setInterval(() => this.beat(), keepAliveMilliseconds);
  #stopping = false;

  get size(): number {
    return this.#events.size + this.#others.size;
  }

  /** @param kind `events` for an EventStream, which gets keep-alive comments and a `retry` before it is cut */
  add(response: ServerResponse, kind: 'events' | 'other'): void {
    const streams = kind === 'events' ? this.#events : this.#others;
    streams.add(response);
    whenClosed(response, () => streams.delete(response));
    // The request was in flight when the process began to stop, so it is in none of the waves.
    if (this.#stopping) this.#cut(response);
  }

  /** Sends a comment to each event stream. */
  beat(): void {
    for (const response of this.#events) if (!response.writableEnded) response.write(':\n\n');
  }

  /** Cuts all responses, in waves. An orderly end would tell clients that the subscription is complete. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearInterval(this.#keepAlive);
    await inWaves([...this.#others, ...this.#events], (response) => this.#cut(response));
  }

  #cut(response: ServerResponse): void {
    if (this.#events.has(response)) sendAway(response);
    else response.destroy();
  }
}

function sendAway(response: ServerResponse): void {
  const retry = retryAfter.least + Math.random() * (retryAfter.most - retryAfter.least);
  const cut = setTimeout(() => response.destroy(), farewellMilliseconds);
  whenClosed(response, () => clearTimeout(cut));
  // A stream that has ended only needs time to send its last bytes.
  if (!response.writableEnded) response.write(`retry: ${Math.round(retry)}\n\n`, () => response.destroy());
}
