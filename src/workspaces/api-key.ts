import { hash, randomBytes } from 'node:crypto';
import type { Shown } from '../database/columns.ts';
import type { Dialect } from './dialect.ts';
import type { ApiKeyEntity } from './entities.ts';

/** An API key as administrators see it. The secret is shown only once, when the key is created. */
export type ApiKey = Shown<typeof ApiKeyEntity>;

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
