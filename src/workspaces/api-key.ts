import { hash, randomBytes } from 'node:crypto';
import type { Dialect } from './dialect.ts';
import type { Scope } from './scope.ts';

/** An API key as administrators see it. The secret is shown only once, when the key is created. */
export interface ApiKey {
  id: string;
  workspaceId: string;
  name: string;
  /** The first characters of the secret, enough to recognise the key. */
  prefix: string;
  scopes: Scope[];
  dialect: Dialect;
  revokedAt: Date | null;
}

export const apiKeyColumns =
  'api_key.id, api_key.workspace_id, api_key.name, api_key.prefix, api_key.scopes, api_key.dialect, api_key.revoked_at';

export interface ApiKeyRow {
  id: string;
  workspace_id: string;
  name: string;
  prefix: string;
  scopes: Scope[];
  dialect: Dialect;
  revoked_at: string | null;
}

export function apiKeyFromRow(row: ApiKeyRow): ApiKey {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    name: row.name,
    prefix: row.prefix,
    scopes: row.scopes,
    dialect: row.dialect,
    revokedAt: row.revoked_at === null ? null : new Date(row.revoked_at),
  };
}

/** The prefix of each dialect's keys. RevidAPI documents no key format. */
export const secretPrefixes: Record<Dialect, string> = {
  NATIVE: 'lh_',
  VIDOCU: 'vdo_live_',
  VIDEOCONDUIT: 'vc_',
  VYDRA: 'vydra_live_user_',
  REVID: '',
};

/** Generates a secret: the dialect's prefix and 32 random bytes in hex. */
export function newSecret(dialect: Dialect): string {
  return secretPrefixes[dialect] + randomBytes(32).toString('hex');
}

/** The stored form of a secret: its SHA-256 in hex. A fast hash is enough, because secrets are long and random. */
export function hashSecret(secret: string): string {
  return hash('sha256', secret, 'hex');
}

/**
 * The part of a secret that may be shown: the prefix, then up to 4 characters but never more than a third of the rest.
 */
export function shownPrefix(secret: string, dialect: Dialect): string {
  const prefix = secretPrefixes[dialect];
  const lead = secret.startsWith(prefix) ? prefix.length : 0;
  return secret.slice(0, lead + Math.min(4, Math.floor((secret.length - lead) / 3)));
}
