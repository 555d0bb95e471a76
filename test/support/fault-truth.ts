import { readdir } from 'node:fs/promises';
import { OrphanedFiles } from '../../src/files/orphans.ts';
import { DiskStore } from '../../src/files/stores/disk/disk-store.ts';
import { findUnnamedFiles } from '../../src/jobs/read/unnamed-files.ts';
import { isFinal } from '../../src/jobs/model/state-machine.ts';
import type { JobStatus } from '../graphql/generated/graphql.ts';
import type { AcceptedJob, FaultLoad } from './fault-load.ts';
import type { Installation } from './process.ts';

interface JobRow {
  id: string;
  status: JobStatus;
  version: number;
  charges: number;
  refunds: number;
  completions: number;
  leases: number;
}

/** What must hold once everything has ended, and does not: jobs, money, watchers and files, by the rows themselves. */
export async function violationsAfter(fleet: Installation, load: FaultLoad): Promise<string[]> {
  const rows = new Map((await jobRows(fleet, [...load.jobs.keys()])).map((row) => [row.id, row]));
  return [
    ...load.faults,
    ...[...load.jobs].flatMap(([id, job]) => jobFaults(id, job, rows.get(id))),
    ...load.watchers.flatMap(({ jobId, finals, hasHeard, faults }) => {
      const row = rows.get(jobId);
      const [end] = finals;
      const isTold = hasHeard && finals.length === 1 && end?.version === row?.version && end?.status === row?.status;
      return isTold ? faults : [...faults, `a watcher of ${jobId} (${row?.status}) was told of ${finals.length} ends`];
    }),
    ...(await moneyFaults(fleet)),
    ...(await fileFaults(fleet)),
  ];
}

/** How many jobs have not ended. */
export async function countUnfinished({ query }: Installation): Promise<number> {
  const [row] = await query<{ count: number }>(`SELECT count(*)::int AS count FROM job WHERE status IN ('PENDING', 'RUNNING')`);
  return row?.count ?? Number.NaN;
}

/** How many jobs there are, accepted or not. */
export async function countJobs({ query }: Installation): Promise<number> {
  const [row] = await query<{ count: number }>(`SELECT count(*)::int AS count FROM job`);
  return row?.count ?? Number.NaN;
}

function jobRows({ query }: Installation, ids: string[]): Promise<JobRow[]> {
  return query<JobRow>(
    `SELECT asked.id, job.status, job.version,
       (SELECT count(*)::int FROM credit_transaction WHERE job_id = job.id AND kind = 'CHARGE') AS charges,
       (SELECT count(*)::int FROM credit_transaction WHERE job_id = job.id AND kind = 'REFUND') AS refunds,
       (SELECT count(*)::int FROM job_attempt WHERE job_id = job.id AND outcome = 'COMPLETED') AS completions,
       (SELECT count(*)::int FROM lease WHERE job_id = job.id) AS leases
     FROM unnest($1::text[]) AS asked(id) JOIN job ON asked.id = 'job_' || job.id`,
    [ids],
  );
}

function jobFaults(id: string, { fate, told }: AcceptedJob, row: JobRow | undefined): string[] {
  if (row === undefined) return [`${id} was accepted and is gone`];
  const { status, charges, refunds, completions, leases } = row;
  const isCompleted = status === 'COMPLETED';
  const wanted: JobStatus[] = fate === 'fail' ? ['FAILED'] : ['cancel', 'withdraw'].includes(fate) ? ['CANCELLED', 'COMPLETED'] : ['COMPLETED'];
  const holds: [boolean, string][] = [
    [isFinal(status), `has not ended: ${status}`],
    [wanted.includes(status), `(${fate}) ended as ${status}`],
    [told.size === 0 || (told.size === 1 && told.has(status)), `is ${status}, and was told to be ${[...told].join(', ')}`],
    [charges === 1, `was charged ${charges} times`],
    [refunds === (isCompleted ? 0 : 1), `is ${status} and was refunded ${refunds} times`],
    [completions === Number(isCompleted), `is ${status} with ${completions} completed attempts`],
    [leases === 0, `has ended with ${leases} leases`],
  ];
  return holds.flatMap(([does, what]) => (does ? [] : [`${id} ${what}`]));
}

async function moneyFaults({ query }: Installation): Promise<string[]> {
  const wrong = await query<{ id: string }>(
    `SELECT workspace.id FROM workspace
     WHERE credits <> (SELECT coalesce(sum(amount), 0) FROM credit_transaction WHERE workspace_id = workspace.id)`,
  );
  return wrong.map(({ id }) => `the ledger of ${id} does not add up to its balance`);
}

/** Files that nobody names are swept away first, as every ten minutes. */
async function fileFaults(fleet: Installation): Promise<string[]> {
  const volume = fleet.env['ARTIFACTS_DIR'] ?? '';
  const orphans = new OrphanedFiles(new DiskStore(volume), { findUnnamedFiles: (...asked) => findUnnamedFiles(fleet, ...asked) });
  await orphans.sweep();
  const files = new Set((await readdir(volume, { recursive: true })).filter((entry) => entry.includes('/')));
  const rows = await fleet.query<{ path: string }>(`SELECT workspace_id || '/' || id AS path FROM artifact`);
  const named = new Set(rows.map(({ path }) => path));
  return [
    ...[...files.difference(named)].map((path) => `no row names the file ${path}`),
    ...[...named.difference(files)].map((path) => `there is no file ${path}`),
  ];
}
