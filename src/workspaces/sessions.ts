import { z } from 'zod';
import type { DatabaseClock } from '../database/clock.ts';
import type { Secrets } from '../secrets.ts';
import { ExpiredClaims, SignedClaims } from './signed-claims.ts';

/** How long a session lasts, in seconds: a working day. */
export const sessionSeconds = 12 * 60 * 60;

export interface Session {
  apiKeyId: string;
  endsAt: Date;
}

const claims = z.object({ sub: z.uuid(), exp: z.int() });

/**
 * What a browser holds in place of a key after it signed in at the page that the server serves: a signed token that names the key,
 * and ends with it. Nothing is stored, so every process knows it. Signed for this purpose alone: it is no access token, nor one of
 * those a session.
 */
export class Sessions {
  readonly #signed: SignedClaims;

  constructor(secrets: Secrets, clock: Pick<DatabaseClock, 'now'>) {
    this.#signed = new SignedClaims(secrets, 'longhaul session', clock);
  }

  open(apiKeyId: string): Promise<string> {
    return this.#signed.sign(apiKeyId, this.#signed.endAfter(sessionSeconds), {});
  }

  /** Returns null if this is no session of ours, or one that is over. */
  async read(token: string): Promise<Session | null> {
    const payload = await this.#signed.read(token);
    if (payload === null || payload instanceof ExpiredClaims) return null;
    const { data } = claims.safeParse(payload);
    return data === undefined ? null : { apiKeyId: data.sub, endsAt: new Date(data.exp * 1_000) };
  }
}
