import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import type { GraphQLAnswer } from './longhaul.ts';

/** What a socket's opening came to: null if it was acknowledged, else the close code. */
interface OpenedSocket {
  refused: number | null;
  reason: string;
  ws: WebSocket;
}

/** What a browser would send for a page: its cookies, and headers of the scenario's choice, which no script could set. */
export class Visitor {
  readonly url: string;
  cookie: string | null = null;

  /** @param url of the installation, as this browser sees it */
  constructor(url: string) {
    this.url = url;
  }

  /** What browsers add to a request of this origin's own page. */
  get own(): Record<string, string> {
    return { 'sec-fetch-site': 'same-origin', origin: new URL(this.url).origin };
  }

  /** POST /session; keeps the cookie. */
  async signIn(body: object, headers: Record<string, string> = this.own): Promise<Response> {
    const answer = await fetch(`${this.url}/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    this.#keep(answer);
    return answer;
  }

  async signOut(headers: Record<string, string> = this.own): Promise<Response> {
    const answer = await fetch(`${this.url}/session`, { method: 'DELETE', headers: { ...this.#cookies(), ...headers } });
    this.#keep(answer);
    return answer;
  }

  async ask(query: string, headers: Record<string, string> = this.own): Promise<GraphQLAnswer> {
    const response = await this.post({ 'content-type': 'application/json', ...headers }, JSON.stringify({ query }));
    const { data = null, errors = [] }: Partial<GraphQLAnswer> = JSON.parse(await response.text());
    return { status: response.status, data, errors };
  }

  post(headers: Record<string, string>, body: string): Promise<Response> {
    return fetch(`${this.url}/graphql`, { method: 'POST', headers: { ...this.#cookies(), ...headers }, body });
  }

  /** A GraphQL GET, by default as the page itself would send it. */
  get(query: string, headers: Record<string, string> = this.own): Promise<Response> {
    return fetch(`${this.url}/graphql?query=${encodeURIComponent(query)}`, { headers: { ...this.#cookies(), ...headers } });
  }

  /** Opens a socket and initialises it. */
  async socket(headers: Record<string, string> = this.own, params: object = {}): Promise<OpenedSocket> {
    const ws = new WebSocket(`${this.url.replace(/^http/, 'ws')}/graphql`, 'graphql-transport-ws', { headers: { ...this.#cookies(), ...headers } });
    onTestFinished(() => ws.terminate());
    const closed = once(ws, 'close').then(([code, reason]) => ({ refused: Number(code), reason: String(reason), ws }));
    await once(ws, 'open');
    const acknowledged = once(ws, 'message').then(() => ({ refused: null, reason: '', ws }));
    ws.send(JSON.stringify({ type: 'connection_init', payload: params }));
    return Promise.race([acknowledged, closed]);
  }

  #cookies(): Record<string, string> {
    return this.cookie === null ? {} : { cookie: this.cookie };
  }

  #keep({ headers }: Response): void {
    for (const line of headers.getSetCookie()) {
      const [pair = ''] = line.split(';');
      this.cookie = /Max-Age=0\b/i.test(line) ? null : pair;
    }
  }
}
