import ipaddr from 'ipaddr.js';
import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import type { SharedCounter } from '../bus/redis-counter.ts';
import { Batches } from '../concurrency/batches.ts';
import { budgetsOf, shareOf, type Viewer } from '../workspaces/viewer.ts';

/** Length of a window in seconds. */
const windowSeconds = 60;

/** Whether a request is allowed, and the state of its budget. */
export interface Verdict {
  allowed: boolean;
  /** Requests allowed per window. */
  limit: number;
  /** Requests left in this window. */
  remaining: number;
  /** When the window ends. */
  resetsAt: Date;
  /** Whole seconds until the window ends, at least one. */
  retryAfter: number;
}

/** The count of one budget while the requests of a batch get their verdicts one by one. */
interface Count extends Pick<Verdict, 'resetsAt' | 'retryAfter'> {
  used: number;
}

/**
 * Limits requests per minute for each key, and for each address that sends no valid key. Uses the fixed windows of
 * rate-limiter-flexible. With Redis all processes share a budget; while Redis is down each counts on its own.
 */
export class RateLimiter {
  readonly #keys: Budgets;
  /** Half as large: for tokens that open the same job or tag. */
  readonly #halves: Budgets;
  readonly #addresses: Budgets;

  /**
   * @param limits requests per minute; 0 turns a limit off
   * @param shared null if there is only one process
   */
  constructor(limits: { key: number; address: number }, shared: SharedCounter | null, prefix: string) {
    this.#keys = new Budgets(limits.key, shared, `${prefix}rate`);
    this.#halves = new Budgets(shareOf(limits.key, 'half'), shared, `${prefix}rate-half`);
    this.#addresses = new Budgets(limits.address, shared, `${prefix}rate-address`);
  }

  /**
   * Counts one request of the viewer; null if the limit is off. A request that is one too many for its own budget does not
   * count against the wider one.
   */
  async consume(viewer: Viewer): Promise<Verdict | null> {
    let verdict: Verdict | null = null;
    for (const { name, share } of budgetsOf(viewer)) {
      const next = await this.#budgets(share).consume(name);
      if (verdict === null || (next !== null && next.remaining < verdict.remaining)) verdict = next;
      if (next?.allowed === false) return next;
    }
    return verdict;
  }

  /** The state of the viewer's budgets, of which the one with the least left counts; null if the limit is off. Counts nothing. */
  async look(viewer: Viewer): Promise<Verdict | null> {
    const verdicts = await Promise.all(budgetsOf(viewer).map(({ name, share }) => this.#budgets(share).look(name)));
    return verdicts.reduce((least, next) => (least !== null && next !== null && next.remaining < least.remaining ? next : least));
  }

  /** Takes the price of what was just done from the viewer's budgets: as many requests fewer until the window ends. */
  async spend(viewer: Viewer, requests: number): Promise<void> {
    for (const { name, share } of budgetsOf(viewer)) await this.#budgets(share).spend(name, requests);
  }

  /** Counts one request without a valid key; null if the limit is off. */
  consumeAddress(address: string): Promise<Verdict | null> {
    return this.#addresses.consume(networkOf(address));
  }

  #budgets(share: 'whole' | 'half'): Budgets {
    return share === 'half' ? this.#halves : this.#keys;
  }
}

/** Counts requests that arrive together in one batch, so that a busy budget needs only one Redis command for many of them. */
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

  async look(key: string): Promise<Verdict | null> {
    return this.#limit === 0 ? null : this.#verdict(await this.#add(key, 0));
  }

  async spend(key: string, points: number): Promise<void> {
    if (this.#limit > 0) await this.#consume(key, points);
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
      // What was used before this batch; `#next` adds its requests one by one.
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
    return this.#verdict(count);
  }

  #verdict({ used, resetsAt, retryAfter }: Count): Verdict {
    const limit = this.#limit;
    return { allowed: used <= limit, limit, remaining: Math.max(0, limit - used), resetsAt, retryAfter };
  }
}

/** Counts an IPv6 address by its /64 network, because one host may have all addresses in it. */
function networkOf(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  return parsed instanceof ipaddr.IPv6 ? parsed.parts.slice(0, 4).map((part) => part.toString(16)).join(':') : parsed.toString();
}
