import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Queryable } from '../../src/database/queryable.ts';
import { rollUp } from '../../src/jobs/statistics/roll-up.ts';
import { Tenant } from '../support/domain.ts';
import { mayIdle } from '../support/lock-waits.ts';
import { expectCounts, expectStatistics, untilCounted } from '../support/log-scan.ts';
import { type Longhaul, sharedLonghaul } from '../support/longhaul.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
});
afterAll(() => longhaul.stop());

const insert = `
  INSERT INTO job_change (workspace_id, job_id, type, previous_status, status, claimed_at)
  VALUES ($1, gen_random_uuid(), 'late', 'RUNNING', 'COMPLETED', now() - interval '10 s')`;

/** Opens a transaction with a change. It ends when `end` is called. */
async function open(workspaceId: string, outcome: 'commit' | 'abort'): Promise<{ end: () => Promise<void> }> {
  const ending = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const done = longhaul.services.database.transaction(async (transaction: Queryable) => {
    await transaction.query(mayIdle);
    await transaction.query(insert, [workspaceId]);
    begun.resolve();
    await ending.promise;
    if (outcome === 'abort') throw new Error('aborted');
  });
  await begun.promise;
  return {
    end: async () => {
      ending.resolve();
      await done.catch((error: unknown) => expect(error).toMatchObject({ message: 'aborted' }));
    },
  };
}

test('changes that commit long after later ones are counted once, and those that abort never', async () => {
  const { database } = longhaul.services;
  const tenant = await Tenant.in(longhaul);
  const exact = async (late: number) => {
    expect(await longhaul.services.jobs.counting.byStatus(tenant.id)).toMatchObject({ completed: late });
    const to = new Date(Date.now() + 60_000);
    await expectStatistics(database, tenant.id, { step: 'MINUTE', from: new Date(to.getTime() - 600_000), to });
  };
  const [first, second, never] = [await open(tenant.id, 'commit'), await open(tenant.id, 'commit'), await open(tenant.id, 'abort')];
  await tenant.create();
  await untilCounted(database, tenant.id);
  await tenant.create();
  await exact(0);
  await first.end();
  await exact(1);
  await untilCounted(database, tenant.id);
  await exact(1);
  await never.end();
  await second.end();
  await exact(2);
  // Nothing else has happened since, and this finds them all the same.
  await untilCounted(database, tenant.id);
  await untilCounted(database, tenant.id);
  await exact(2);
  expect(await tenant.count(`FROM job_total WHERE workspace_id = $1 AND status = 'COMPLETED' AND jobs = 2`)).toBe(1);
});

test('what two sweeps find at the same time is counted once', async () => {
  const { database } = longhaul.services;
  const tenant = await Tenant.in(longhaul);
  for (let round = 0; round < 10; round += 1) {
    await tenant.createAll([{}, {}]);
    await Promise.all([rollUp(database), rollUp(database), tenant.create(), rollUp(database)]);
    await expectCounts(database, tenant.id);
  }
});
