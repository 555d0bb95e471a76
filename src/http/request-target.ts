import type { IncomingMessage } from 'node:http';
import { LonghaulError } from '../errors.ts';
import { readableUrl } from './readable-url.ts';

/** RFC 9110, section 7.2; it may be empty. */
const hostForm = /^(?:[\w.~!$&'()*+,;=%-]*|\[[\da-f:.]+\])(?::\d*)?$/i;

/** Headers of which a second one leaves open who asks whom, or for what. Node would ignore it, or make one of both. */
const single = ['host', 'authorization', 'content-type', 'content-length', 'x-api-key', 'idempotency-key', 'last-event-id'];

/**
 * What the router gets. A target in absolute form is for proxies, and servers have to take it, with its host in place of
 * the header's (RFC 9112, section 3.2.2).
 */
export function routedTarget(request: IncomingMessage): string {
  const { url = '' } = request;
  if (url.startsWith('/')) return readableUrl(url);
  const [, host, rest = ''] = /^https?:\/\/([^/?#]*)(.*)$/is.exec(url) ?? [];
  if (host === undefined) return url;
  request.headers.host = host;
  return readableUrl(rest.startsWith('/') ? rest : `/${rest}`);
}

/** Why a request's target and headers cannot be trusted to mean one thing (RFC 9112, section 3.2); null if they can. */
export function headerFault({ url = '', method, rawHeaders, headers }: IncomingMessage): LonghaulError | null {
  if (!url.startsWith('/') && !(method === 'OPTIONS' && url === '*')) {
    return new LonghaulError('BAD_USER_INPUT', 'The target of the request is neither a path nor an http URL. Send the path.');
  }
  if (headers.host !== undefined && !hostForm.test(headers.host)) {
    return new LonghaulError('BAD_USER_INPUT', 'The Host header is not a host, with or without a port. Send one host.');
  }
  let seen = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const place = single.indexOf(rawHeaders[index]?.toLowerCase() ?? '');
    if (place === -1) continue;
    if ((seen & (1 << place)) !== 0) return new LonghaulError('BAD_USER_INPUT', `The header ${single[place]} came twice. Send it once.`);
    seen |= 1 << place;
  }
  return null;
}
