import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import type { SharedCounter } from '../bus/redis-counter.ts';
import { Batches } from '../jobs/batches.ts';
import type { Viewer } from '../workspaces/viewer.ts';

/** One window of a budget, in seconds. */
const windowSeconds = 60;

/** What became of one request's wish. */
export interface Verdict {
  allowed: boolean;
  /** Requests in a window. */
  limit: number;
  /** What is left of them. */
  remaining: number;
  /** When the window ends. */
  resetsAt: Date;
  /** Whole seconds until then, at least one. */
  retryAfter: number;
}

/** Of one key, while the requests of a batch get their verdicts one by one. */
interface Count extends Pick<Verdict, 'resetsAt' | 'retryAfter'> {
  used: number;
}

/**
 * Requests of each key in a minute (rate-limiter-flexible: fixed windows). With Redis all processes share a budget; while
 * it is away each counts for itself. Requests that arrive together are counted together, so that a busy key costs Redis
 * one command for many of them.
 */
export class RateLimiter {
  readonly #limit: number;
  readonly #limiter: RateLimiterAbstract;
  readonly #batches: Batches<string, Verdict>;

  /**
   * @param limit requests a minute for each key; 0 turns it off
   * @param shared null where there is one process
   */
  constructor(limit: number, shared: SharedCounter | null, prefix: string) {
    this.#limit = limit;
    const budget = { points: Math.max(1, limit), duration: windowSeconds, keyPrefix: `${prefix}rate` };
    const own = new RateLimiterMemory(budget);
    this.#limiter =
      shared === null ? own : new RateLimiterRedis({ ...budget, storeClient: shared, insuranceLimiter: own });
    this.#batches = new Batches((keys) => this.#count(keys), { lanes: 2, size: 1_000, turns: 10 });
  }

  /** Counts one request of the viewer; null where there is no limit. */
  async consume(viewer: Viewer): Promise<Verdict | null> {
    return this.#limit === 0 ? null : this.#batches.add(budgetOf(viewer));
  }

  async #count(keys: readonly string[]): Promise<Verdict[]> {
    const points = new Map<string, number>();
    for (const key of keys) points.set(key, (points.get(key) ?? 0) + 1);
    const counts = new Map<string, Count>();
    await Promise.all([...points].map(async ([key, wanted]) => counts.set(key, await this.#add(key, wanted))));
    return keys.map((key) => this.#next(counts.get(key)));
  }

  async #add(key: string, points: number): Promise<Count> {
    const { consumedPoints, msBeforeNext } = await this.#consume(key, points);
    return {
      // The first of a batch was counted before all others of it.
      used: consumedPoints - points,
      resetsAt: new Date(Date.now() + msBeforeNext),
      retryAfter: Math.max(1, Math.ceil(msBeforeNext / 1_000)),
    };
  }

  async #consume(key: string, points: number): Promise<RateLimiterRes> {
    try {
      return await this.#limiter.consume(key, points);
    } catch (refusal) {
      if (refusal instanceof RateLimiterRes) return refusal;
      throw refusal;
    }
  }

  #next(count: Count | undefined): Verdict {
    if (count === undefined) throw new Error('a request was not counted');
    count.used += 1;
    const { used, resetsAt, retryAfter } = count;
    const limit = this.#limit;
    return { allowed: used <= limit, limit, remaining: Math.max(0, limit - used), resetsAt, retryAfter };
  }
}

/** A key's own budget; what its tokens open has one each, so that no browser can use up that of the key. */
function budgetOf({ apiKeyId, restriction }: Viewer): string {
  if (restriction === null) return apiKeyId;
  return `${apiKeyId} ${'jobId' in restriction ? `job ${restriction.jobId}` : `tag ${restriction.tag}`}`;
}
