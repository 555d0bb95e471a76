import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Secrets } from '../secrets.ts';

export interface ArtifactLinks {
  /** Returns the download URL. The same artifact and expiry always give the same URL. */
  sign(artifact: { id: string; expiresAt: Date }): string;
  /** Whether this id and expiry (as text in the URL) were signed here. The row decides whether the file has expired. */
  verify(id: string, expires: string, signature: string): boolean;
}

/**
 * Signs and checks `<publicUrl>/artifacts/<id>?expires=<epoch seconds>&signature=<HMAC-SHA256, base64url>`. The first
 * secret signs; links signed with any of them are accepted.
 */
export function createArtifactLinks({ secrets, publicUrl }: { secrets: Secrets; publicUrl: () => string }): ArtifactLinks {
  const keys = secrets.keysFor('longhaul artifact links');
  const base = () => `${publicUrl().replace(/\/+$/, '')}/artifacts/`;
  return {
    sign({ id, expiresAt }) {
      // Round down: the row has milliseconds, and the URL must not outlive it.
      const expires = String(Math.floor(expiresAt.getTime() / 1000));
      return `${base()}${id}?expires=${expires}&signature=${signatureOf(keys[0], id, expires)}`;
    },
    verify(id, expires, signature) {
      const given = Buffer.from(signature);
      return keys.some((key) => {
        const expected = Buffer.from(signatureOf(key, id, expires));
        return given.byteLength === expected.byteLength && timingSafeEqual(given, expected);
      });
    },
  };
}

function signatureOf(key: Buffer, id: string, expires: string): string {
  return createHmac('sha256', key).update(`${id}\n${expires}`).digest('base64url');
}
