import { onTestFinished } from 'vitest';
import { type Client, type ClientOptions, createClient, type TransportName } from '../../clients/js/src/index.ts';
import { Tenant } from './domain.ts';
import type { Longhaul, TestWorkspace } from './longhaul.ts';

/** A tenant with the package's client, and what the client has opened. */
export interface PackageUser {
  client: Client;
  workspace: TestWorkspace;
  tenant: Tenant;
  key: string;
  /** WebSockets that it opened so far, closed ones included. */
  sockets: WebSocket[];
  /** Requests over HTTP that it sent so far. */
  requests: { body: string; response: Response | null }[];
}

/** A user in a workspace of its own. What `options` has for fetch and WebSocket is watched, too. */
export async function packageUser(longhaul: Longhaul, options: Partial<ClientOptions> = {}): Promise<PackageUser> {
  const workspace = await longhaul.workspace();
  const key = await workspace.key();
  const sockets: WebSocket[] = [];
  const requests: PackageUser['requests'] = [];
  const send = options.fetch ?? fetch;
  class WatchedSocket extends WebSocket {
    constructor(url: string, protocols: string) {
      super(url, protocols);
      sockets.push(this);
    }
  }
  const client = createClient({
    url: longhaul.url,
    auth: key,
    WebSocket: WatchedSocket,
    ...options,
    fetch: async (input, init) => {
      const request: PackageUser['requests'][number] = { body: String(init?.body), response: null };
      requests.push(request);
      request.response = await send(input, init);
      return request.response;
    },
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.close();
  });
  return { client, workspace, tenant: Tenant.of(longhaul, workspace.id), key, sockets, requests };
}

/** All ways of a client to the server, and options with which it goes over each: what is better is not let through. */
export const ways: { over: TransportName; options: Partial<ClientOptions> }[] = [
  { over: 'websocket', options: {} },
  { over: 'events', options: { WebSocket: undefined } },
  { over: 'polls', options: { WebSocket: undefined, fetch: withoutStreams } },
];

/** As behind a proxy that lets no event stream through, but held answers. */
function withoutStreams(input: Parameters<typeof fetch>[0], init?: RequestInit): Promise<Response> {
  const headers = new Headers(init?.headers);
  if (headers.get('accept') === 'text/event-stream' && !headers.has('prefer')) return Promise.reject(new TypeError('no stream gets through'));
  return fetch(input, init);
}

/** As behind a proxy that refuses to upgrade. */
export class RefusedSocket extends WebSocket {
  constructor(_url: string, protocols: string) {
    super('ws://127.0.0.1:9/', protocols);
  }
}

/** Loses the answers to the first requests whose body matches: the server has them, the client learns nothing. */
export function losingAnswers(pattern: RegExp, times: number): typeof fetch {
  let left = times;
  return async (input, init) => {
    const response = await fetch(input, init);
    if (left === 0 || !pattern.test(String(init?.body))) return response;
    left -= 1;
    await response.text();
    throw new TypeError('the answer was lost');
  };
}

/** What one request is answered in place of the server's answer. */
export interface Trouble {
  pattern: RegExp;
  status: number;
  body: object;
}

export function answering(pattern: RegExp, status: number, body: object): Trouble {
  return { pattern, status, body };
}

/** Each trouble befalls the first request whose body matches, and is then taken off the list. */
export function inTrouble(troubles: Trouble[]): typeof fetch {
  return async (url, init) => {
    const at = troubles.findIndex(({ pattern }) => pattern.test(String(init?.body)));
    const [trouble] = at === -1 ? [] : troubles.splice(at, 1);
    return trouble === undefined ? fetch(url, init) : Response.json(trouble.body, { status: trouble.status });
  };
}

/** Keeps back the answers to requests whose body matches, once they are there, until they are released. */
export function holding(pattern: RegExp): { held: { answered(): number; release(): void }; fetch: typeof fetch } {
  let answered = 0;
  const released = Promise.withResolvers<void>();
  return {
    held: { answered: () => answered, release: () => released.resolve() },
    fetch: async (url, init) => {
      const response = await fetch(url, init);
      if (!pattern.test(String(init?.body))) return response;
      answered += 1;
      await released.promise;
      return response;
    },
  };
}
