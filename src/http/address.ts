import type { IncomingMessage } from 'node:http';
import proxyAddr from '@fastify/proxy-addr';
import type { TrustedProxies } from '../services.ts';

/** The client's address, as Fastify's `request.ip` tells it: for upgrades, which no route of Fastify sees. */
export function addressOf(request: IncomingMessage, trustProxy: TrustedProxies): string {
  if (trustProxy === false) return request.socket.remoteAddress ?? '';
  return proxyAddr(request, trustProxy === true ? () => true : trustProxy);
}
