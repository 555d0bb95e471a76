import type { IncomingMessage } from 'node:http';
import proxyAddr from '@fastify/proxy-addr';
import type { TrustedProxies } from '../services.ts';

/** What trusted proxies say of a request, as Fastify's `request.ip` and `request.host` tell it: for upgrades, which no route of Fastify sees. */
export class Forwarded {
  readonly #isTrusted: (address: string, hop: number) => boolean;

  constructor(trustProxy: TrustedProxies) {
    this.#isTrusted = Array.isArray(trustProxy) ? proxyAddr.compile(trustProxy) : typeof trustProxy === 'function' ? trustProxy : () => trustProxy;
  }

  /** The client's address. */
  addressOf(request: IncomingMessage): string {
    // Nothing, where the client has left.
    return request.socket.remoteAddress === undefined ? '' : proxyAddr(request, this.#isTrusted);
  }

  /** The host that the client asked, with its port where it named one. */
  hostOf({ headers, socket }: IncomingMessage): string {
    const { host = '', 'x-forwarded-host': forwarded } = headers;
    if (typeof forwarded !== 'string' || !this.#isTrusted(socket.remoteAddress ?? '', 0)) return host;
    return forwarded.slice(forwarded.lastIndexOf(',') + 1).trim();
  }
}
