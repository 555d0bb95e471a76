import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Tenant } from '../support/domain.ts';
import { eventually } from '../support/eventually.ts';
import { expectCounts, expectStatistics, untilCounted } from '../support/log-scan.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';
import { startProcess, testFolder } from '../support/process.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await startLonghaul();
  // The process that is killed counts, and no other.
  await longhaul.sweeper.stop();
});
afterAll(() => longhaul.stop());

test.each([
  { table: 'job_total', writing: 'INSERT INTO job_total', where: 'before its first sum' },
  { table: 'job_statistic', writing: 'INSERT INTO job_statistic', where: 'between its sums and its statistics' },
  { table: 'counted_log', writing: 'UPDATE counted_log', where: 'between its statistics and its mark' },
])('a process that is killed $where has counted nothing, and another one counts it once', async ({ table, writing }) => {
  const { database } = longhaul.services;
  const tenant = await Tenant.in(longhaul);
  const exact = async () => {
    await expectCounts(database, tenant.id);
    const to = new Date(Date.now() + 60_000);
    await expectStatistics(database, tenant.id, { step: 'MINUTE', from: new Date(to.getTime() - 600_000), to });
  };
  const counted = () => database.reads.query('SELECT type, status, jobs FROM job_total WHERE workspace_id = $1 ORDER BY type, status', [tenant.id]);
  await tenant.create();
  await untilCounted(database, tenant.id);
  const before = await counted();
  const process = await startProcess({ ...longhaul.shared, DATA_DIR: await testFolder(), ROLE: 'api' });
  // A connection of its own: Longhaul's do not stay in a transaction for so long.
  const holder = new pg.Client({ connectionString: longhaul.shared['DATABASE_URL'] });
  await holder.connect();
  try {
    // Reads go on, and the next write into it waits.
    await holder.query(`BEGIN; LOCK TABLE ${table} IN SHARE MODE`);
    await tenant.create();
    await tenant.complete((await tenant.running()).token);
    await eventually(async () => {
      const waiting = await database.reads.query(
        `SELECT FROM pg_locks JOIN pg_stat_activity AS activity USING (pid)
         WHERE NOT granted AND relation = to_regclass($1) AND activity.datname = current_database() AND strpos(activity.query, $2) > 0`,
        [table, writing],
      );
      expect(waiting.length).toBeGreaterThan(0);
    }, 20_000);
    process.kill('SIGKILL');
    await process.ended;
    await exact();
  } finally {
    await holder.end();
  }
  await exact();
  expect(await counted()).toEqual(before);
  // Its connection may live on for a moment.
  await untilCounted(database, tenant.id);
  expect(await counted()).not.toEqual(before);
  await exact();
}, 60_000);
