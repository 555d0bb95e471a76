import ipaddr from 'ipaddr.js';
import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import type { SharedCounter } from '../bus/redis-counter.ts';
import { Batches } from '../concurrency/batches.ts';
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

/** Of one budget, while the requests of a batch get their verdicts one by one. */
interface Count extends Pick<Verdict, 'resetsAt' | 'retryAfter'> {
  used: number;
}

/**
 * Requests in a minute (rate-limiter-flexible: fixed windows): of each key, and of each address without a valid key. With
 * Redis all processes share a budget; while it is away each counts for itself.
 */
export class RateLimiter {
  readonly #keys: Budgets;
  readonly #addresses: Budgets;

  /**
   * @param limits requests a minute; 0 turns a limit off
   * @param shared null where there is one process
   */
  constructor(limits: { key: number; address: number }, shared: SharedCounter | null, prefix: string) {
    this.#keys = new Budgets(limits.key, shared, `${prefix}rate`);
    this.#addresses = new Budgets(limits.address, shared, `${prefix}rate-address`);
  }

  /** Counts one request of the viewer; null where there is no limit. */
  consume(viewer: Viewer): Promise<Verdict | null> {
    return this.#keys.consume(budgetOf(viewer));
  }

  /** Counts one request without a valid key; null where there is no limit. */
  consumeAddress(address: string): Promise<Verdict | null> {
    return this.#addresses.consume(networkOf(address));
  }
}

/** Requests that arrive together are counted together, so that a busy budget costs Redis one command for many of them. */
class Budgets {
  readonly #limit: number;
  readonly #limiter: RateLimiterAbstract;
  readonly #batches: Batches<string, Verdict>;

  constructor(limit: number, shared: SharedCounter | null, keyPrefix: string) {
    this.#limit = limit;
    const budget = { points: Math.max(1, limit), duration: windowSeconds, keyPrefix };
    const own = new RateLimiterMemory(budget);
    this.#limiter =
      shared === null ? own : new RateLimiterRedis({ ...budget, storeClient: shared, insuranceLimiter: own });
    this.#batches = new Batches((keys) => this.#count(keys), { lanes: 2, size: 1_000, turns: 10 });
  }

  async consume(key: string): Promise<Verdict | null> {
    return this.#limit === 0 ? null : this.#batches.add(key);
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

/** An address of IPv6 stands for its network of 64 bits: one host has all of them. */
function networkOf(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  return parsed instanceof ipaddr.IPv6 ? parsed.parts.slice(0, 4).map((part) => part.toString(16)).join(':') : parsed.toString();
}
