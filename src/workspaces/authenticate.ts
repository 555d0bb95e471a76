import { LonghaulError } from '../errors.ts';
import { type AccessTokens, looksLikeToken } from './access-token.ts';
import type { ApiKey } from './api-key.ts';
import type { Authenticator } from './authenticator.ts';
import type { Dialect } from './dialect.ts';
import type { Viewer } from './viewer.ts';

/** `unknown`: no key's, or that of another dialect. */
export type KeyFault = 'missing' | 'unknown' | 'revoked' | 'expired';

export class UnauthenticatedError extends LonghaulError {
  readonly why: KeyFault;

  constructor(why: KeyFault, message: string) {
    super('UNAUTHENTICATED', message);
    this.why = why;
  }
}

/** What a request without a valid key is told. */
export function unauthenticated(reason = 'Invalid or missing API key', why: KeyFault = 'unknown'): UnauthenticatedError {
  return new UnauthenticatedError(why, `${reason}. Send a key as \`Authorization: Bearer KEY\` or \`x-api-key: KEY\`.`);
}

/** A token whose time is over: its holder gets a fresh one and goes on, where a wrong key is final. */
export class ExpiredTokenError extends UnauthenticatedError {
  constructor() {
    super('expired', 'This access token has expired. Get a fresh one from createAccessToken.');
  }
}

/** What tells whose a secret is. */
export interface AuthenticationServices {
  authenticator: Authenticator;
  accessTokens: AccessTokens;
}

/**
 * The viewer that a key, or a token made with one, is on a surface. A key of a vendor's format is bound to its own
 * dialect; a NATIVE key works on every one. A token falls with its key.
 *
 * @throws UNAUTHENTICATED; ExpiredTokenError
 */
export async function authenticate(
  { authenticator, accessTokens }: AuthenticationServices,
  secret: string,
  surface: Dialect,
): Promise<Viewer> {
  const token = looksLikeToken(secret) ? await accessTokens.read(secret) : null;
  if (token === 'expired') throw new ExpiredTokenError();
  if (token === null) {
    return viewerOf(inForce(await authenticator.find(secret), surface));
  }
  const { apiKeyId, workspaceId, restriction, expiresAt } = token;
  inForce(await authenticator.findById(apiKeyId), surface);
  return { apiKeyId, workspaceId, scopes: new Set(['READ']), restriction, expiresAt };
}

/** Whoever comes with the key itself. */
function viewerOf({ id, workspaceId, scopes }: ApiKey): Viewer {
  return { apiKeyId: id, workspaceId, scopes: new Set(scopes), restriction: null, expiresAt: null };
}

function inForce(key: ApiKey | null, surface: Dialect): ApiKey {
  if (key === null) throw unauthenticated();
  if (key.revokedAt !== null) throw unauthenticated('This API key was revoked', 'revoked');
  if (key.dialect !== 'NATIVE' && key.dialect !== surface) throw unauthenticated(`This API key speaks ${key.dialect} and is not valid here`);
  return key;
}

/** The secret in a request's headers: `Authorization: Bearer KEY` (the scheme in any case) or `x-api-key: KEY`. */
export function secretIn(headers: {
  [name: string]: string | string[] | undefined;
  authorization?: string | undefined;
}): string | null {
  return bearerIn(headers) ?? apiKeyIn(headers);
}

/** The secret in `Authorization: Bearer KEY`, the scheme in any case. */
export function bearerIn({ authorization }: { authorization?: string | undefined }): string | null {
  return authorization === undefined ? null : (/^bearer +(\S+) *$/i.exec(authorization)?.[1] ?? null);
}

/** The secret in `x-api-key: KEY`. */
export function apiKeyIn(headers: { [name: string]: string | string[] | undefined }): string | null {
  const apiKey = headers['x-api-key'];
  return typeof apiKey === 'string' && apiKey !== '' ? apiKey : null;
}
