import { errors, type JWTPayload, jwtVerify, SignJWT } from 'jose';
import type { DatabaseClock } from '../database/clock.ts';
import type { Secrets } from '../secrets.ts';

const algorithm = 'HS256';
const issuer = 'longhaul';

/** Of a token that is one of ours, and has expired. */
export class ExpiredClaims {
  readonly keyId: string | null;

  constructor(keyId: string | null) {
    this.keyId = keyId;
  }
}

/**
 * Signs claims for one purpose, and verifies them: JWTs (RFC 7519), using the `jose` library. What was signed for another purpose
 * is not ours.
 */
export class SignedClaims {
  /** The first signs. */
  readonly #keys: [Buffer, ...Buffer[]];

  /** Of all processes alike. */
  readonly clock: Pick<DatabaseClock, 'now'>;

  constructor(secrets: Secrets, purpose: string, clock: Pick<DatabaseClock, 'now'>) {
    this.clock = clock;
    this.#keys = secrets.keysFor(purpose);
  }

  /** When what is signed now ends: whole seconds, because a token carries whole seconds. */
  endAfter(seconds: number): Date {
    return new Date(Math.floor(this.clock.now().getTime() / 1_000 + seconds) * 1_000);
  }

  async sign(apiKeyId: string, expiresAt: Date, claims: JWTPayload): Promise<string> {
    return new SignJWT(claims)
      .setProtectedHeader({ alg: algorithm })
      .setIssuer(issuer)
      .setSubject(apiKeyId)
      .setExpirationTime(expiresAt)
      .sign(this.#keys[0]);
  }

  /** Returns null if this is not one of ours. */
  async read(token: string): Promise<JWTPayload | ExpiredClaims | null> {
    for (const key of this.#keys) {
      const read = await this.#readWith(key, token);
      if (read !== null) return read;
    }
    return null;
  }

  async #readWith(key: Buffer, token: string): Promise<JWTPayload | ExpiredClaims | null> {
    try {
      return (await jwtVerify(token, key, { issuer, algorithms: [algorithm], currentDate: this.clock.now() })).payload;
    } catch (error) {
      if (error instanceof errors.JWTExpired) return new ExpiredClaims(error.payload.sub ?? null);
      if (error instanceof errors.JOSEError) return null;
      throw error;
    }
  }
}
