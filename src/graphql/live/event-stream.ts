import type { ServerResponse } from 'node:http';
import type { ExecutionResult } from 'graphql';
import { Connection, type StalledConnections } from './connection.ts';
import type { Frame } from './frame.ts';
import { inWaves } from './waves.ts';

/** A comment so often keeps proxies from closing a quiet stream, in milliseconds (PROTOCOL.md, E4). */
const keepAliveMilliseconds = 12_000;

/** When clients of a process that stops come back, in milliseconds (E3). */
const retryAfter = { least: 1_000, most: 5_000 };

/** How long the last words of a stream may take to leave, in milliseconds. */
const farewellMilliseconds = 500;

/** A response of server-sent events, in the form of graphql-sse's distinct connections (PROTOCOL.md, E1 to E5). */
export class EventStream extends Connection {
  readonly #response: ServerResponse;
  readonly #onSent = () => this.sent();

  constructor(response: ServerResponse, stalled: StalledConnections) {
    super(stalled);
    this.#response = response;
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
      'access-control-allow-origin': '*',
      // Proxies that gather answers would hold every event back.
      'x-accel-buffering': 'no',
    });
    response.write(':\n\n');
  }

  protected get unsent(): number {
    return this.#response.writableLength;
  }

  protected write(text: string): void {
    if (!this.#response.writableEnded) this.#response.write(text, this.#onSent);
  }

  giveUp(): void {
    this.#response.destroy();
  }

  /** The one event of a subscription that was refused. */
  refuse(result: ExecutionResult): void {
    this.#response.end(`event: next\ndata: ${JSON.stringify(result)}\n\n${completed}`);
  }

  end(): void {
    this.#response.end(completed);
  }
}

const completed = 'event: complete\ndata:\n\n';

export function toEvent({ resumeId, payload }: Frame): string {
  return `event: next\nid: ${resumeId}\ndata: ${payload}\n\n`;
}

/** The responses of a process that do not end by themselves soon. */
export class OpenStreams {
  readonly #events = new Set<ServerResponse>();
  readonly #others = new Set<ServerResponse>();
  readonly #keepAlive = setInterval(() => {
    for (const response of this.#events) response.write(':\n\n');
  }, keepAliveMilliseconds);

  get size(): number {
    return this.#events.size + this.#others.size;
  }

  /** @param kind `events`: one of ours, which may be sent comments and a farewell */
  add(response: ServerResponse, kind: 'events' | 'other'): void {
    const streams = kind === 'events' ? this.#events : this.#others;
    streams.add(response);
    response.once('close', () => streams.delete(response));
  }

  /** Cuts them all, in waves: an orderly end would tell clients that everything was said. */
  async stop(): Promise<void> {
    clearInterval(this.#keepAlive);
    await inWaves([...this.#others, ...this.#events], (response) => {
      if (this.#others.has(response)) response.destroy();
      else sendAway(response);
    });
  }
}

function sendAway(response: ServerResponse): void {
  const retry = retryAfter.least + Math.random() * (retryAfter.most - retryAfter.least);
  const cut = setTimeout(() => response.destroy(), farewellMilliseconds);
  response.once('close', () => clearTimeout(cut));
  response.write(`retry: ${Math.round(retry)}\n\n`, () => response.destroy());
}
