import { type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http';
import { onTestFinished } from 'vitest';
import type { Asked } from './raw-socket.ts';

interface ServerEvent {
  event: string;
  id: string | null;
  data: string;
}

interface Options {
  method?: 'GET' | 'POST';
  lastEventId?: string;
  /** Further parameters for the query string of a GET. */
  search?: Record<string, string>;
}

/** A raw event stream client: keeps the exact text, and can stop reading. Closed after the test. */
export class RawEvents {
  readonly response: IncomingMessage;
  text = '';
  /** Complete events, without comments. */
  readonly events: ServerEvent[] = [];
  #rest = '';
  /** `ended` if the HTTP response ended properly, else `cut`. */
  readonly over: Promise<'ended' | 'cut'>;
  readonly #waiting = new Set<() => void>();
  #over = false;

  private constructor(response: IncomingMessage) {
    this.response = response;
    response.setEncoding('utf8').on('data', (text: string) => {
      this.text += text;
      this.#read(text);
      this.#look();
    });
    response.on('error', () => undefined);
    this.over = new Promise((resolve) => {
      response.once('close', () => {
        this.#over = true;
        resolve(response.complete ? 'ended' : 'cut');
        this.#look();
      });
    });
  }

  static async open(url: string, key: string | null, asked: Asked, options: Options = {}): Promise<RawEvents> {
    const request = requestEvents(url, key, asked, options);
    onTestFinished(() => void request.destroy());
    return new RawEvents(
      await new Promise((resolve, reject) => {
        request.once('response', resolve);
        request.once('error', reject);
      }),
    );
  }

  /** The payload of each event, as text. */
  get payloads(): string[] {
    return this.events.filter(({ event }) => event === 'next').map(({ data }) => data);
  }

  #read(text: string): void {
    const blocks = `${this.#rest}${text}`.split('\n\n');
    this.#rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const lines = block.split('\n').map((line) => /^(\w+): ?(.*)$/.exec(line));
      const field = (name: string) => lines.find((line) => line?.[1] === name)?.[2] ?? null;
      const event = field('event');
      if (event !== null) this.events.push({ event, id: field('id'), data: field('data') ?? '' });
    }
  }

  #look(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }

  /** Waits until the condition holds. Fails if the stream ends first. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      if (this.#over) throw new Error(`the stream was over too early, after ${this.text}`);
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve);
      });
    }
  }

  async end(): Promise<ServerEvent[]> {
    await this.until(() => this.events.some(({ event }) => event === 'complete'));
    return this.events;
  }
}

/** Sends only the request. */
export function requestEvents(url: string, key: string | null, asked: Asked, options: Options = {}): ClientRequest {
  const { method = 'POST', lastEventId, search = {} } = options;
  const target = new URL(`${url}/graphql`);
  if (method === 'GET') {
    const { query, variables = {}, operationName } = asked;
    const named = operationName === undefined ? {} : { operationName };
    target.search = String(new URLSearchParams({ query, variables: JSON.stringify(variables), ...named, ...search }));
  }
  const request = httpRequest(target, {
    method,
    agent: false,
    headers: {
      accept: 'text/event-stream',
      ...(method === 'GET' ? {} : { 'content-type': 'application/json' }),
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
    },
  });
  request.on('error', () => undefined);
  request.end(method === 'GET' ? undefined : JSON.stringify(asked));
  return request;
}
