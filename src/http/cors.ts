import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { vary } from '../web/vary.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether pages of other origins may read it; true if not given. */
    forPages?: boolean;
  }
}

const methods = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS';

/** Headers of answers that the Fetch standard hides from a page otherwise. */
const exposed =
  'Accept, Accept-Encoding, Accept-Ranges, Allow, Content-Disposition, Content-Range, Deprecation, ETag, Location, ' +
  'Preference-Applied, Retry-After, Sunset, Tus-Checksum-Algorithm, Tus-Extension, Tus-Max-Size, Tus-Resumable, Tus-Version, ' +
  'Upload-Defer-Length, Upload-Expires, Upload-Length, Upload-Offset, WWW-Authenticate, X-Job-Id, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset';

/** How long a browser may remember what a preflight allowed, in seconds. Chromium remembers no longer. */
const maxAge = '7200';

/**
 * Lets pages of the given origins call every route, with a key, an access token or a signed link. Never with what a browser
 * holds for this origin (`Access-Control-Allow-Credentials`), so that a page can do nothing that its own secrets do not allow.
 *
 * @param origins null for any
 */
export function allowPages(app: FastifyInstance, origins: ReadonlySet<string> | null): void {
  app.addHook('onRequest', (request, reply, done) => {
    if (request.routeOptions.config.forPages === false || !allowOrigin(request, reply, origins) || !isPreflight(request)) return done();
    reply.headers({ 'access-control-allow-methods': methods, 'access-control-max-age': maxAge });
    const asked = request.headers['access-control-request-headers'];
    // By name: `*` leaves out Authorization.
    if (asked !== undefined) reply.header('access-control-allow-headers', asked);
    vary(reply, 'Access-Control-Request-Headers');
    void reply.code(204).send();
  });
}

function allowOrigin({ headers }: FastifyRequest, reply: FastifyReply, origins: ReadonlySet<string> | null): boolean {
  const { origin } = headers;
  if (origins === null) reply.header('access-control-allow-origin', '*');
  else vary(reply, 'Origin');
  if (origin === undefined || (origins !== null && !origins.has(origin))) return false;
  if (origins !== null) reply.header('access-control-allow-origin', origin);
  reply.header('access-control-expose-headers', exposed);
  return true;
}

function isPreflight({ method, headers }: FastifyRequest): boolean {
  return method === 'OPTIONS' && headers['access-control-request-method'] !== undefined;
}
