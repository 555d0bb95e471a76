import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { createdAtOf, firstIdOf } from '../../src/database/ids.ts';
import type { Job } from '../../src/jobs/model/job.ts';
import { JobRetention } from '../../src/jobs/retention/job-retention.ts';
import type { JobType } from '../../src/jobs/types/job-type.ts';
import { JobTypes } from '../../src/jobs/types/registry.ts';
import { silentLog } from '../../src/log.ts';
import { Tenant } from '../support/domain.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  // One of its own: what is swept is that of all workspaces, and other files leave a hundred thousand old jobs.
  longhaul = await startLonghaul();
});
afterAll(() => longhaul.stop());

/** Removes what is due, as a process that has just started does. Gives what is due after that. */
async function sweep({ days = 90, own = {} }: { days?: number; own?: Record<string, number> } = {}): Promise<number> {
  const { database, jobs } = longhaul.services;
  const types = new JobTypes(jobs.types.all().map((type): JobType => ({ ...type, retentionDays: own[type.name] })));
  const retention = new JobRetention({ database, types, days, removeFile: () => Promise.resolve(), log: silentLog });
  onTestFinished(() => retention.stop());
  await retention.loop.settle();
  return retention.backlog();
}

/** As if the job had been created, and had ended, so many days ago. */
async function age(job: Job, created: number, ended = created): Promise<string> {
  const id = firstIdOf(createdAtOf(job.id).getTime() - created * 86_400_000).slice(0, 13) + job.id.slice(13);
  const { hot } = longhaul.services.database;
  for (const table of ['job_attempt', 'webhook_delivery', 'job_tag', 'credit_transaction', 'job_change', 'job_log', 'job_log_counter']) {
    await hot.query(`UPDATE ${table} SET job_id = $2 WHERE job_id = $1`, [job.id, id]);
  }
  await hot.query(`UPDATE job SET id = $2, finished_at = finished_at - make_interval(days => $3::int) WHERE id = $1`, [job.id, id, ended]);
  return id;
}

async function left(tenant: Tenant): Promise<string[]> {
  const jobs = await longhaul.services.jobs.list(tenant.id, {}, { above: null, below: null, direction: 'ASC', limit: 100 });
  return jobs.map(({ id }) => id);
}

const completed = async (tenant: Tenant, type = 'fingerprint') => tenant.complete((await tenant.running({ type, tags: ['old'] })).token);

test('jobs go 90 days after their end, with all that hangs on them but the ledger; what has not ended for so long stays', async () => {
  const tenant = await Tenant.in(longhaul);
  await age(await completed(tenant), 91);
  const webhook = await tenant.create({ webhookUrl: 'https://hooks.invalid/a', tags: ['old'] });
  await age(await tenant.cancel(webhook.id), 200, 100);
  const stay = [
    // Created long ago, and ended yesterday.
    await age(await completed(tenant), 100, 1),
    await age(await completed(tenant), 99, 89),
    await age(await tenant.create(), 98),
    (await completed(tenant)).id,
  ];
  const counts = await longhaul.services.jobs.counting.byStatus(tenant.id);
  const ledger = await tenant.ledger();
  expect(await sweep()).toBe(0);
  expect(await left(tenant)).toEqual(stay);
  expect(await tenant.count('FROM job_attempt WHERE workspace_id = $1')).toBe(3);
  expect(await tenant.count('FROM job_tag WHERE workspace_id = $1')).toBe(3);
  expect(await tenant.count('FROM webhook_delivery WHERE workspace_id = $1')).toBe(0);
  expect(await tenant.ledger()).toEqual(ledger);
  expect(await longhaul.services.jobs.counting.byStatus(tenant.id)).toEqual(counts);
});

test('a job goes with its log, however long that is', async () => {
  const tenant = await Tenant.in(longhaul);
  const ids = [];
  for (const lines of [1, 6_000]) {
    const { job, token } = await tenant.running();
    await tenant.log(token, 'one');
    await longhaul.fill(
      `WITH counter AS (UPDATE job_log_counter SET last = $2 WHERE job_id = $1)
       INSERT INTO job_log (job_id, sequence, attempt, level, at, message) SELECT $1, n, 1, 1, now(), '' FROM generate_series(2, $2::int) AS n`,
      [job.id, lines],
    );
    ids.push(await age(await tenant.complete(token), 91));
  }
  expect(await sweep()).toBe(0);
  expect(await left(tenant)).toEqual([]);
  expect(await tenant.count('FROM job_log_counter WHERE workspace_id = $1')).toBe(0);
  expect(await tenant.count(`FROM job_log WHERE $1::uuid IS NOT NULL AND job_id IN ('${ids.join("', '")}')`)).toBe(0);
});

test('a job type may keep its jobs for longer, for less long, or for ever', async () => {
  const tenant = await Tenant.in(longhaul);
  const of = async (type: string, days: number) => age(await tenant.cancel((await tenant.create({ type })).id), days);
  await of('comments', 100);
  const longer = await of('fingerprint', 100);
  const forEver = await of('preview', 99);
  const usual = await of('comments', 20);
  await of('download', 19);
  await sweep({ own: { fingerprint: 365, preview: 0, download: 10 } });
  expect(await left(tenant)).toEqual([longer, forEver, usual]);
});

test('0 keeps all jobs for ever, but for those of a type that says otherwise', async () => {
  const tenant = await Tenant.in(longhaul);
  const old = await age(await completed(tenant), 10_000);
  await sweep({ days: 0 });
  expect(await left(tenant)).toEqual([old]);
  await sweep({ days: 0, own: { fingerprint: 1 } });
  expect(await left(tenant)).toEqual([]);
});

test('more than one step removes are all removed', async () => {
  const tenant = await Tenant.in(longhaul);
  const jobs = await tenant.createAll(Array.from({ length: 600 }, () => ({})));
  await longhaul.services.database.hot.query(
    `UPDATE job SET id = ('00000000-' || substr(id::text, 10))::uuid, status = 'CANCELLED', finished_at = now() - interval '91 days',
       credits_refunded = credits_charged
     WHERE workspace_id = $1`,
    [tenant.id],
  );
  expect(jobs).toHaveLength(600);
  expect(await sweep()).toBe(0);
  expect(await left(tenant)).toEqual([]);
});

test('what is due is in the metrics', async () => {
  const metrics = await (await fetch(`${longhaul.url}/metrics`)).text();
  for (const what of ['jobs', 'changes', 'files', 'idempotency_keys']) expect(metrics).toContain(`longhaul_retention_backlog{what="${what}"}`);
});
