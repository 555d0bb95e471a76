import type { Verdict } from '../../rate-limit/rate-limiter.ts';
import type { DialectProfile } from './dialect-profile.ts';
import { RefusedError } from './refusal.ts';

/** The limit that a request was counted against, as headers, if the dialect's vendor documents them. */
export function rateLimitHeaders({ showsRateLimit }: DialectProfile, verdict: Verdict | null): Record<string, string> | undefined {
  if (!showsRateLimit || verdict === null) return undefined;
  const { limit, remaining, resetsAt } = verdict;
  return {
    'x-ratelimit-limit': String(limit),
    'x-ratelimit-remaining': String(remaining),
    'x-ratelimit-reset': String(Math.ceil(resetsAt.getTime() / 1_000)),
  };
}

/** Throws a RefusedError for a request that is one too many. */
export function refuseTooMany(verdict: Verdict | null): void {
  if (verdict === null || verdict.allowed) return;
  const { retryAfter, limit } = verdict;
  throw new RefusedError({ kind: 'RATE_LIMITED', retryAfter, limit, used: limit });
}
