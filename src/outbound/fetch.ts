import type { Readable } from 'node:stream';

import type { Client } from 'undici';

import { abortable } from './abortable.ts';
import type { OutboundAllow } from './addresses.ts';
import { openConnection, outboundTimeouts } from './agent.ts';
import { OutboundError, toOutboundError } from './outbound-error.ts';

export interface OutboundRequestOptions {
  /** Destroys the request, or the body that is being read, at once; both reject with the signal's reason. */
  signal: AbortSignal;
  /** GET by default. */
  method?: 'GET' | 'HEAD';
  /** 5 by default; one more is TOO_MANY_REDIRECTS. */
  maxRedirects?: number;
  /** From the request to the end of the answer's headers, for each hop; 30 s by default. */
  headersTimeoutMs?: number;
  /** The longest silence within the body; 60 s by default. */
  bodyTimeoutMs?: number;
}

export interface OutboundResponse {
  /** Where the answer comes from, after redirects. */
  url: string;
  status: number;
  /** Names in lower case, values as Latin-1. */
  headers: Record<string, string | string[] | undefined>;
  /** As it was sent: no content encoding is undone (none is asked for). Read it to its end, or `discard` it. */
  body: Readable;
  /** Whether a body that was read to its end was in truth cut off: it announces no length, and its connection was reset. */
  wasCutOff(): boolean;
}

export interface OutboundFetch {
  /**
   * Fetches an http or https URL that somebody else wrote. Every hop of a redirect is checked anew. Rejects with an
   * OutboundError (see its code), or with the signal's reason.
   */
  request(url: string, options: OutboundRequestOptions): Promise<OutboundResponse>;
  /** Ends every connection; what is under way rejects with UNREACHABLE. May be called twice. */
  close(): Promise<void>;
}

/** The way out for downloads: public addresses only, and what `allow` names. Each request has a connection of its own. */
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
      // After close() too, so that it is undici that says that the client is destroyed.
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

/** Ends a body that nobody will read; its connection goes with it. May be called twice. */
export function discard(body: Readable): void {
  // undici reports a body destroyed before its end as an error, which must not find nobody listening.
  body.on('error', () => {}).destroy();
}

/** Reads an absolute http or https URL without credentials; throws an OutboundError, BAD_URL, on any other. */
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
    headers: { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'longhaul' },
    signal,
    headersTimeout: options.headersTimeoutMs ?? outboundTimeouts.headers,
    bodyTimeout: options.bodyTimeoutMs ?? outboundTimeouts.bodyIdle,
  });
  // undici heeds the signal only once it is connected, which may take until the connect timeout.
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
 * Servers put plain UTF-8 or Latin-1 into Location. Browsers and curl ask for those very bytes, percent-encoded; read as
 * text they would be encoded twice and lead elsewhere.
 */
function escapeBytes(latin1: string): string {
  return latin1.replaceAll(/[\x80-\xff]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`);
}
