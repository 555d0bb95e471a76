import { LonghaulError } from '../errors.ts';
import type { Authenticator } from './authenticator.ts';
import type { Dialect } from './dialect.ts';
import type { Viewer } from './viewer.ts';

/** What a request without a valid key is told. */
export function unauthenticated(reason = 'Invalid or missing API key'): LonghaulError {
  return new LonghaulError(
    'UNAUTHENTICATED',
    `${reason}. Send a key as \`Authorization: Bearer KEY\` or \`x-api-key: KEY\`.`,
  );
}

/**
 * The viewer that a secret makes on a surface. A key of a vendor's format is bound to its own dialect; a NATIVE key
 * works on every one.
 *
 * @throws UNAUTHENTICATED
 */
export async function authenticate(authenticator: Authenticator, secret: string, surface: Dialect): Promise<Viewer> {
  const key = await authenticator.find(secret);
  if (key === null) throw unauthenticated();
  if (key.revokedAt !== null) throw unauthenticated('This API key was revoked');
  if (key.dialect !== 'NATIVE' && key.dialect !== surface) {
    throw unauthenticated(`This API key speaks ${key.dialect} and is not valid here`);
  }
  return { apiKeyId: key.id, workspaceId: key.workspaceId, scopes: new Set(key.scopes) };
}

/** The secret in a request's headers: `Authorization: Bearer KEY` (the scheme in any case) or `x-api-key: KEY`. */
export function secretIn(headers: {
  authorization?: string | undefined;
  'x-api-key'?: string | string[] | undefined;
}): string | null {
  const bearer = /^bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
  if (bearer !== undefined) return bearer;
  const apiKey = headers['x-api-key'];
  return typeof apiKey === 'string' && apiKey !== '' ? apiKey : null;
}
