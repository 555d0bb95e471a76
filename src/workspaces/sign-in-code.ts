import { randomBytes, timingSafeEqual } from 'node:crypto';
import { hashSecret } from './api-key.ts';

const lastsMilliseconds = 60 * 60 * 1_000;

/** Stands for the key of a first start in the address that is printed: a key must not stand in one. Works once, within an hour, in this process. */
export class SignInCode {
  readonly code = randomBytes(24).toString('base64url');
  readonly #endsAt: Date;
  #apiKeyId: string | null;

  constructor(apiKeyId: string, now: Date) {
    this.#apiKeyId = apiKeyId;
    this.#endsAt = new Date(now.getTime() + lastsMilliseconds);
  }

  /** The key's id, to whoever brings the code first; null to all others. */
  take(code: string, now: Date): string | null {
    // Hashed: equal in length.
    if (!timingSafeEqual(Buffer.from(hashSecret(code)), Buffer.from(hashSecret(this.code)))) return null;
    const apiKeyId = now < this.#endsAt ? this.#apiKeyId : null;
    this.#apiKeyId = null;
    return apiKeyId;
  }
}
