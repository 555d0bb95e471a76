import type { IncomingMessage } from 'node:http';
import proxyAddr from '@fastify/proxy-addr';
import type { TrustedProxies } from '../services.ts';

/** Tells requests of pages that this server itself serves from those of others, which a browser may send with the same cookie. */
export class OwnOrigin {
  readonly #isTrusted: (address: string, hop: number) => boolean;
  readonly #publicUrl: () => string;

  constructor(trustProxy: TrustedProxies, publicUrl: () => string) {
    this.#isTrusted = Array.isArray(trustProxy) ? proxyAddr.compile(trustProxy) : typeof trustProxy === 'function' ? trustProxy : () => trustProxy;
    this.#publicUrl = publicUrl;
  }

  /** Browsers send Sec-Fetch-Site to https and to localhost; elsewhere, Origin with everything but GET and HEAD. */
  sent(request: IncomingMessage): boolean {
    const site = request.headers['sec-fetch-site'];
    return site === undefined ? this.named(request) : site === 'same-origin';
  }

  /** By Origin alone, which browsers always send when they open a socket; Sec-Fetch-Site they do not. */
  named({ headers, socket }: IncomingMessage): boolean {
    const origin = originOf(headers.origin);
    if (origin === null) return false;
    const declared = new URL(this.#publicUrl());
    if (origin.origin === declared.origin) return true;
    // Of the host of PUBLIC_URL its scheme alone: whoever is in the network can make a page of http://, for a server of https://.
    return origin.host !== declared.host && origin.host === originOf(`${origin.protocol}//${this.#hostOf(headers, socket)}`)?.host;
  }

  /** As Fastify's `request.host` tells it: no route of Fastify sees upgrades. */
  #hostOf({ host = '', 'x-forwarded-host': forwarded }: IncomingMessage['headers'], { remoteAddress = '' }: IncomingMessage['socket']): string {
    if (typeof forwarded !== 'string' || !this.#isTrusted(remoteAddress, 0)) return host;
    return forwarded.slice(forwarded.lastIndexOf(',') + 1).trim();
  }
}

/** Null for `null`, as of a sandboxed frame, and for what no browser sends. */
function originOf(text: string | undefined): URL | null {
  const url = text === undefined ? null : URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) ? url : null;
}
