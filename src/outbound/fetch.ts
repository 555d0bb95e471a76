import type { Readable } from 'node:stream';

import type { Agent } from 'undici';

import { abortable } from './abortable.ts';
import type { OutboundAllow } from './addresses.ts';
import { createOutboundAgent, outboundTimeouts } from './agent.ts';
import { OutboundError, toOutboundError } from './errors.ts';

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

/** The way out for downloads: public addresses only, and what `allow` names. */
export function createOutboundFetch({ allow }: { allow: OutboundAllow }): OutboundFetch {
  const agent = createOutboundAgent(allow);
  return {
    async request(url, options) {
      const maxRedirects = options.maxRedirects ?? 5;
      let target = parseOutboundUrl(url);
      for (let redirects = 0; ; redirects++) {
        const response = await send(agent, target, options);
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
    close: () => agent.destroy(),
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

async function send(agent: Agent, url: URL, options: OutboundRequestOptions): Promise<OutboundResponse> {
  const { signal } = options;
  signal.throwIfAborted();
  const request = agent.request({
    origin: url.origin,
    path: url.pathname + url.search,
    method: options.method ?? 'GET',
    headers: { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'longhaul' },
    signal,
    headersTimeout: options.headersTimeoutMs ?? outboundTimeouts.headers,
    bodyTimeout: options.bodyTimeoutMs ?? outboundTimeouts.bodyIdle,
  });
  try {
    // undici heeds the signal only once it is connected, which may take until the connect timeout.
    const { statusCode, headers, body } = await abortable(request, signal);
    return { url: url.href, status: statusCode, headers, body };
  } catch (error) {
    signal.throwIfAborted();
    throw toOutboundError(error, url.host);
  }
}

function redirectOf({ status, headers }: OutboundResponse): string | null {
  if (![301, 302, 303, 307, 308].includes(status)) return null;
  const location = headers['location'];
  return (Array.isArray(location) ? location[0] : location) ?? null;
}
