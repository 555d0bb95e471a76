import { afterAll, beforeAll, expect, test } from 'vitest';
import { Tenant, endLease, sweep } from '../support/domain.ts';
import { eventually } from '../support/eventually.ts';
import { mayIdle } from '../support/lock-waits.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await startLonghaul({ DATABASE_POOL_SIZE: '8' });
});
afterAll(() => longhaul.stop());

/** Two of the eight are for reads. */
const readers = 2;

/** Holds every connection for reads with a statement that waits; resolves once they all do. */
async function holdReads(): Promise<{ release: () => Promise<void> }> {
  const { database } = longhaul.services;
  // Taken on a connection of its own, or those that wait for it would have to be it.
  const held = Promise.withResolvers<void>();
  const taken = Promise.withResolvers<void>();
  const holder = database.transaction(async (transaction) => {
    await transaction.query(mayIdle);
    await transaction.query('SELECT pg_advisory_xact_lock(7, 7)');
    taken.resolve();
    await held.promise;
  });
  await taken.promise;
  const waiting = Array.from({ length: readers }, () => database.reads.query('SELECT pg_advisory_lock(7, 7), pg_advisory_unlock(7, 7)').catch(() => undefined));
  await eventually(async () => {
    const rows = await database.hot.query(
      `SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND classid = 7 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    );
    expect(rows).toHaveLength(readers);
  });
  return {
    release: async () => {
      held.resolve();
      await Promise.all([holder, ...waiting]);
    },
  };
}

test('while slow reads hold every connection for them, what keeps jobs alive goes on', async () => {
  const tenant = await Tenant.in(longhaul);
  const { database } = longhaul.services;
  const [reported, lapsing] = [await tenant.create(), await tenant.running()];
  const updates = longhaul.services.jobs.watch(reported.id);
  await updates.next();
  // Nobody has used it yet, so that it has to be looked up.
  const key = await (await longhaul.workspace()).key();
  const held = await holdReads();
  try {
    // The reads are held indeed.
    const list = longhaul.services.jobs.counting.exactly(tenant.id, { tags: ['none'] });
    const answer = await longhaul.graphql('mutation { claimJobs(input: { types: ["analysis"], workerId: "w" }) { __typename } }', {}, key);
    expect(answer).toMatchObject({ status: 200, data: { claimJobs: { __typename: 'ClaimJobsPayload' } } });
    const { token } = await tenant.start(reported);
    await tenant.report(token, { percentage: 50 });
    await endLease(longhaul, lapsing.job.id);
    await sweep(longhaul);
    const [{ status = null } = {}] = await database.hot.query<{ status: string }>('SELECT status FROM job WHERE id = $1', [lapsing.job.id]);
    expect(status).toBe('PENDING');
    const seen = [];
    for await (const job of updates) {
      seen.push(job.status);
      if (job.progress?.percentage === 50) break;
    }
    expect(seen.at(-1)).toBe('RUNNING');
    expect((await fetch(`${longhaul.url}/health/ready`)).status).toBe(200);
    await held.release();
    expect(await list).toMatchObject({ count: 0 });
  } finally {
    await held.release();
  }
});
