import { errors, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import type { DatabaseClock } from '../database/clock.ts';
import type { Secrets } from '../secrets.ts';
import type { Restriction, Viewer } from './viewer.ts';

/** The claims of a token: its key and workspace, and what it gives access to. */
export interface AccessClaims {
  apiKeyId: string;
  workspaceId: string;
  restriction: Restriction;
  expiresAt: Date;
}

const algorithm = 'HS256';
const issuer = 'longhaul';

const claims = z.object({
  sub: z.uuid(),
  ws: z.uuid(),
  exp: z.int(),
  job: z.uuid().optional(),
  tag: z.string().optional(),
});

/** Signs and verifies the short-lived tokens that a browser may hold: JWTs (RFC 7519), using the `jose` library. */
export class AccessTokens {
  /** The first signs. */
  readonly #keys: [Buffer, ...Buffer[]];

  /** Of all processes alike. */
  readonly clock: Pick<DatabaseClock, 'now'>;

  constructor(secrets: Secrets, clock: Pick<DatabaseClock, 'now'>) {
    this.clock = clock;
    this.#keys = secrets.keysFor('longhaul access token');
  }

  async sign({ apiKeyId, workspaceId }: Viewer, restriction: Restriction, expiresAt: Date): Promise<string> {
    return new SignJWT({ ws: workspaceId, ...('jobId' in restriction ? { job: restriction.jobId } : restriction) })
      .setProtectedHeader({ alg: algorithm })
      .setIssuer(issuer)
      .setSubject(apiKeyId)
      .setExpirationTime(expiresAt)
      .sign(this.#keys[0]);
  }

  /** Returns null if this is not one of our tokens, and `expired` if it is but has expired. */
  async read(token: string): Promise<AccessClaims | 'expired' | null> {
    for (const key of this.#keys) {
      const read = await this.#readWith(key, token);
      if (read !== null) return read;
    }
    return null;
  }

  async #readWith(key: Buffer, token: string): Promise<AccessClaims | 'expired' | null> {
    try {
      const { payload } = await jwtVerify(token, key, { issuer, algorithms: [algorithm], currentDate: this.clock.now() });
      const { sub, ws, exp, job, tag } = claims.parse(payload);
      const restriction = job !== undefined ? { jobId: job } : tag !== undefined ? { tag } : null;
      if (restriction === null) return null;
      return { apiKeyId: sub, workspaceId: ws, restriction, expiresAt: new Date(exp * 1_000) };
    } catch (error) {
      if (error instanceof errors.JWTExpired) return 'expired';
      if (error instanceof errors.JOSEError || error instanceof z.ZodError) return null;
      throw error;
    }
  }
}

/** Whether a secret looks like a token. An imported key may look like one too, so it is still looked up as a key. */
export function looksLikeToken(secret: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(secret);
}
