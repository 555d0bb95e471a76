import { afterAll, beforeAll, expect, test } from 'vitest';
import { cancelJob } from '../../src/jobs/end/cancel.ts';
import { completeJobs } from '../../src/jobs/end/complete.ts';
import { createCompletions } from '../../src/jobs/end/completion-batch.ts';
import { failJob } from '../../src/jobs/end/fail.ts';
import { createLateCompletions } from '../../src/jobs/end/late-completion.ts';
import { releaseJob } from '../../src/jobs/end/release.ts';
import { settleKeys } from '../../src/jobs/keys/settle.ts';
import { noteStrays } from '../../src/jobs/keys/strays.ts';
import { readEnded } from '../../src/jobs/claim/ended-leases.ts';
import { beginLogs, writeLogs } from '../../src/jobs/logs/append-batch.ts';
import { decodeLeaseToken } from '../../src/jobs/claim/lease-token.ts';
import type { JobsContext } from '../../src/jobs/model/context.ts';
import { reportProgress } from '../../src/jobs/progress/report.ts';
import { ReportQueue } from '../../src/jobs/progress/report-queue.ts';
import { contextOf, type HeldJob, rivalClaimer, Tenant, usualRequest } from '../support/domain.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';
import { byId, inOrderOfIds, statementsOf, waysInto } from '../support/plans.ts';

/*
 * Statements are planned once for each connection, perhaps while little is there and nothing or little runs. What the planner
 * then believes is true of few tables that grow.
 */
let longhaul: Longhaul;
let tenant: Tenant;

beforeAll(async () => {
  longhaul = await startLonghaul();
  await longhaul.sweeper.stop();
  tenant = await Tenant.in(longhaul);
  for (let thousand = 0; thousand < 2; thousand += 1) await tenant.createAll(Array.from({ length: 1_000 }, () => ({})));
  await longhaul.fill('VACUUM ANALYZE');
});
afterAll(() => longhaul.stop());

const { type } = usualRequest;

function running(limit: number): Promise<HeldJob[]> {
  return tenant.claim({ limit });
}

const works: Record<string, (context: JobsContext, attempts: readonly HeldJob[]) => Promise<unknown>> = {
  'a claim': (context) => rivalClaimer(longhaul, context).claim(tenant.id, { types: [type], limit: 50, workerId: 'worker' }),
  'a claim over all workspaces': (context) => rivalClaimer(longhaul, context).claim(null, { types: [type], limit: 50, workerId: 'worker' }),
  'a batch of reports': (context, attempts) => {
    const queue = new ReportQueue(context);
    return Promise.all(attempts.map(({ token }) => reportProgress(queue, tenant.id, { token, percentage: 50 })));
  },
  'a batch of checkpoints': (context, attempts) => {
    const queue = new ReportQueue(context);
    return Promise.all(attempts.map(({ token }) => reportProgress(queue, tenant.id, { token, checkpoint: 50 })));
  },
  'a batch of log lines': async (context, attempts) => {
    const appends = attempts.flatMap(({ token }) => {
      const ref = decodeLeaseToken(token);
      return ref === null ? [] : [{ ref, scope: tenant.id, count: 1, lines: '[{"level": 1, "message": "a line"}]' }];
    });
    await beginLogs(context, appends);
    expect(await writeLogs(context, appends)).toEqual(appends.map(() => expect.objectContaining({ sequence: 1 })));
  },
  'what a settling of concurrency keys does': async (context) => {
    await tenant.createAll(Array.from({ length: 3 }, () => ({ concurrencyKey: 'gpu', concurrencyLimit: 1 })));
    await noteStrays(context.database);
    await context.database.hot.query('UPDATE concurrency_key SET unsettled = true WHERE workspace_id = $1', [tenant.id]);
    await settleKeys(context.database);
  },
  'a look at leases that were lost': (context, attempts) =>
    readEnded(context.database.hot, attempts.map(({ job }) => ({ jobId: job.id, attempt: job.attempt }))),
  'a batch of completions': (context, attempts) => completeJobs(context, tenant.id, attempts.map(({ token }) => ({ token }))),
  'a batch of completions that come again': async (context, attempts) => {
    const completions = attempts.map(({ token }) => ({ token }));
    await completeJobs(context, tenant.id, completions);
    return completeJobs(context, tenant.id, completions);
  },
  'a failure': (context, [attempt]) => failJob(context, tenant.id, { token: attempt?.token ?? '', code: 'BROKEN', message: 'It broke.' }),
  'a release': (context, [attempt]) => releaseJob(context, tenant.id, { token: attempt?.token ?? '' }),
  'a cancellation': (context, [attempt]) => cancelJob(context, tenant.id, attempt?.job.id ?? ''),
};

/** Postgres may look at any time: what it then finds is what these have. */
const plannings = [
  { when: 'while nothing runs', looks: false },
  { when: 'while some run', looks: true },
];

test.each(plannings.flatMap((planning) => Object.entries(works).map(([name, work]) => ({ ...planning, name, work }))))('$name, planned $when, reads neither all jobs nor all leases', async ({ looks, work }) => {
  const attempts = await running(50);
  expect(attempts).toHaveLength(50);
  if (looks) await longhaul.fill('ANALYZE');
  const context = contextOf(longhaul);
  const statements = await statementsOf(context.database, (database) =>
    work({ ...context, database, completions: createCompletions({ ...context, database }), lateCompletions: createLateCompletions({ database }) }, attempts),
  );
  expect(statements).not.toEqual([]);
  for (const statement of statements) {
    for (const way of await waysInto('job', context.database, statement)) expect([byId, 'job_dispatch_index', 'job_concurrency_index']).toContain(way);
    const leases = await waysInto('lease', context.database, statement);
    for (const all of ['Seq Scan', inOrderOfIds]) expect(leases).not.toContain(all);
  }
});
