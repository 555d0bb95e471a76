import type { FastifyReply } from 'fastify';

/**
 * Everything comes from this server: a page about an API is no reason to tell somebody else who reads it. Scripts are files of
 * ours. Styles are also set by scripts on elements, which GraphiQL's editor and Swagger UI both do.
 */
const usualPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "worker-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Sends an HTML page of ours. @param policy its Content-Security-Policy */
export function sendPage(reply: FastifyReply, html: string, policy = usualPolicy): FastifyReply {
  return reply
    .headers({
      'content-security-policy': policy,
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cache-control': 'no-cache',
    })
    .type('text/html; charset=utf-8')
    .send(html);
}
