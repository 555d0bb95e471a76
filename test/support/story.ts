import * as fc from 'fast-check';
import { LonghaulError } from '../../src/errors.ts';
import { grantCredits } from '../../src/workspaces/grant-credits.ts';
import { endLease, type HeldJob, sweep, type Tenant } from './domain.ts';
import type { Longhaul } from './longhaul.ts';

/** Of a rule of the domain that stood in the way, nothing; of anything else, the error. */
export async function allowingRefusal(work: Promise<unknown>): Promise<void> {
  await work.catch((error: unknown) => {
    if (!(error instanceof LonghaulError) || error.code === 'UNAVAILABLE') throw error;
  });
}

/** What may happen to a workspace; `pick` chooses one of the jobs that are running or have been. */
export type Step =
  | { do: 'create'; type: 'fingerprint' | 'transcribe' | 'renovation-timelapse'; count: number; maxAttempts: 1 | 2 }
  | { do: 'claim'; limit: number }
  | { do: 'complete' | 'fail' | 'failForGood' | 'release' | 'expire'; pick: number }
  | { do: 'cancel'; pick: number }
  | { do: 'grant'; amount: number };

export const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('create'),
      type: fc.constantFrom('fingerprint', 'transcribe', 'renovation-timelapse'),
      count: fc.integer({ min: 1, max: 3 }),
      maxAttempts: fc.constantFrom(1, 2),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('claim'), limit: fc.integer({ min: 1, max: 3 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('complete', 'fail', 'failForGood', 'release', 'expire'),
      pick: fc.nat({ max: 20 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel'), pick: fc.nat({ max: 20 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('grant'), amount: fc.integer({ min: 1, max: 60 }) }) },
);

export const storyTypes = ['fingerprint', 'transcribe', 'renovation-timelapse'];

/** What happens to a workspace, one step after the other. */
export class Story {
  readonly tenant: Tenant;
  /** The ids of all jobs that were created. */
  readonly jobs: string[] = [];
  readonly #held: HeldJob[] = [];
  readonly #longhaul: Longhaul;

  constructor(longhaul: Longhaul, tenant: Tenant) {
    this.#longhaul = longhaul;
    this.tenant = tenant;
  }

  async take(next: Step): Promise<void> {
    switch (next.do) {
      case 'create': {
        const { type, count, maxAttempts } = next;
        const input = { sourceUrl: 'https://example.com/a.mp4' };
        const asked = Array.from({ length: count }, () => ({ type, input, maxAttempts }));
        this.jobs.push(...(await this.tenant.createAll(asked)).map(({ id }) => id));
        return;
      }
      case 'claim':
        this.#held.push(...(await this.tenant.claim({ types: storyTypes, limit: next.limit })));
        return;
      case 'cancel': {
        const id = this.jobs[next.pick % this.jobs.length];
        if (id !== undefined) await this.tenant.cancel(id);
        return;
      }
      case 'grant':
        await grantCredits(this.#longhaul.services.database, { workspaceId: this.tenant.id, amount: next.amount, idempotencyKey: null });
        return;
      default:
        await this.#end(next.do, this.#held[next.pick % this.#held.length]);
    }
  }

  async #end(how: 'complete' | 'fail' | 'failForGood' | 'release' | 'expire', held: HeldJob | undefined) {
    if (held === undefined) return;
    if (how === 'complete') await this.tenant.complete(held.token);
    else if (how === 'fail') await this.tenant.fail(held.token);
    else if (how === 'failForGood') await this.tenant.fail(held.token, { retryable: false });
    else if (how === 'release') await this.tenant.release(held.token);
    else {
      await endLease(this.#longhaul, held.job.id);
      await sweep(this.#longhaul);
    }
  }
}
