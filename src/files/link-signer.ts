import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Secrets } from '../secrets.ts';

/** Signs links for one purpose, by HMAC-SHA256 in base64url. The first secret signs; links signed with any of them are accepted. */
export class LinkSigner {
  readonly #keys: readonly [Buffer, ...Buffer[]];

  constructor(secrets: Secrets, purpose: string) {
    this.#keys = secrets.keysFor(purpose);
  }

  sign(text: string): string {
    return signatureOf(this.#keys[0], text);
  }

  verify(text: string, signature: string): boolean {
    const given = Buffer.from(signature);
    return this.#keys.some((key) => {
      const expected = Buffer.from(signatureOf(key, text));
      return given.byteLength === expected.byteLength && timingSafeEqual(given, expected);
    });
  }
}

function signatureOf(key: Buffer, text: string): string {
  return createHmac('sha256', key).update(text).digest('base64url');
}
