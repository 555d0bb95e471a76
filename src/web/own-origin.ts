import type { IncomingMessage } from 'node:http';
import type { Forwarded } from './forwarded.ts';

/** Tells requests of pages that this server itself serves from those of others, which a browser may send with the same cookie. */
export class OwnOrigin {
  readonly #forwarded: Forwarded;
  readonly #publicUrl: () => string;

  constructor(forwarded: Forwarded, publicUrl: () => string) {
    this.#forwarded = forwarded;
    this.#publicUrl = publicUrl;
  }

  /** Browsers send Sec-Fetch-Site to https and to localhost; elsewhere, Origin with everything but GET and HEAD. */
  sent(request: IncomingMessage): boolean {
    const site = request.headers['sec-fetch-site'];
    return site === undefined ? this.named(request) : site === 'same-origin';
  }

  /** By Origin alone, which browsers always send when they open a socket; Sec-Fetch-Site they do not. */
  named(request: IncomingMessage): boolean {
    const origin = originOf(request.headers.origin);
    if (origin === null) return false;
    const declared = new URL(this.#publicUrl());
    if (origin.origin === declared.origin) return true;
    // Of the host of PUBLIC_URL its scheme alone: whoever is in the network can make a page of http://, for a server of https://.
    return origin.host !== declared.host && origin.host === originOf(`${origin.protocol}//${this.#forwarded.hostOf(request)}`)?.host;
  }
}

/** Null for `null`, as of a sandboxed frame, and for what no browser sends. */
function originOf(text: string | undefined): URL | null {
  const url = text === undefined ? null : URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) ? url : null;
}
