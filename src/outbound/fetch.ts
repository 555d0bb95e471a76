import type { Readable } from 'node:stream';

import type { Client } from 'undici';

import { abortable } from './abortable.ts';
import type { OutboundAllow } from './addresses.ts';
import { openConnection, outboundTimeouts } from './agent.ts';
import { OutboundError, toOutboundError } from './outbound-error.ts';

export interface OutboundRequestOptions {
  /** Aborts the request, or the body being read, at once. Both reject with the signal's reason. */
  signal: AbortSignal;
  /** GET by default. */
  method?: 'GET' | 'HEAD';
  /** More headers of the request, at every hop. */
  headers?: Readonly<Record<string, string>>;
  /** 5 by default. One more fails with TOO_MANY_REDIRECTS. */
  maxRedirects?: number;
  /** The time limit from the request to the end of the response headers, for each hop. 30 s by default. */
  headersTimeoutMs?: number;
  /** The longest pause within the body. 60 s by default. */
  bodyTimeoutMs?: number;
}

export interface OutboundResponse {
  /** The final URL, after redirects. */
  url: string;
  status: number;
  /** Names in lower case, values decoded as Latin-1. */
  headers: Record<string, string | string[] | undefined>;
  /** The raw bytes: content encodings are not decoded (none is requested). Read it to its end, or `discard` it. */
  body: Readable;
  /** Whether a body that seemed to end was in fact cut off: it declares no length, and its connection was reset. */
  wasCutOff(): boolean;
}

export interface OutboundFetch {
  /**
   * Fetches an untrusted http or https URL. Every redirect hop is checked again. Rejects with an OutboundError (see its
   * code), or with the signal's reason.
   */
  request(url: string, options: OutboundRequestOptions): Promise<OutboundResponse>;
  /** Closes every connection. Requests in flight reject with UNREACHABLE. May be called twice. */
  close(): Promise<void>;
}

/**
 * Creates the client for downloads. It reaches public addresses and what `allow` names, with one connection per
 * request.
 */
export function createOutboundFetch({ allow }: { allow: OutboundAllow }): OutboundFetch {
  const open = new Set<Client>();
  let closed = false;

  async function send(url: URL, options: OutboundRequestOptions): Promise<OutboundResponse> {
    options.signal.throwIfAborted();
    const { client, wasReset } = openConnection(url.origin, allow);
    open.add(client);
    const end = () => {
      open.delete(client);
      void client.destroy();
    };
    try {
      // Also after close(): undici then reports that the client is destroyed.
      if (closed) end();
      const { status, headers, body } = await ask(client, url, options);
      body.once('close', end);
      return { url: url.href, status, headers, body, wasCutOff: () => !announcesItsEnd(headers) && wasReset() };
    } catch (error) {
      end();
      options.signal.throwIfAborted();
      throw toOutboundError(error, url.host);
    }
  }

  return {
    async request(url, options) {
      const maxRedirects = options.maxRedirects ?? 5;
      let target = parseOutboundUrl(url);
      for (let redirects = 0; ; redirects++) {
        const response = await send(target, options);
        const location = redirectOf(response);
        if (location === null) return response;
        discard(response.body);
        if (redirects >= maxRedirects) {
          const message = `${target.host} redirects more than ${maxRedirects} times. Use the URL it should lead to.`;
          throw new OutboundError('TOO_MANY_REDIRECTS', message);
        }
        target = parseOutboundUrl(location, target);
      }
    },
    async close() {
      closed = true;
      await Promise.all([...open].map((client) => client.destroy()));
    },
  };
}

/** Drops a body that nobody will read, along with its connection. May be called twice. */
export function discard(body: Readable): void {
  // undici emits an error for a body destroyed before its end. Without a listener, that would be an uncaught error.
  body.on('error', () => {}).destroy();
}

/** Parses an absolute http or https URL without credentials. Throws OutboundError BAD_URL for anything else. */
export function parseOutboundUrl(text: string, base?: URL): URL {
  const url = URL.parse(text, base?.href);
  if (url === null) throw new OutboundError('BAD_URL', 'The URL cannot be read. Write it as https://host/path.');
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new OutboundError('BAD_URL', 'Only http and https URLs can be fetched. Write it as https://host/path.');
  }
  if (url.username !== '' || url.password !== '') {
    const message = `The URL to ${url.host} has a user name or password in it. Take them out, or use a signed URL.`;
    throw new OutboundError('BAD_URL', message);
  }
  return url;
}

async function ask(client: Client, url: URL, options: OutboundRequestOptions) {
  const { signal } = options;
  const request = client.request({
    path: url.pathname + url.search,
    method: options.method ?? 'GET',
    headers: { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'longhaul', ...options.headers },
    signal,
    headersTimeout: options.headersTimeoutMs ?? outboundTimeouts.headers,
    bodyTimeout: options.bodyTimeoutMs ?? outboundTimeouts.bodyIdle,
  });
  // undici ignores the signal until it is connected, which may take as long as the connect timeout.
  const { statusCode: status, headers, body } = await abortable(request, signal);
  return { status, headers, body };
}

function announcesItsEnd(headers: OutboundResponse['headers']): boolean {
  return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
}

function redirectOf({ status, headers }: OutboundResponse): string | null {
  if (![301, 302, 303, 307, 308].includes(status)) return null;
  const location = headers['location'];
  const first = Array.isArray(location) ? location[0] : location;
  return first === undefined ? null : escapeBytes(first);
}

/**
 * Percent-encodes raw bytes. Some servers put plain UTF-8 or Latin-1 into Location, and browsers and curl request
 * exactly those bytes. If we read them as text, they would be encoded twice and lead elsewhere.
 */
function escapeBytes(latin1: string): string {
  return latin1.replaceAll(/[\x80-\xff]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`);
}
