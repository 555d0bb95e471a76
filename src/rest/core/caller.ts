import type { FastifyRequest } from 'fastify';
import type { Services } from '../../services.ts';
import { apiKeyIn, authenticate, bearerIn, UnauthenticatedError } from '../../workspaces/authenticate.ts';
import type { Scope } from '../../workspaces/scope.ts';
import type { Viewer } from '../../workspaces/viewer.ts';
import type { DialectProfile } from './dialect-profile.ts';
import { RefusedError } from './refusal.ts';

/**
 * Who calls a route of a dialect.
 *
 * @throws RefusedError: UNAUTHENTICATED, FORBIDDEN; UNAVAILABLE of the database
 */
export async function callerOf(
  services: Services,
  dialect: DialectProfile,
  scope: Scope,
  { headers }: FastifyRequest,
): Promise<Viewer> {
  const secret = dialect.credential === 'bearer' ? bearerIn(headers) : apiKeyIn(headers);
  if (secret === null) throw new RefusedError({ kind: 'UNAUTHENTICATED', why: 'missing' });
  const viewer = await viewerOf(services, dialect, secret);
  if (!viewer.scopes.has(scope)) {
    throw new RefusedError({ kind: 'FORBIDDEN', message: `The API key lacks the scope ${scope}` });
  }
  return viewer;
}

async function viewerOf(services: Services, dialect: DialectProfile, secret: string): Promise<Viewer> {
  try {
    return await authenticate(services, secret, dialect.name);
  } catch (error) {
    if (!(error instanceof UnauthenticatedError)) throw error;
    const { why } = error;
    throw new RefusedError({ kind: 'UNAUTHENTICATED', why: why === 'unknown' ? faultOf(dialect, secret) : why });
  }
}

/** Of an unknown key. Its form is judged only now, because NATIVE keys have another form and are valid here. */
function faultOf({ keyPrefixes }: DialectProfile, secret: string): 'malformed' | 'unknown' {
  const fits = keyPrefixes.length === 0 || keyPrefixes.some((prefix) => secret.startsWith(prefix));
  return fits ? 'unknown' : 'malformed';
}
