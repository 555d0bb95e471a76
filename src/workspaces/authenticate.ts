import { LonghaulError } from '../errors.ts';
import { type AccessTokens, looksLikeToken } from './access-token.ts';
import type { ApiKey } from './api-key.ts';
import type { Authenticator } from './authenticator.ts';
import type { Dialect } from './dialect.ts';
import type { Viewer } from './viewer.ts';

/** Why authentication failed. `unknown` means that no key has this secret, or that the key is for another dialect. */
export type KeyFault = 'missing' | 'unknown' | 'revoked' | 'expired';

export class UnauthenticatedError extends LonghaulError {
  readonly why: KeyFault;

  constructor(why: KeyFault, message: string) {
    super(why === 'expired' ? 'TOKEN_EXPIRED' : 'UNAUTHENTICATED', message);
    this.why = why;
  }
}

/** The error for a request without a valid key. */
export function unauthenticated(reason = 'Invalid or missing API key', why: KeyFault = 'unknown'): UnauthenticatedError {
  return new UnauthenticatedError(why, `${reason}. Send a key as \`Authorization: Bearer KEY\` or \`x-api-key: KEY\`.`);
}

/** The token has expired. Unlike with an invalid key, the client can get a new token and continue. */
export class ExpiredTokenError extends UnauthenticatedError {
  constructor() {
    super('expired', 'This access token has expired. Get a new one from createAccessToken.');
  }
}

/** The services that `authenticate` needs. */
export interface AuthenticationServices {
  authenticator: Authenticator;
  accessTokens: AccessTokens;
}

/**
 * Identifies the viewer behind a key, or a token made with a key, on a surface. A dialect key works only on its own
 * surface; a NATIVE key works on all of them. A token is valid only as long as its key.
 *
 * @throws UnauthenticatedError, ExpiredTokenError
 */
export async function authenticate(
  { authenticator, accessTokens }: AuthenticationServices,
  secret: string,
  surface: Dialect,
): Promise<Viewer> {
  const token = looksLikeToken(secret) ? await accessTokens.read(secret) : null;
  if (token === 'expired') throw new ExpiredTokenError();
  if (token === null) {
    const key = inForce(await authenticator.find(secret), surface);
    authenticator.noteUse(key.id);
    return viewerOf(key);
  }
  const { apiKeyId, workspaceId, restriction, expiresAt } = token;
  inForce(await authenticator.findById(apiKeyId), surface);
  authenticator.noteUse(apiKeyId);
  return { apiKeyId, workspaceId, scopes: new Set(['READ']), restriction, expiresAt };
}

/** The viewer that presents the key itself. */
function viewerOf({ id, workspaceId, scopes }: ApiKey): Viewer {
  return { apiKeyId: id, workspaceId, scopes: new Set(scopes), restriction: null, expiresAt: null };
}

function inForce(key: ApiKey | null, surface: Dialect): ApiKey {
  if (key === null) throw unauthenticated();
  if (key.revokedAt !== null) throw unauthenticated('This API key was revoked', 'revoked');
  if (key.dialect !== 'NATIVE' && key.dialect !== surface) throw unauthenticated(`This API key is for the ${key.dialect} API and is not valid here`);
  return key;
}

/** The secret in a request's headers: `Authorization: Bearer KEY` or `x-api-key: KEY`. */
export function secretIn(headers: {
  [name: string]: string | string[] | undefined;
  authorization?: string | undefined;
}): string | null {
  return bearerIn(headers) ?? apiKeyIn(headers);
}

/** The secret in `Authorization: Bearer KEY`. The scheme is case-insensitive. */
export function bearerIn({ authorization }: { authorization?: string | undefined }): string | null {
  return authorization === undefined ? null : (/^bearer +(\S+) *$/i.exec(authorization)?.[1] ?? null);
}

/** The secret in `x-api-key: KEY`. */
export function apiKeyIn(headers: { [name: string]: string | string[] | undefined }): string | null {
  const apiKey = headers['x-api-key'];
  return typeof apiKey === 'string' && apiKey !== '' ? apiKey : null;
}
