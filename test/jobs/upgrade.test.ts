import { expect, test } from 'vitest';
import { encodeLeaseToken } from '../../src/jobs/claim/lease-token.ts';
import { checkLedger } from '../../src/jobs/read/ledger-check.ts';
import { jobStatuses } from '../../src/jobs/model/state-machine.ts';
import { listCreditTransactions } from '../../src/workspaces/find.ts';
import { grantCredits } from '../../src/workspaces/grant-credits.ts';
import { eventually } from '../support/eventually.ts';
import { oldDatabase, oldWorkspaceId as workspaceId, startOn } from '../support/old-database.ts';

const newest = { above: null, below: null, direction: 'DESC', limit: 100 } as const;

const ids = {
  waiting: id(1),
  later: id(2),
  retried: id(3),
  silent: id(4),
  completed: id(5),
  failed: id(6),
  cancelled: id(7),
  released: id(8),
};

function id(n: number): string {
  return `01a218ae-0000-7000-8000-00000000000${n}`;
}

function tokenOf(jobId: string, attempt: number): string {
  return jobId.replace('7000', `700${attempt}`);
}

/** Jobs in every state, as version 0.1 left them. */
const jobs = `
  INSERT INTO job (id, workspace_id, type, status, ready, version, input, progress_percentage, progress_peak, output, error_code,
    error_message, tags, attempt, failed_attempts, max_attempts, credits_charged, credits_refunded, run_at, due_at, dispatch_at,
    started_at, finished_at)
  SELECT id::uuid, '${workspaceId}', 'preview', status, ready, 1 + attempt, '{"sourceUrl": "https://example.com/a.mp4"}',
    CASE status WHEN 'RUNNING' THEN 40 END, CASE status WHEN 'RUNNING' THEN 60 ELSE 0 END,
    CASE status WHEN 'COMPLETED' THEN '{"pages": 3}'::jsonb END, error, error, '{old}', attempt, failed, 3, 2,
    CASE WHEN status IN ('FAILED', 'CANCELLED') THEN 2 ELSE 0 END, run_at, coalesce(run_at, now()), coalesce(run_at, now()),
    CASE WHEN attempt > 0 THEN now() - interval '1 min' END, CASE WHEN status IN ('COMPLETED', 'FAILED', 'CANCELLED') THEN now() END
  FROM (VALUES
    ('${ids.waiting}', 'PENDING', true, 0, 0, NULL, NULL::timestamptz),
    ('${ids.later}', 'PENDING', false, 0, 0, NULL, now() + interval '1 hour'),
    ('${ids.retried}', 'RUNNING', true, 2, 1, NULL, NULL),
    ('${ids.silent}', 'RUNNING', true, 1, 0, NULL, NULL),
    ('${ids.completed}', 'COMPLETED', true, 1, 0, NULL, NULL),
    ('${ids.failed}', 'FAILED', false, 3, 3, 'BROKEN', NULL),
    ('${ids.cancelled}', 'CANCELLED', true, 1, 0, NULL, NULL),
    ('${ids.released}', 'CANCELLED', true, 1, 0, NULL, NULL)
  ) AS job (id, status, ready, attempt, failed, error, run_at);

  INSERT INTO job_attempt (job_id, number, workspace_id, worker_id, token, started_at, ended_at, failed, error_code, error_message)
  SELECT job_id::uuid, number, '${workspaceId}', 'worker-' || number, overlay(job_id placing number::text from 18)::uuid,
    now() - interval '1 min', ended_at, error IS NOT NULL, error, message
  FROM (VALUES
    ('${ids.retried}', 1, now() - interval '30 s', 'BROKEN', 'It broke.'),
    ('${ids.retried}', 2, NULL, NULL, NULL),
    ('${ids.silent}', 1, NULL, NULL, NULL),
    ('${ids.completed}', 1, now(), NULL, NULL),
    ('${ids.failed}', 1, now() - interval '30 s', 'LEASE_EXPIRED', 'The worker stopped reporting and its lease expired.'),
    ('${ids.failed}', 2, now() - interval '20 s', 'TIMEOUT', 'The attempt took longer than its job type allows.'),
    -- A worker may use the same code.
    ('${ids.failed}', 3, now(), 'TIMEOUT', 'The source did not answer in time.'),
    ('${ids.cancelled}', 1, now(), NULL, NULL),
    ('${ids.released}', 1, now() - interval '30 s', NULL, NULL)
  ) AS attempt (job_id, number, ended_at, error, message);

  INSERT INTO lease (job_id, workspace_id, attempt, token, expires_at, deadline_at, seconds)
  SELECT job_id, workspace_id, number, token, now() + interval '1 hour', now() + interval '2 hours', 30 FROM job_attempt WHERE ended_at IS NULL;

  INSERT INTO job_tag (workspace_id, tag, job_id) SELECT workspace_id, unnest(tags), id FROM job;
  INSERT INTO job_change (workspace_id, job_id) SELECT workspace_id, id FROM job WHERE 'old' = ANY (tags);
  INSERT INTO credit_transaction (id, workspace_id, kind, amount, balance_after, job_id)
  SELECT gen_random_uuid(), workspace_id, kind, CASE kind WHEN 'CHARGE' THEN -2 ELSE 2 END, 0, id
  FROM job CROSS JOIN (VALUES ('CHARGE'), ('REFUND')) AS entry (kind)
  WHERE 'old' = ANY (tags) AND (kind = 'CHARGE' OR credits_refunded > 0);
  -- The largest balance that an int holds.
  INSERT INTO credit_transaction (id, workspace_id, kind, amount, balance_after)
  SELECT '01a218ae-0000-7000-8000-000000000009', '${workspaceId}', 'GRANT', 2147483647 - sum(amount), 2147483647 FROM credit_transaction;
  UPDATE workspace SET credits = (SELECT sum(amount) FROM credit_transaction);

  DELETE FROM webhook_delivery;`;

test('jobs in every state live on after the upgrade, and so do the leases of their workers and a full ledger', async () => {
  const { services } = await startOn(await oldDatabase(jobs));
  const { database, jobs: domain } = services;
  expect(await database.orm.schema.getUpdateSchemaSQL()).toBe('');
  expect(await checkLedger(database.reads)).toMatchObject({ faults: [] });

  /** The counts, as the jobs themselves say. */
  const expectCounts = async () => {
    const rows = await database.hot.query<{ status: string; jobs: number }>(
      'SELECT lower(status) AS status, count(*)::int AS jobs FROM job WHERE workspace_id = $1 GROUP BY status',
      [workspaceId],
    );
    expect(await domain.counting.byStatus(workspaceId)).toMatchObject(Object.fromEntries(rows.map(({ status, jobs: count }) => [status, count])));
  };
  await expectCounts();
  const all = await domain.list(workspaceId, { tags: ['old'] }, newest);
  expect(all.map((job) => [job.id, job.status])).toEqual(
    [
      [ids.waiting, 'PENDING'],
      [ids.later, 'PENDING'],
      [ids.retried, 'RUNNING'],
      [ids.silent, 'RUNNING'],
      [ids.completed, 'COMPLETED'],
      [ids.failed, 'FAILED'],
      [ids.cancelled, 'CANCELLED'],
      [ids.released, 'CANCELLED'],
    ].toReversed(),
  );
  for (const status of jobStatuses) {
    const listed = await domain.list(workspaceId, { statuses: [status], types: ['preview'] }, newest);
    expect(listed).toEqual(all.filter((job) => job.status === status));
    expect(await domain.counting.exactly(workspaceId, { statuses: [status], types: ['preview'] })).toMatchObject({ count: listed.length });
  }

  const outcomes = async () => {
    const attempts = (await domain.attempts(Object.values(ids))).toSorted((a, b) => a.jobId.localeCompare(b.jobId));
    for (const { dueAt, startedAt } of attempts) expect(dueAt.getTime()).toBeLessThanOrEqual(startedAt.getTime());
    return attempts.map(({ jobId, number, workerId, outcome, error }) => [jobId, number, workerId, outcome, error?.code]);
  };
  const ended = [
    [ids.completed, 1, 'worker-1', 'COMPLETED', undefined],
    [ids.failed, 1, 'worker-1', 'EXPIRED', 'LEASE_EXPIRED'],
    [ids.failed, 2, 'worker-2', 'TIMEOUT', 'TIMEOUT'],
    [ids.failed, 3, 'worker-3', 'FAILED', 'TIMEOUT'],
    [ids.cancelled, 1, 'worker-1', 'CANCELLED', undefined],
    [ids.released, 1, 'worker-1', 'RELEASED', undefined],
  ];
  const first = [ids.retried, 1, 'worker-1', 'FAILED', 'BROKEN'];
  expect(await outcomes()).toEqual([
    first,
    [ids.retried, 2, 'worker-2', null, undefined],
    [ids.silent, 1, 'worker-1', null, undefined],
    ...ended,
  ]);

  // What the worker of before knows is good for the rest of its attempt.
  const token = encodeLeaseToken({ jobId: ids.retried, token: tokenOf(ids.retried, 2) });
  await domain.report(workspaceId, { token, percentage: 50 });
  expect(await domain.find(workspaceId, ids.retried)).toMatchObject({ progress: { percentage: 60 } });
  expect(await domain.complete(workspaceId, { token, output: { pages: 4 } })).toMatchObject({ status: 'COMPLETED' });
  const late = encodeLeaseToken({ jobId: ids.failed, token: tokenOf(ids.failed, 3) });
  await expect(domain.complete(workspaceId, { token: late, output: {} })).rejects.toMatchObject({
    code: 'LEASE_LOST',
    job: { id: ids.failed, status: 'FAILED' },
  });
  await database.hot.query('UPDATE lease SET expires_at = now() WHERE job_id = $1', [ids.silent]);
  await domain.upkeep.expireLeases();
  // A sweep of the process may be at it.
  await eventually(async () => expect(await domain.find(workspaceId, ids.silent)).toMatchObject({ status: 'PENDING', attempt: 1, failedAttempts: 1 }));
  expect(await outcomes()).toEqual([
    first,
    [ids.retried, 2, 'worker-2', 'COMPLETED', undefined],
    [ids.silent, 1, 'worker-1', 'EXPIRED', 'LEASE_EXPIRED'],
    ...ended,
  ]);
  // The silent one's comes in two seconds.
  const others = Object.values(ids).filter((other) => other !== ids.silent);
  const started = await domain.claim(workspaceId, { types: ['preview'], workerId: 'new', limit: 10, jobIds: others });
  expect(started.map(({ job }) => job.id)).toEqual([ids.waiting]);

  expect(await grantCredits(database, { workspaceId, amount: 1 })).toMatchObject({ credits: 2_147_483_648 });
  await domain.cancel(workspaceId, ids.later);
  const entries = await listCreditTransactions(database.em(), workspaceId, newest);
  expect(entries.filter(({ balanceAfter }) => balanceAfter > 2_147_483_647)).toMatchObject([
    { kind: 'REFUND', amount: 2, balanceAfter: 2_147_483_650, jobId: ids.later },
    { kind: 'GRANT', amount: 1, balanceAfter: 2_147_483_648 },
  ]);
  expect(await checkLedger(database.reads)).toMatchObject({ faults: [] });
  await expectCounts();
}, 180_000);
