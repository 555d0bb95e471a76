import { z } from 'zod';
import type { DatabaseClock } from '../database/clock.ts';
import type { Secrets } from '../secrets.ts';
import { ExpiredClaims, SignedClaims } from './signed-claims.ts';
import type { Restriction, Tags } from './viewer.ts';

/** The scopes that a token can have. */
export const tokenScopes = ['READ', 'WRITE'] as const;

type TokenScope = (typeof tokenScopes)[number];

/** The claims of a token: its key and workspace, what it opens, and what it may do there. */
export interface AccessClaims {
  apiKeyId: string;
  workspaceId: string;
  restriction: Restriction;
  scopes: readonly TokenScope[];
  expiresAt: Date;
}

/*
 * Versions up to 0.2.0 know `job` and `tag` alone, and let whoever comes with one of them read. So a token that is anything
 * else has neither: they do not know it, and refuse it.
 */
const opened = z.union([
  z.object({ job: z.uuid() }).transform(({ job }) => ({ restriction: { jobId: job }, scopes: readAlone })),
  z.object({ tag: z.string() }).transform(({ tag }) => ({ restriction: ofTags([tag]), scopes: readAlone })),
  z
    .object({ tags: z.tuple([z.string()], z.string()), types: z.array(z.string()).optional(), scopes: z.array(z.enum(tokenScopes)) })
    .transform(({ tags, types, scopes }) => ({ restriction: ofTags(tags, types), scopes })),
]);

const claims = z.object({ sub: z.uuid(), ws: z.uuid(), exp: z.int() }).and(opened);

const readAlone: readonly TokenScope[] = ['READ'];

function ofTags(tags: Tags, types: readonly string[] | null = null): Restriction {
  return { tags, types };
}

/** In the form that older versions know, if it says it all. */
function openedBy({ restriction, scopes }: Pick<AccessClaims, 'restriction' | 'scopes'>): z.input<typeof opened> {
  if ('jobId' in restriction) return { job: restriction.jobId };
  const { tags, types } = restriction;
  const [tag, ...more] = tags;
  if (more.length === 0 && types === null && scopes.join() === readAlone.join()) return { tag };
  return { tags: [tag, ...more], scopes: [...scopes], ...(types === null ? {} : { types: [...types] }) };
}

/** Signs and verifies the short-lived tokens that a browser may hold. */
export class AccessTokens {
  readonly #signed: SignedClaims;

  constructor(secrets: Secrets, clock: Pick<DatabaseClock, 'now'>) {
    this.#signed = new SignedClaims(secrets, 'longhaul access token', clock);
  }

  /** When a token that is signed now ends. */
  endAfter(seconds: number): Date {
    return this.#signed.endAfter(seconds);
  }

  sign({ apiKeyId, workspaceId, expiresAt, ...given }: AccessClaims): Promise<string> {
    return this.#signed.sign(apiKeyId, expiresAt, { ws: workspaceId, ...openedBy(given) });
  }

  /** Returns null if this is not one of our tokens. */
  async read(token: string): Promise<AccessClaims | ExpiredClaims | null> {
    const payload = await this.#signed.read(token);
    if (payload === null || payload instanceof ExpiredClaims) return payload;
    const { data } = claims.safeParse(payload);
    if (data === undefined) return null;
    const { sub, ws, exp, restriction, scopes } = data;
    return { apiKeyId: sub, workspaceId: ws, restriction, scopes, expiresAt: new Date(exp * 1_000) };
  }
}

/** Whether a secret looks like a token. An imported key may look like one too, so it is still looked up as a key. */
export function looksLikeToken(secret: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(secret);
}
