import type { Database } from '../database/database.ts';
import { countProcesses } from '../database/process-lock.ts';
import { sqlIsRunning } from '../jobs/bulk/entities.ts';
import { sqlIs } from '../jobs/model/state-machine.ts';
import { sqlIs as sqlDeliveryIs } from '../webhooks/entities.ts';
import { lastExpired } from '../workspaces/idempotency-key.ts';
import type { Damage } from './examination.ts';

/** What a sweep has left although it was due long ago. */
const overdue: readonly { work: string; what: string; sql: string }[] = [
  {
    work: 'ending attempts whose lease is over',
    what: 'attempts whose lease ended more than a minute ago still run',
    sql: `FROM lease WHERE expires_at < now() - interval '1 minute'`,
  },
  {
    work: 'making due jobs claimable',
    what: 'jobs that were due more than a minute ago cannot be claimed yet',
    sql: `FROM job WHERE ${sqlIs.waiting} AND job.due_at < now() - interval '1 minute'`,
  },
  {
    work: 'counting changes for the statistics',
    what: 'workspaces have changes that nobody has counted for ten minutes',
    sql: `FROM counted_log AS counted CROSS JOIN LATERAL (
            SELECT FROM job_change WHERE workspace_id = counted.workspace_id AND xid >= pg_snapshot_xmax(counted.snapshot)
              AND changed_at < now() - interval '10 minutes' LIMIT 1
          ) AS uncounted`,
  },
  {
    work: 'looking for webhooks to send',
    what: 'webhooks that were due more than ten minutes ago were not sent',
    sql: `FROM webhook_delivery WHERE ${sqlDeliveryIs.waiting} AND webhook_delivery.due_at < now() - interval '10 minutes'`,
  },
  {
    work: 'creating the jobs of schedules',
    what: 'schedules were due more than a minute ago, and have created nothing since',
    sql: `FROM schedule WHERE next_run_at < now() - interval '1 minute'`,
  },
  {
    work: 'carrying out bulk actions',
    what: 'bulk actions have waited for their next step for more than a minute',
    sql: `FROM bulk_action WHERE ${sqlIsRunning} AND due_at < now() - interval '1 minute'`,
  },
  {
    work: 'housekeeping',
    what: 'idempotency keys expired more than an hour ago, and are still there',
    sql: `FROM idempotency_key WHERE created_at < ${lastExpired} - interval '1 hour'`,
  },
  {
    work: 'housekeeping',
    what: 'files expired more than an hour ago, and are still there',
    sql: `FROM artifact WHERE expires_at < now() - interval '1 hour'`,
  },
  {
    work: 'housekeeping',
    what: 'uploads expired more than an hour ago, and are still there',
    sql: `FROM upload WHERE upload.job_id IS NULL AND upload.expires_at < now() - interval '1 hour'`,
  },
];

/** Whether what processes do by themselves is done. */
export async function sweepDamages({ reads }: Database): Promise<Damage[]> {
  const damages: Damage[] = [];
  for (const { work, what, sql } of overdue) {
    const [row] = await reads.query<{ count: number }>(`SELECT count(*)::int AS count FROM (SELECT ${sql} LIMIT 100000) AS overdue`);
    const count = row?.count ?? 0;
    if (count === 0) continue;
    damages.push({ what: `${count} ${what}`, remedy: `Look at /health of each process, and in its log for "${work} failed".` });
  }
  return damages;
}

/** Why sweeps cannot be judged; null if they can. */
export async function whySweepsRest({ reads, embedded }: Database): Promise<string | null> {
  if (embedded) return 'nothing runs while the embedded database is examined';
  return (await countProcesses(reads)) === 0 ? 'no process of this installation runs: start one' : null;
}

/** Whether running jobs and their leases and slots agree: no sweep would find these. */
export async function jobDamages({ reads }: Database): Promise<Damage[]> {
  const held = await reads.query<{ id: string }>(
    `SELECT job.id FROM job WHERE ${sqlIs.running} AND NOT EXISTS (SELECT FROM lease WHERE lease.job_id = job.id) LIMIT 100`,
  );
  const stray = await reads.query<{ id: string; token: string }>(
    `SELECT lease.job_id AS id, lease.token FROM lease WHERE NOT EXISTS (SELECT FROM job WHERE job.id = lease.job_id AND ${sqlIs.running}) LIMIT 100`,
  );
  return [
    ...held.map(({ id }) => ({ what: `job ${id} runs, and nobody has its lease: it never ends by itself`, remedy: 'Cancel it, then retry it.' })),
    ...stray.map(({ id, token }) => ({
      what: `there is a lease of job ${id}, which does not run`,
      // By its token: meanwhile the job may have a lease that counts.
      remedy: `It gives nobody a right. This removes it: DELETE FROM lease WHERE job_id = '${id}' AND token = '${token}';`,
    })),
  ];
}
