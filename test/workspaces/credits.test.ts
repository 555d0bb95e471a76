import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { InsufficientCreditsError, NotFoundError, ValidationError } from '../../src/errors.ts';
import { CreationQueue } from '../../src/jobs/create/creation-queue.ts';
import { isFinal, isRetryable } from '../../src/jobs/model/state-machine.ts';
import { grantCredits } from '../../src/workspaces/grant-credits.ts';
import { contextOf, endLease, refusal, sweep, Tenant } from '../support/domain.ts';
import { type Longhaul, sharedLonghaul } from '../support/longhaul.ts';
import { allowingRefusal, step, Story } from '../support/story.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
});
afterAll(() => longhaul.stop());

function grant(tenant: Tenant, amount: number, idempotencyKey: string | null = null) {
  return grantCredits(longhaul.services.database, { workspaceId: tenant.id, amount, idempotencyKey });
}

async function refunds(tenant: Tenant): Promise<number[]> {
  return (await tenant.ledger()).flatMap(({ kind, amount }) => (kind === 'REFUND' ? [amount] : []));
}

async function check({ tenant, jobs }: Story): Promise<void> {
  const ledger = await tenant.ledger();
  let balance = 0;
  for (const { amount, balanceAfter } of ledger) {
    balance += amount;
    expect(balanceAfter).toBe(balance);
    expect(balance).toBeGreaterThanOrEqual(0);
  }
  expect(await tenant.balance()).toBe(balance);
  for (const id of jobs) {
    const { status, creditsCharged, creditsRefunded } = await tenant.read(id);
    expect(creditsRefunded).toBe(isRetryable(status) ? creditsCharged : 0);
    const own = ledger.filter(({ jobId }) => jobId === id);
    const paid = own.reduce((sum, { amount }) => sum - amount, 0);
    expect(paid).toBe(creditsCharged - creditsRefunded);
  }
}

describe('whatever happens to a workspace, its balance is the sum of its ledger', () => {
  test('one thing after the other', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
        const story = new Story(longhaul, await Tenant.in(longhaul, { credits: 120 }));
        for (const next of steps) await allowingRefusal(story.take(next));
        await check(story);
      }),
      { numRuns: 25 },
    );
  });

  test('many things at once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
        const story = new Story(longhaul, await Tenant.in(longhaul, { credits: 120 }));
        for (let at = 0; at < steps.length; at += 6) {
          await Promise.all(steps.slice(at, at + 6).map((next) => allowingRefusal(story.take(next))));
        }
        const { tenant } = story;
        const sum = (await tenant.ledger()).reduce((total, { amount }) => total + amount, 0);
        expect(await tenant.balance()).toBe(sum);
        expect(sum).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 25 },
    );
  });
});

describe('a refund is given exactly once', () => {
  test('when cancellations, failures and a completion race', async () => {
    for (let round = 0; round < 20; round += 1) {
      const tenant = await Tenant.in(longhaul, { credits: 3 });
      const { job, token } = await tenant.running({ type: 'transcribe', maxAttempts: 1 });
      const results = await Promise.allSettled([
        tenant.fail(token, { code: 'FIRST' }),
        tenant.cancel(job.id),
        tenant.complete(token),
        tenant.fail(token, { code: 'SECOND', retryable: false }),
        tenant.cancel(job.id),
        tenant.release(token),
      ]);
      expect(results.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThanOrEqual(1);
      const end = await tenant.read(job.id);
      expect(await refunds(tenant)).toEqual(isRetryable(end.status) ? [3] : []);
      expect(await tenant.balance()).toBe(isRetryable(end.status) ? 3 : 0);
    }
  });

  test('when the expiry of the last attempt races with a cancellation and a second sweep', async () => {
    for (let round = 0; round < 20; round += 1) {
      const tenant = await Tenant.in(longhaul, { credits: 3 });
      const { job, token } = await tenant.running({ type: 'transcribe', maxAttempts: 1 });
      await Promise.all([
        endLease(longhaul, job.id).then(() => sweep(longhaul)),
        allowingRefusal(tenant.cancel(job.id)),
        allowingRefusal(tenant.fail(token)),
        sweep(longhaul),
      ]);
      expect(isFinal((await tenant.read(job.id)).status)).toBe(true);
      expect(await refunds(tenant)).toEqual([3]);
      expect(await tenant.balance()).toBe(3);
    }
  });

  test('with the failure of the last attempt, and not before', async () => {
    const tenant = await Tenant.in(longhaul, { credits: 3 });
    const { job, token } = await tenant.running({ type: 'transcribe', maxAttempts: 2 });
    await tenant.fail(token);
    expect(await refunds(tenant)).toEqual([]);
    const second = await tenant.start(await makeReady(tenant, job.id));
    expect(await tenant.fail(second.token)).toMatchObject({ status: 'FAILED', creditsRefunded: 3 });
    expect(await refunds(tenant)).toEqual([3]);
  });
});

async function makeReady(tenant: Tenant, jobId: string) {
  await longhaul.services.database.hot.query('UPDATE job SET due_at = now() WHERE id = $1', [jobId]);
  await sweep(longhaul);
  return tenant.read(jobId);
}

describe('a balance never falls below zero', () => {
  test('of fifty simultaneous creations as many succeed as can be paid', async () => {
    const tenant = await Tenant.in(longhaul, { credits: 100 });
    const processes = Array.from({ length: 5 }, () => new CreationQueue(contextOf(longhaul)));
    const creations = Array.from({ length: 10 }, () => processes.map((queue) => tenant.create({ type: 'transcribe' }, queue)));
    const results = await Promise.allSettled(creations.flat());
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(33);
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(InsufficientCreditsError);
    }
    expect(await tenant.balance()).toBe(1);
    expect(await tenant.count('FROM job WHERE workspace_id = $1')).toBe(33);
  });

  test('a dear creation that cannot be paid does not keep cheap ones beside it from being served', async () => {
    const tenant = await Tenant.in(longhaul, { credits: 5 });
    const dear = { type: 'house-timelapse', input: { theme: 'A lighthouse' } };
    const [first, second, third] = await Promise.allSettled([tenant.create(), tenant.create(dear), tenant.create()]);
    expect([first.status, second.status, third.status]).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(second).toMatchObject({ reason: { required: 150, available: 4 } });
    expect(await tenant.balance()).toBe(3);
  });
});

describe('a grant', () => {
  test('with a key is given once, however often it is sent', async () => {
    const tenant = await Tenant.in(longhaul, { credits: 1 });
    const workspaces = await Promise.all(Array.from({ length: 10 }, () => grant(tenant, 50, 'may')));
    expect(workspaces.map(({ credits }) => credits)).toEqual(Array.from({ length: 10 }, () => 51));
    expect(await tenant.ledger()).toMatchObject([{ amount: 1 }, { kind: 'GRANT', amount: 50, balanceAfter: 51 }]);
  });

  test('without a key is given each time', async () => {
    const tenant = await Tenant.in(longhaul, { credits: 1 });
    await Promise.all([grant(tenant, 5), grant(tenant, 5)]);
    expect(await tenant.balance()).toBe(11);
  });

  test('of another amount under the same key is refused', async () => {
    const tenant = await Tenant.in(longhaul, { credits: 1 });
    await grant(tenant, 50, 'may');
    const { issues } = await refusal(ValidationError, grant(tenant, 60, 'may'));
    expect(issues).toMatchObject([{ path: ['idempotencyKey'] }]);
    expect(await tenant.balance()).toBe(51);
  });

  test('that would pass the largest balance is refused, and its key is free', async () => {
    const tenant = await Tenant.in(longhaul, { credits: 1 });
    const { issues } = await refusal(ValidationError, grant(tenant, 2_147_483_647, 'all'));
    expect(issues).toMatchObject([{ path: ['amount'] }]);
    await grant(tenant, 5, 'all');
    expect(await tenant.balance()).toBe(6);
  });

  test('to nobody is refused', async () => {
    const workspaceId = '01890000-0000-7000-8000-000000000000';
    const work = grantCredits(longhaul.services.database, { workspaceId, amount: 1 });
    await refusal(NotFoundError, work);
  });
});
