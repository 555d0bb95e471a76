import { LonghaulError } from '../errors.ts';
import { type AccessTokens, looksLikeToken } from './access-token.ts';
import type { ApiKey } from './api-key.ts';
import type { AuditTrail } from './audit/trail.ts';
import type { Authenticator } from './authenticator.ts';
import type { Dialect } from './dialect.ts';
import type { Sessions } from './sessions.ts';
import { ExpiredClaims } from './signed-claims.ts';
import type { Viewer } from './viewer.ts';

/** Why authentication failed. `unknown` means that no key has this secret, or that the key is for another dialect. */
export type KeyFault = 'missing' | 'unknown' | 'revoked' | 'expired';

/** Why credentials that were accepted are not valid any more. */
export type Lapse = Extract<KeyFault, 'revoked' | 'expired'>;

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

/** The cookie is no session of ours, or one that is over: by itself, or with its key. */
class EndedSessionError extends UnauthenticatedError {
  constructor(why: 'unknown' | 'revoked') {
    super(why, why === 'revoked' ? 'Your session has ended, because its key was revoked. Sign in with another one.' : 'Your session has ended. Sign in again.');
  }
}

/** What a caller is told whose credentials lapsed while it waited for an answer. */
export function lapsedError({ restriction, expiresAt }: Viewer, lapse: Lapse): UnauthenticatedError {
  if (restriction === null && expiresAt !== null) return new EndedSessionError(lapse === 'revoked' ? 'revoked' : 'unknown');
  return lapse === 'revoked' ? revokedKey() : new ExpiredTokenError();
}

function revokedKey(): UnauthenticatedError {
  return unauthenticated('This API key was revoked', 'revoked');
}

/** The services that `authenticate` needs. */
interface AuthenticationServices {
  authenticator: Authenticator;
  accessTokens: AccessTokens;
  sessions: Sessions;
  audit: AuditTrail;
}

/** A key, token or session, and the address of the client that presents it. */
export interface Presented {
  secret: string;
  address: string;
}

/**
 * Identifies the viewer behind a key, or a token made with a key, on a surface. A dialect key works only on its own
 * surface; a NATIVE key works on all of them. A token is valid only as long as its key.
 *
 * @throws UnauthenticatedError, ExpiredTokenError
 */
export async function authenticate(services: AuthenticationServices, presented: Presented, surface: Dialect): Promise<Viewer> {
  const { authenticator, accessTokens } = services;
  const { secret, address } = presented;
  const token = looksLikeToken(secret) ? await accessTokens.read(secret) : null;
  if (token instanceof ExpiredClaims) {
    const key = token.keyId === null ? null : await authenticator.findById(token.keyId);
    throw refused(services, presented, { surface, key, error: new ExpiredTokenError() });
  }
  const key = token === null ? await authenticator.find(secret) : await authenticator.findById(token.apiKeyId);
  const refusal = refusalFor(key, surface);
  if (refusal !== null || key === null) throw refused(services, presented, { surface, key, error: refusal ?? unauthenticated() });
  authenticator.noteUse(key.id);
  if (token === null) return viewerOf(key, address, null);
  const { apiKeyId, workspaceId, restriction, scopes, expiresAt } = token;
  return { apiKeyId, workspaceId, address, scopes: new Set(scopes.filter((scope) => key.scopes.includes(scope))), restriction, expiresAt };
}

/**
 * Identifies the viewer behind a session: whoever signed in with a key has its rights, as long as the key is in force.
 *
 * @throws UnauthenticatedError
 */
export async function authenticateSession(services: AuthenticationServices, presented: Presented): Promise<Viewer> {
  const { authenticator, sessions } = services;
  const session = await sessions.read(presented.secret);
  const key = session === null ? null : await authenticator.findById(session.apiKeyId);
  if (session === null || key === null || key.revokedAt !== null) {
    throw refused(services, presented, { surface: 'NATIVE', key, error: new EndedSessionError(key === null ? 'unknown' : 'revoked') });
  }
  authenticator.noteUse(key.id);
  return viewerOf(key, presented.address, session.endsAt);
}

/** The viewer with the rights of the key itself. */
function viewerOf({ id, workspaceId, scopes }: ApiKey, address: string, expiresAt: Date | null): Viewer {
  return { apiKeyId: id, workspaceId, address, scopes: new Set(scopes), restriction: null, expiresAt };
}

/** Null where the key may be used there. */
function refusalFor(key: ApiKey | null, surface: Dialect): UnauthenticatedError | null {
  if (key === null) return unauthenticated();
  if (key.revokedAt !== null) return revokedKey();
  if (key.dialect === 'NATIVE' || key.dialect === surface) return null;
  return unauthenticated(`This API key is for the ${key.dialect} API and is not valid here`);
}

/** Notes a refused sign-in in the audit of the key's workspace; what names no key stands in `default`. Returns the error. */
function refused(
  { audit }: AuthenticationServices,
  { address }: Presented,
  { surface, key, error }: { surface: Dialect; key: ApiKey | null; error: UnauthenticatedError },
): UnauthenticatedError {
  audit.refuse({
    workspaceId: key?.workspaceId ?? null,
    action: 'sign_in.refused',
    by: { apiKeyId: key?.id ?? null, address },
    target: key === null ? null : { type: 'ApiKey', id: key.id },
    outcome: error.code,
    details: { surface, reason: key !== null && error.why === 'unknown' ? 'other dialect' : error.why },
  });
  return error;
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
