import type { FastifyRequest } from 'fastify';
import type { Services } from '../../services.ts';
import { apiKeyIn, authenticate, bearerIn, type Presented, UnauthenticatedError } from '../../workspaces/authenticate.ts';
import type { Scope } from '../../workspaces/scope.ts';
import type { Viewer } from '../../workspaces/viewer.ts';
import type { DialectProfile } from './dialect-profile.ts';
import { refuseTooMany } from './limit-headers.ts';
import { type KeyFault, RefusedError } from './refusal.ts';

/**
 * Who calls a route of a dialect.
 *
 * @throws RefusedError: UNAUTHENTICATED, FORBIDDEN, RATE_LIMITED; UNAVAILABLE of the database
 */
export async function callerOf(
  services: Services,
  dialect: DialectProfile,
  scope: Scope,
  { headers, ip }: Pick<FastifyRequest, 'headers' | 'ip'>,
): Promise<Viewer> {
  const secret = dialect.credential === 'bearer' ? bearerIn(headers) : apiKeyIn(headers);
  const viewer = secret === null ? 'missing' : await viewerOf(services, dialect, { secret, address: ip });
  if (typeof viewer === 'string') {
    // Guesses count with the calls that have no key, whichever surface they come through.
    if (viewer !== 'revoked' && viewer !== 'expired') refuseTooMany(await services.rateLimiter.consumeAddress(ip));
    throw new RefusedError({ kind: 'UNAUTHENTICATED', why: viewer });
  }
  if (!viewer.scopes.has(scope)) {
    throw new RefusedError({ kind: 'FORBIDDEN', message: `The API key lacks the scope ${scope}` });
  }
  return viewer;
}

/** Returns why there is no caller, if the key is not valid. */
async function viewerOf(services: Services, dialect: DialectProfile, presented: Presented): Promise<Viewer | KeyFault> {
  try {
    return await authenticate(services, presented, dialect.name);
  } catch (error) {
    if (!(error instanceof UnauthenticatedError)) throw error;
    const { why } = error;
    return why === 'unknown' ? whyUnknown(dialect, presented.secret) : why;
  }
}

/** Of an unknown key. Its form is judged only now, because NATIVE keys have another form and are valid here. */
function whyUnknown({ keyPrefixes }: DialectProfile, secret: string): 'malformed' | 'unknown' {
  const fits = keyPrefixes.length === 0 || keyPrefixes.some((prefix) => secret.startsWith(prefix));
  return fits ? 'unknown' : 'malformed';
}
