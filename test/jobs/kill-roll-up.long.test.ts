import { afterAll, beforeAll, expect, test } from 'vitest';
import { rollUp } from '../../src/jobs/statistics/roll-up.ts';
import { Tenant } from '../support/domain.ts';
import { expectCounts, expectStatistics } from '../support/log-scan.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';
import { startProcess, testFolder } from '../support/process.ts';
import { eventually } from '../support/receiver.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await startLonghaul();
  // The process that is killed counts, and no other.
  await longhaul.sweeper.stop();
});
afterAll(() => longhaul.stop());

test.each([
  { table: 'job_total', where: 'before its first sum' },
  { table: 'job_statistic', where: 'between its sums and its statistics' },
  { table: 'counted_log', where: 'between its statistics and its mark' },
])('a process that is killed $where has counted nothing, and another one counts it once', async ({ table }) => {
  const { database } = longhaul.services;
  const tenant = await Tenant.in(longhaul);
  const exact = async () => {
    await expectCounts(database, tenant.id);
    const to = new Date(Date.now() + 60_000);
    await expectStatistics(database, tenant.id, { step: 'MINUTE', from: new Date(to.getTime() - 600_000), to });
  };
  await rollUp(database);
  const process = await startProcess({ ...longhaul.shared, DATA_DIR: await testFolder(), ROLE: 'api' });
  await database.transaction(async (transaction) => {
    // Reads go on, and the next write into it waits.
    await transaction.query(`LOCK TABLE ${table} IN SHARE MODE`);
    await tenant.create();
    await tenant.complete((await tenant.running()).token);
    await eventually(async () => {
      const waiting = await database.reads.query(
        `SELECT FROM pg_locks WHERE NOT granted AND relation = to_regclass($1) AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
        [table],
      );
      expect(waiting.length).toBeGreaterThan(0);
    }, 20_000);
    process.kill('SIGKILL');
    await process.ended;
    await exact();
  });
  await exact();
  expect(await tenant.count('FROM job_total WHERE workspace_id = $1')).toBe(0);
  await rollUp(database);
  expect(await tenant.count('FROM job_total WHERE workspace_id = $1')).toBeGreaterThan(0);
  await exact();
}, 60_000);
