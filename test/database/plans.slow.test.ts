import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Window } from '../../src/database/keyset.ts';
import { cancelJob } from '../../src/jobs/end/cancel.ts';
import { deleteOldStatistics } from '../../src/jobs/retention/statistics-retention.ts';
import { countByStatus } from '../../src/jobs/statistics/counts.ts';
import { rollUp } from '../../src/jobs/statistics/roll-up.ts';
import { readStatistics } from '../../src/jobs/statistics/statistics.ts';
import { deleteOldChanges } from '../../src/jobs/retention/change-retention.ts';
import { pageSize, presentMoment, readChanges } from '../../src/jobs/feed/changes.ts';
import type { Claim } from '../../src/jobs/claim/claim-request.ts';
import { completeJob } from '../../src/jobs/end/complete.ts';
import { createCompletions } from '../../src/jobs/end/completion-batch.ts';
import { createLateCompletions } from '../../src/jobs/end/late-completion.ts';
import type { JobsContext } from '../../src/jobs/model/context.ts';
import { CreationQueue } from '../../src/jobs/create/creation-queue.ts';
import { expireLeases } from '../../src/jobs/end/expire.ts';
import { failJob } from '../../src/jobs/end/fail.ts';
import { Feed } from '../../src/jobs/feed/feed.ts';
import { JobReads } from '../../src/jobs/read/job-reads.ts';
import { findJob } from '../../src/jobs/read/find.ts';
import type { Job } from '../../src/jobs/model/job.ts';
import { countJobsTo, listJobs } from '../../src/jobs/read/list.ts';
import type { JobFilter } from '../../src/jobs/read/filter.ts';
import { promoteDueJobs } from '../../src/jobs/claim/promote.ts';
import { countPending } from '../../src/jobs/create/queue-room.ts';
import { recentStatuses } from '../../src/jobs/read/recent-statuses.ts';
import { JobIds } from '../../src/jobs/read/job-ids.ts';
import { releaseJob } from '../../src/jobs/end/release.ts';
import { reportProgress } from '../../src/jobs/progress/report.ts';
import { ReportQueue } from '../../src/jobs/progress/report-queue.ts';
import { vidocuId, vidocuIds } from '../../src/rest/vidocu/vidocu-id.ts';
import { underWay } from '../../src/rest/vidocu/video-operations.ts';
import { contextOf, endLease, rivalClaimer, Tenant, usualRequest } from '../support/domain.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';
import { byId, statementsOf, waysInto } from '../support/plans.ts';

/** Fewer would be read as a whole where production, on far more, uses an index. */
const jobs = 200_000;
const workspaces = 20;

let longhaul: Longhaul;
let tenant: Tenant;
let limited: Tenant;

beforeAll(async () => {
  longhaul = await startLonghaul();
  // It would end the lease that a test lets run out.
  await longhaul.sweeper.stop();
  limited = await Tenant.in(longhaul, { concurrencyLimit: 5 });
  const tenants = await Promise.all(Array.from({ length: workspaces - 1 }, () => Tenant.in(longhaul)));
  tenant = tenants[0] ?? limited;
  await fill([limited, ...tenants].map(({ id }) => id));
}, 120_000);
afterAll(() => longhaul.stop());

/*
 * Mixed as in a busy installation with some history: of twenty jobs fifteen have ended, two run, two wait for a worker
 * and one waits for its time; one of ten bears a tag; six types.
 */
async function fill(workspaceIds: readonly string[]): Promise<void> {
  await longhaul.fill(
    `WITH numbered AS (
       SELECT n, n / $2::int % 20 AS kind, ($1::uuid[])[n % $2::int + 1] AS workspace_id,
         (lpad(to_hex(1700000000000 + n), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid AS id
       FROM generate_series(1, $3::int) AS n
     )
     INSERT INTO job (id, workspace_id, type, status, ready, input, tags, attempt, max_attempts, credits_charged, due_at, error_code, dialect, client_reference)
     SELECT id, workspace_id,
       (ARRAY['fingerprint', 'transcribe', 'download', 'comments', 'preview', 'export'])[n % 6 + 1],
       CASE WHEN kind < 11 THEN 'COMPLETED' WHEN kind < 14 THEN 'FAILED' WHEN kind < 15 THEN 'CANCELLED'
         WHEN kind < 17 THEN 'RUNNING' ELSE 'PENDING' END,
       kind < 19, '{"sourceUrl": "https://example.com/a.mp4"}',
       CASE WHEN n / 7 % 10 = 0 THEN ARRAY['red', 'n' || n] ELSE '{}' END,
       CASE WHEN kind < 17 THEN 1 ELSE 0 END, 3, 1,
       CASE WHEN kind < 19 THEN now() ELSE now() + interval '1 hour' END,
       CASE WHEN kind BETWEEN 11 AND 13 THEN CASE WHEN n / 3 % 100 = 0 THEN 'ODD' ELSE 'BROKEN' END END,
       CASE WHEN n / 11 % 100 = 0 THEN 'VYDRA' ELSE 'NATIVE' END,
       CASE WHEN n / 13 % 10 = 0 THEN CASE WHEN n % 3 = 0 THEN 'order-' || n ELSE 'import' END END
     FROM numbered`,
    [workspaceIds, workspaces, jobs],
  );
  await longhaul.fill('INSERT INTO job_tag (workspace_id, tag, job_id) SELECT workspace_id, unnest(tags), id FROM job');
  await longhaul.fill(
    `INSERT INTO job_attempt (job_id, number, workspace_id, worker_id, token, due_at, started_at, ended_at, outcome)
     SELECT id, 1, workspace_id, CASE WHEN tags = '{}' THEN 'worker' ELSE tags[2] END, gen_random_uuid(), now(), now(), now(), status FROM job
     WHERE attempt = 1 AND status <> 'RUNNING'`,
  );
  await longhaul.fill(
    `INSERT INTO lease (job_id, workspace_id, attempt, token, worker_id, due_at, started_at, expires_at, deadline_at, seconds)
     SELECT id, workspace_id, 1, gen_random_uuid(), 'worker', now(), now(), now() + interval '1 hour', now() + interval '2 hours', 30
     FROM job WHERE status = 'RUNNING'`,
  );
  // Twenty transactions, each over all workspaces.
  for (let batch = 0; batch < 20; batch += 1) {
    await longhaul.fill(
      `INSERT INTO job_change (workspace_id, job_id, type, version, status, attempt)
       SELECT workspace_id, id, type, version, status, attempt FROM job WHERE id > $1 AND id <= $2 ORDER BY id`,
      [idOf((batch * jobs) / 20), idOf(((batch + 1) * jobs) / 20)],
    );
  }
  await longhaul.fill('VACUUM ANALYZE');
}

/** Of the nth job, as the SQL of `fill` makes it. */
function idOf(n: number): string {
  return `${hex(1_700_000_000_000 + n)}70008000${hex(n)}`.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

function hex(value: number): string {
  return value.toString(16).padStart(12, '0');
}

/** Runs the work for real, plans each of its statements again as they were, and gives the ways into `job`. */
async function waysOf(work: (context: JobsContext) => Promise<unknown>): Promise<string[]> {
  const context = contextOf(longhaul);
  const statements = await statementsOf(context.database, (database) =>
    work({
      ...context,
      database,
      completions: createCompletions({ ...context, database }),
      lateCompletions: createLateCompletions({ database }),
    }),
  );
  const ways = await Promise.all(statements.map((statement) => waysInto('job', context.database, statement)));
  return ways.flat();
}

async function withoutReadingAllJobs(work: (context: JobsContext) => Promise<unknown>, indexes?: string[]): Promise<void> {
  const ways = await waysOf(work);
  expect(ways).not.toEqual([]);
  expect(ways).not.toContain('Seq Scan');
  if (indexes !== undefined) expect(indexes).toEqual(expect.arrayContaining(ways));
}

/** The line of waiting jobs, and the rows that are taken from it. */
const dispatch = ['job_dispatch_index', byId];

function claim(context: JobsContext, scope: string | null, asked: Partial<Claim>) {
  const request = { types: [usualRequest.type, 'transcribe'], workerId: 'worker', limit: 10, ...asked };
  return rivalClaimer(longhaul, context).claim(scope, request);
}

test.each(['hot', 'reads'] as const)('the check sees a sequential scan where there is one (%s)', async (by) => {
  const { database } = longhaul.services;
  const statement = { sql: `SELECT id FROM job WHERE input ->> 'sourceUrl' = $1`, parameters: ['x'], by };
  expect(await waysInto('job', database, statement)).toEqual(['Seq Scan']);
});

test.each([1, 10, 100])('a claim of %i over all workspaces reads no more than it needs', async (limit) => {
  await withoutReadingAllJobs(async (context) => {
    expect(await claim(context, null, { limit })).toHaveLength(limit);
  }, dispatch);
});

test.each([1, 10, 100])('a claim of %i of one workspace, too', async (limit) => {
  await withoutReadingAllJobs(async (context) => {
    expect((await claim(context, tenant.id, { limit })).length).toBeGreaterThan(0);
  }, dispatch);
});

test('a claim of a workspace with a limit, too', async () => {
  // Claims of other tests may have taken its slots.
  await longhaul.services.database.hot.query('UPDATE slot SET job_id = NULL WHERE workspace_id = $1', [limited.id]);
  await withoutReadingAllJobs(async (context) => {
    expect(await claim(context, limited.id, { limit: 10 })).toHaveLength(5);
  }, dispatch);
});

test('a claim that finds nothing, too', async () => {
  await withoutReadingAllJobs(async (context) => {
    expect(await claim(context, null, { types: ['voiceover'] })).toEqual([]);
  }, dispatch);
});

test.each(['one workspace', 'all'])('a claim of named jobs by a key of %s, too', async (scope) => {
  const created = await tenant.createAll(Array.from({ length: 100 }, () => ({})));
  const jobIds = created.map(({ id }) => id);
  await withoutReadingAllJobs(async (context) => {
    expect(await claim(context, scope === 'all' ? null : tenant.id, { jobIds, limit: 100 })).toHaveLength(100);
  }, dispatch);
});

const filters: { name: string; filter: JobFilter }[] = [
  { name: 'no filter', filter: {} },
  { name: 'a frequent status', filter: { statuses: ['COMPLETED'] } },
  { name: 'a rare status', filter: { statuses: ['CANCELLED'] } },
  { name: 'two statuses', filter: { statuses: ['PENDING', 'RUNNING'] } },
  { name: 'one type', filter: { types: ['transcribe'] } },
  { name: 'one tag', filter: { tags: ['red'] } },
  { name: "a dialect's own", filter: { native: { dialect: 'VIDEOCONDUIT', types: ['transcribe', 'download'] } } },
  { name: 'what a dialect shows as at work', filter: { phases: ['working'], native: { dialect: 'VYDRA', types: ['export'] } } },
  { name: 'what a dialect shows as failed', filter: { phases: ['failed', 'cancelled'], native: { dialect: 'VYDRA', types: [] } } },
  { name: 'the other statuses', filter: { statuses: ['FAILED', 'CANCELLED'] } },
  { name: 'several types', filter: { types: ['transcribe', 'export'] } },
  { name: 'a frequent error code', filter: { errorCodes: ['BROKEN'] } },
  { name: 'rare error codes', filter: { errorCodes: ['ODD', 'NONE'] } },
  { name: 'a frequent worker', filter: { workerIds: ['worker'] } },
  { name: 'rare workers', filter: { workerIds: ['n7', 'nobody'] } },
  { name: 'a rare dialect', filter: { dialects: ['VYDRA'] } },
  { name: 'ids', filter: { ids: [idOf(1), idOf(2)] } },
  { name: 'a time of ending and a status', filter: { statuses: ['FAILED'], finishedAfter: new Date(0) } },
  { name: 'a rare reference', filter: { clientReference: 'order-3900' } },
  { name: 'a frequent reference, a status and a tag', filter: { clientReference: 'import', statuses: ['FAILED'], tags: ['red'] } },
  { name: 'one of several tags', filter: { anyTags: ['red', 'n7', 'nothing'] } },
  { name: 'one of several tags, and a status', filter: { anyTags: ['red', 'n7'], statuses: ['FAILED'] } },
  { name: 'the job that they retry, and one of several tags', filter: { retryOf: idOf(1), anyTags: ['red', 'n7'] } },
  { name: 'the job that they retry', filter: { retryOf: idOf(1) } },
  { name: 'status, type, tag and date', filter: { statuses: ['FAILED'], types: ['export'], tags: ['red'], createdAfter: new Date(0) } },
];
const windows = (['ASC', 'DESC'] as const).flatMap((direction) => filters.map((filter) => ({ direction, ...filter })));

test.each(windows)('a page with $name, $direction, reads no more than it needs', async ({ direction, filter }) => {
  const page = (window: Partial<Window>) =>
    withoutReadingAllJobs(({ database }) =>
      listJobs(database, tenant.id, filter, { above: null, below: null, direction, limit: 101, ...window }),
    );
  await page({});
  const middle = '018bcfe5-c350-7000-8000-000000000000';
  await page(direction === 'ASC' ? { above: middle } : { below: middle });
});

test('a list of one reference is read from its index', async () => {
  for (const clientReference of ['import', 'order-3900', 'x'.repeat(300)]) {
    await withoutReadingAllJobs(({ database }) => listJobs(database, tenant.id, { clientReference }, { above: null, below: null, direction: 'DESC', limit: 51 }), [
      'job_reference_index',
    ]);
  }
});

test('of a reference and a tag, the rarer one drives', async () => {
  const context = contextOf(longhaul);
  const drives = async (filter: JobFilter) => {
    const page = { above: null, below: null, direction: 'DESC', limit: 51 } as const;
    const statements = await statementsOf(context.database, (database) => listJobs(database, tenant.id, filter, page));
    const last = statements.at(-1);
    return last === undefined ? [] : waysInto('job', context.database, last);
  };
  expect(await drives({ clientReference: 'import', tags: ['n7'] })).toEqual([byId]);
  expect(await drives({ clientReference: 'order-3900', tags: ['red'] })).toEqual(['job_reference_index']);
});

test.each(filters)('a count up to a limit with $name reads no more than it needs', async ({ filter }) => {
  await withoutReadingAllJobs(({ database }) => countJobsTo(database.reads, tenant.id, { ...filter, types: filter.types ?? ['export'] }, 1_001));
});

test("a look-up by Vidocu's id does so by its millisecond, and the search for a video's job by what is open", async () => {
  const [{ id } = { id: '' }] = await longhaul.services.database.hot.query<{ id: string }>(
    `SELECT id FROM job WHERE workspace_id = $1 AND type = 'export' LIMIT 1`,
    [tenant.id],
  );
  await withoutReadingAllJobs(async ({ database }) => {
    const named = vidocuId({ id, type: 'export' });
    expect(await new JobIds(database, [vidocuIds]).uuidOf(tenant.id, named)).toBe(id);
  }, ['job_workspace_index', 'job_pkey', byId]);
  await withoutReadingAllJobs(({ database }) => underWay(database.reads, tenant.id, 'export', 'vid_1'));
});

test('statuses that changed lately are read from the end of the log, and the jobs that wait from their index', async () => {
  const context = contextOf(longhaul);
  const filter = { native: { dialect: 'REVID', types: ['transcribe'] }, ids: null, tags: null } as const;
  const statements = await statementsOf(context.database, async (database) => {
    expect((await recentStatuses(database.reads, tenant.id, 600, filter)).length).toBeGreaterThan(0);
  });
  for (const statement of statements) {
    expect(await waysInto('job_change', context.database, statement)).toEqual(['job_change_pkey']);
    expect(await waysInto('job', context.database, statement)).toEqual([byId]);
  }
  await withoutReadingAllJobs(({ database }) => countPending(database.reads, longhaul.services.jobs.limits.maxQueueLength, tenant.id), ['job_workspace_status_index']);
});

test('a look-up does so by the id', async () => {
  const job = await tenant.create();
  await withoutReadingAllJobs(async ({ database }) => {
    expect(await findJob(database.hot, tenant.id, job.id)).toEqual(job);
  }, [byId]);
});

test('polls of jobs that are known look at them by their ids', async () => {
  const created = await tenant.createAll([{}, {}, {}]);
  await withoutReadingAllJobs(async ({ database }) => {
    const reads = new JobReads(database);
    const found = await Promise.all(created.map((each) => reads.findChanged(each)));
    expect(found).toEqual(created.map(() => 'unchanged'));
  }, [byId]);
});

test('a watched job is read by its id', async () => {
  const { id } = await tenant.create();
  await withoutReadingAllJobs(async ({ database }) => {
    const feed = new Feed(database, longhaul.services.bus, longhaul.services.log);
    for await (const job of feed.watch(id)) {
      expect(job.id).toBe(id);
      break;
    }
  }, [byId]);
});

test.each([
  { what: 'new changes', longAgo: false },
  { what: 'changes from long ago', longAgo: true },
])('$what are read by their key, and their jobs by the id', async ({ longAgo }) => {
  const context = contextOf(longhaul);
  const now = await presentMoment(context.database.hot);
  const from = longAgo ? { ...now, snapshot: '3:10:3,5' } : now;
  const { job, token } = await tenant.running();
  await tenant.report(token, { percentage: 50 });
  const statements = await statementsOf(context.database, async (database) => {
    const page = await readChanges(database.hot, { workspaceId: tenant.id, place: { from }, sent: [{ id: job.id, version: 1 }] });
    expect(page.changes.length).toBe(longAgo ? pageSize : 2);
    if (!longAgo) expect(page.progressed.map(({ version }) => version)).toEqual([3]);
    const [first] = page.changes;
    if (first !== undefined) await readChanges(database.hot, { workspaceId: tenant.id, place: first.cursor });
  });
  expect(statements).toHaveLength(2);
  for (const statement of statements) {
    expect(await waysInto('job_change', context.database, statement)).toEqual(['job_change_pkey']);
    expect(await waysInto('job', context.database, statement)).toEqual([byId]);
  }
});

test('changes that are kept no longer are found without looking for them', async () => {
  const context = contextOf(longhaul);
  const statements = await statementsOf(context.database, (database) => deleteOldChanges(database.reads));
  for (const statement of statements) {
    expect(await waysInto('job_change', context.database, statement)).toEqual(['Tid Scan', 'job_change_pkey']);
  }
});

test('counts read what waits, statistics no job, and the sweep only what is new', async () => {
  const context = contextOf(longhaul);
  await rollUp(context.database);
  await tenant.create();
  await withoutReadingAllJobs(({ database }) => countByStatus(database.reads, tenant.id), ['job_dispatch_index', 'job_scheduled_index']);
  const statements = await statementsOf(context.database, async (database) => {
    await readStatistics(database.reads, tenant.id, { step: 'HOUR', from: new Date(Date.now() - 86_400_000) });
    await rollUp(database);
    await deleteOldStatistics(database.reads);
  });
  for (const statement of statements) {
    expect(await waysInto('job', context.database, statement)).toEqual([]);
    expect(['job_change_pkey']).toEqual(expect.arrayContaining(await waysInto('job_change', context.database, statement)));
  }
});

test('a creation reads no job, and one that finds the queue full only those that wait in its workspace', async () => {
  const create = (idempotencyKey: string) => (context: JobsContext) => tenant.create({ idempotencyKey }, new CreationQueue(context));
  expect(await waysOf(create('once'))).toEqual([]);
  // As if nobody had counted for long.
  const { hot } = longhaul.services.database;
  await hot.query('UPDATE workspace SET pending_at_most = pending_allowed WHERE id = $1', [tenant.id]);
  await withoutReadingAllJobs(create('twice'), ['job_dispatch_index', 'job_workspace_status_index']);
});

test('a sweep finds what has expired and what is due without looking for it', async () => {
  const { job } = await tenant.running();
  await endLease(longhaul, job.id);
  await withoutReadingAllJobs(async (context) => {
    expect(await expireLeases(context)).toHaveLength(1);
  }, [byId]);
  await longhaul.services.database.hot.query('UPDATE job SET due_at = now() WHERE id = $1', [job.id]);
  await withoutReadingAllJobs(async (context) => {
    expect(await promoteDueJobs(context)).toBe(1);
  }, ['job_waiting_index', byId]);
});

test('a batch of reports goes by the ids of its jobs', async () => {
  await tenant.createAll(Array.from({ length: 100 }, () => ({ type: 'analysis', input: {} })));
  const attempts = await tenant.claim({ types: ['analysis'], limit: 100 });
  expect(attempts).toHaveLength(100);
  await withoutReadingAllJobs((context) => {
    const queue = new ReportQueue(context);
    return Promise.all(attempts.map(({ token }) => reportProgress(queue, tenant.id, { token, percentage: 50 })));
  }, [byId]);
});

const ends: Record<string, (context: JobsContext, job: Job, token: string) => Promise<Job>> = {
  completion: (context, _job, token) => completeJob(context, tenant.id, { token }),
  'completion, twice,': async (context, _job, token) => {
    await completeJob(context, tenant.id, { token });
    return completeJob(context, tenant.id, { token });
  },
  failure: (context, _job, token) => failJob(context, tenant.id, { token, code: 'BROKEN', message: 'It broke.' }),
  release: (context, _job, token) => releaseJob(context, tenant.id, { token }),
  cancellation: (context, job) => cancelJob(context, tenant.id, job.id),
};
test.each(Object.entries(ends))('a %s goes by the id of its job', async (_name, end) => {
  const { job, token } = await tenant.running();
  await withoutReadingAllJobs((context) => end(context, job, token), [byId]);
});
