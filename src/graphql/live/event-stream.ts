import type { ServerResponse } from 'node:http';
import { whenClosed } from './when-closed.ts';
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
  readonly #stalled: StalledConnections;
  readonly #onSent = () => this.sent();

  constructor(response: ServerResponse, stalled: StalledConnections) {
    super(stalled);
    this.#response = response;
    this.#stalled = stalled;
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

  /** Each write tells when it has left. */
  protected override congested(): void {}

  giveUp(): void {
    this.#response.destroy();
  }

  /** One event and the end: a refusal, or the result of what is no subscription. */
  answer(result: object): void {
    this.#end(`event: next\ndata: ${JSON.stringify(result)}\n\n${completed}`);
  }

  end(): void {
    this.#end(completed);
  }

  /** Whoever does not read the end is given up in time: no ping would tell that it is gone. */
  #end(text: string): void {
    this.#response.end(text);
    this.#stalled.add(this);
    whenClosed(this.#response, () => this.#stalled.remove(this));
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
  readonly #keepAlive = setInterval(() => this.beat(), keepAliveMilliseconds);
  #stopping = false;

  get size(): number {
    return this.#events.size + this.#others.size;
  }

  /** @param kind `events`: one of ours, which has begun and may be sent comments and a farewell */
  add(response: ServerResponse, kind: 'events' | 'other'): void {
    const streams = kind === 'events' ? this.#events : this.#others;
    streams.add(response);
    whenClosed(response, () => streams.delete(response));
    // Its request was in flight when the process was told to stop, and the waves have passed it by.
    if (this.#stopping) this.#cut(response);
  }

  /** Sends each event stream a comment. */
  beat(): void {
    for (const response of this.#events) if (!response.writableEnded) response.write(':\n\n');
  }

  /** Cuts them all, in waves: an orderly end would tell clients that everything was said. */
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
  // One that has said everything only needs the time to get it across.
  if (!response.writableEnded) response.write(`retry: ${Math.round(retry)}\n\n`, () => response.destroy());
}
