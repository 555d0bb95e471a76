import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyRequest } from 'fastify';
import type { Services } from '../../services.ts';
import { apiKeyIn, authenticate, bearerIn, UnauthenticatedError } from '../../workspaces/authenticate.ts';
import type { Scope } from '../../workspaces/scope.ts';
import type { Viewer } from '../../workspaces/viewer.ts';
import type { RestDialect } from './rest-dialect.ts';
import { RefusedError } from './refusal.ts';

/**
 * Who calls a route of a dialect.
 *
 * @throws RefusedError: UNAUTHENTICATED, FORBIDDEN; UNAVAILABLE of the database
 */
export async function callerOf(
  services: Services,
  dialect: RestDialect,
  scope: Scope,
  { headers }: FastifyRequest,
): Promise<Viewer> {
  const secret = secretOf(dialect, headers);
  if (secret === null) throw new RefusedError({ kind: 'UNAUTHENTICATED', why: 'missing' });
  const viewer = await known(services, dialect, secret);
  if (!viewer.scopes.has(scope)) {
    throw new RefusedError({ kind: 'FORBIDDEN', message: `The API key lacks the scope ${scope}` });
  }
  return viewer;
}

/** Where the dialect's clients put it. */
export function secretOf({ credential }: RestDialect, headers: IncomingHttpHeaders): string | null {
  return credential === 'bearer' ? bearerIn(headers) : apiKeyIn(headers);
}

async function known(services: Services, dialect: RestDialect, secret: string): Promise<Viewer> {
  try {
    return await authenticate(services, secret, dialect.name);
  } catch (error) {
    if (!(error instanceof UnauthenticatedError)) throw error;
    const { why } = error;
    throw new RefusedError({ kind: 'UNAUTHENTICATED', why: why === 'unknown' ? faultOf(dialect, secret) : why });
  }
}

/** Of a key that is none: NATIVE keys have another form and are good, so that the form is looked at last. */
function faultOf({ keyPrefixes }: RestDialect, secret: string): 'malformed' | 'unknown' {
  const fits = keyPrefixes.length === 0 || keyPrefixes.some((prefix) => secret.startsWith(prefix));
  return fits ? 'unknown' : 'malformed';
}
