import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

export interface ArtifactLinks {
  /** Returns the download URL. The same artifact and expiry always give the same URL. */
  sign(artifact: { id: string; expiresAt: Date }): string;
  /** Whether this id and expiry (as text in the URL) were signed here. The row decides whether the file has expired. */
  verify(id: string, expires: string, signature: string): boolean;
}

/**
 * Signs and checks `<publicUrl>/artifacts/<id>?expires=<epoch seconds>&signature=<HMAC-SHA256, base64url>`. The key is
 * derived from `secret` for this purpose only, so that nothing else signed with the secret is accepted as a link.
 */
export function createArtifactLinks({ secret, publicUrl }: { secret: string; publicUrl: () => string }): ArtifactLinks {
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'longhaul artifact links', 32));
  const base = () => `${publicUrl().replace(/\/+$/, '')}/artifacts/`;
  const signatureOf = (id: string, expires: string) =>
    createHmac('sha256', key).update(`${id}\n${expires}`).digest('base64url');
  return {
    sign({ id, expiresAt }) {
      // Round down: the row has milliseconds, and the URL must not outlive it.
      const expires = String(Math.floor(expiresAt.getTime() / 1000));
      return `${base()}${id}?expires=${expires}&signature=${signatureOf(id, expires)}`;
    },
    verify(id, expires, signature) {
      const expected = Buffer.from(signatureOf(id, expires));
      const given = Buffer.from(signature);
      return given.byteLength === expected.byteLength && timingSafeEqual(given, expected);
    },
  };
}
