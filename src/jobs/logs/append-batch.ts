import { notYet, type Outcome } from '../../concurrency/batches.ts';
import type { Queryable } from '../../database/queryable.ts';
import type { LeaseRef } from '../claim/lease-token.ts';
import type { JobsContext } from '../model/context.ts';
import { sqlIs } from '../model/state-machine.ts';
import type { WorkspaceScope } from '../model/workspace-scope.ts';
import { keptLines } from './line.ts';

/** Lines of one attempt, in order. */
export interface Append {
  ref: LeaseRef;
  scope: WorkspaceScope;
  count: number;
  /** JSON text: `at`, `level`, `message` and `fields` of each. */
  lines: string;
}

/** Lines that are committed. */
export interface WrittenLines {
  /** Of the last of them. */
  sequence: number;
  expiresAt: Date;
  /** Whether the lease is so far on that renewing it is worth a write. */
  isDue: boolean;
}

/** Lines beyond those that are kept are deleted when there are this many, and at most so many at a time. */
const trimmedFrom = 500;
const trimmedTo = 4_000;

/** The counters of jobs whose first lines these are. It is committed first: see below. */
const beginStatement = `
  INSERT INTO job_log_counter (job_id, workspace_id)
  SELECT lease.job_id, lease.workspace_id
  FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS asked(job_id, token, scope)
  -- The limit keeps this from being a join, for which all leases might be read.
  CROSS JOIN LATERAL (
    SELECT * FROM lease WHERE lease.job_id = asked.job_id AND lease.token = asked.token AND lease.expires_at > now() LIMIT 1
  ) AS lease
  WHERE asked.scope IS NULL OR asked.scope = lease.workspace_id
  ORDER BY lease.job_id
  ON CONFLICT DO NOTHING`;

/*
 * The lock of a job's counter puts its lines in order, on however many processes they arrive, and tells a watcher when there
 * are no more. No transition takes it, and none is waited for: jobs whose counter is locked elsewhere are tried again later.
 *
 * So a job may end between the two statements, or after them. The second begins when the locks are held, and sees whatever
 * was committed by then. Whoever has seen the end of a job, and after that has had the lock of its counter, knows that every
 * line of it is committed: whoever gets the lock later finds no lease. That holds for the first lines only because the
 * counter is there before they are written.
 */
const lockStatement = `
  SELECT counter.job_id, locked.job_id IS NOT NULL AS is_locked
  FROM job_log_counter AS counter LEFT JOIN LATERAL (
    SELECT own.job_id FROM job_log_counter AS own WHERE own.job_id = counter.job_id FOR NO KEY UPDATE SKIP LOCKED
  ) AS locked ON true
  WHERE counter.job_id = ANY ($1::uuid[])`;

const writeStatement = `
  WITH asked AS (
    SELECT * FROM jsonb_to_recordset($1::jsonb) AS asked(ordinal int, job_id uuid, token uuid, scope uuid, count int, lines jsonb)
  ),
  held AS MATERIALIZED (
    SELECT asked.ordinal, asked.count, asked.lines, lease.job_id, lease.attempt, lease.worker_id, lease.expires_at,
      least(now() + make_interval(secs => lease.seconds), lease.deadline_at) AS renewed_until,
      make_interval(secs => lease.seconds / 10.0) AS tenth,
      counter.trimmed,
      counter.last + (sum(asked.count) OVER (PARTITION BY asked.job_id ORDER BY asked.ordinal))::int AS last
    FROM asked
    -- The limits keep these from being joins, for which all jobs might be read.
    CROSS JOIN LATERAL (
      SELECT * FROM lease WHERE lease.job_id = asked.job_id AND lease.token = asked.token AND lease.expires_at > now() LIMIT 1
    ) AS lease
    CROSS JOIN LATERAL (
      SELECT FROM job WHERE job.id = lease.job_id AND job.attempt = lease.attempt AND ${sqlIs.running} LIMIT 1
    ) AS running
    CROSS JOIN LATERAL (
      SELECT last, trimmed FROM job_log_counter WHERE job_id = lease.job_id AND workspace_id = lease.workspace_id LIMIT 1
    ) AS counter
    WHERE asked.scope IS NULL OR asked.scope = lease.workspace_id
  ),
  written AS (
    INSERT INTO job_log (job_id, sequence, attempt, level, at, message, fields)
    SELECT held.job_id, held.last - held.count + line.place, held.attempt, line.level,
      coalesce(line.at, statement_timestamp()), line.message, line.fields
    FROM held CROSS JOIN LATERAL ROWS FROM (
      jsonb_to_recordset(held.lines) AS (at timestamptz, level smallint, message text, fields jsonb)
    ) WITH ORDINALITY AS line(at, level, message, fields, place)
  ),
  counted AS (
    UPDATE job_log_counter SET last = newest.last
    FROM (SELECT job_id, max(last) AS last FROM held GROUP BY job_id) AS newest
    WHERE job_log_counter.job_id = newest.job_id AND job_log_counter.job_id = ANY (ARRAY(SELECT job_id FROM held))
  )
  SELECT ordinal, job_id, worker_id, last, trimmed, expires_at,
    expires_at NOT BETWEEN renewed_until - tenth AND renewed_until AS is_due
  FROM held ORDER BY ordinal`;

const trimStatement = `
  WITH gone AS (
    DELETE FROM job_log WHERE job_id = $1::uuid AND sequence > $2::int AND sequence <= $3::int
  )
  UPDATE job_log_counter SET trimmed = $3::int WHERE job_id = $1::uuid`;

interface WrittenRow {
  ordinal: number;
  job_id: string;
  worker_id: string;
  last: number;
  trimmed: number;
  expires_at: string;
  is_due: boolean;
}

/** Lets these jobs have lines, where their leases hold. Does nothing for jobs that have some. */
export async function beginLogs({ database }: JobsContext, appends: readonly Append[]): Promise<void> {
  const refs = appends.map(({ ref }) => ref);
  await database.hot.query(beginStatement, [
    refs.map(({ jobId }) => jobId),
    refs.map(({ token }) => token),
    appends.map(({ scope }) => scope),
  ]);
}

/**
 * Writes the lines whose leases hold, and wakes who watches them. The logs must have begun.
 *
 * @returns null where the lease is lost, and `notYet` where another process writes lines of the job just now: nothing was
 *   written
 */
export async function writeLogs(context: JobsContext, appends: readonly Append[]): Promise<Outcome<WrittenLines | null>[]> {
  const jobIds = [...new Set(appends.map(({ ref }) => ref.jobId))];
  const { rows, busy } = await context.database.transaction(async (transaction) => {
    const counters = await transaction.query<{ job_id: string; is_locked: boolean }>(lockStatement, [jobIds]);
    const lockedElsewhere = new Set(counters.filter(({ is_locked: isLocked }) => !isLocked).map(({ job_id: jobId }) => jobId));
    const free = appends.flatMap((append, ordinal) => (lockedElsewhere.has(append.ref.jobId) ? [] : [toJson(append, ordinal)]));
    const written = await transaction.query<WrittenRow>(writeStatement, [`[${free.join(',')}]`]);
    await trim(transaction, written);
    return { rows: written, busy: lockedElsewhere };
  });
  const outcomes: Outcome<WrittenLines | null>[] = appends.map(({ ref }) => (busy.has(ref.jobId) ? notYet : null));
  for (const { ordinal, worker_id: workerId, last, expires_at: expiresAt, is_due: isDue } of rows) {
    outcomes[ordinal] = { sequence: last, expiresAt: new Date(expiresAt), isDue };
    context.workforce.reported(appends[ordinal]?.scope ?? null, workerId);
  }
  for (const jobId of new Set(rows.map((row) => row.job_id))) context.announcer.logged(jobId);
  return outcomes;
}

/** Deletes what is beyond the lines that are kept. It goes with lines, so that no sweep has to look for jobs with too many. */
async function trim(transaction: Queryable, rows: readonly WrittenRow[]): Promise<void> {
  // The last of a job's rows counts.
  const newest = new Map(rows.map((row) => [row.job_id, row]));
  for (const [jobId, { last, trimmed }] of newest) {
    const excess = last - keptLines - trimmed;
    if (excess < trimmedFrom) continue;
    await transaction.query(trimStatement, [jobId, trimmed, trimmed + Math.min(excess, trimmedTo)]);
  }
}

/** Splices the lines in as text, as they are JSON already. */
function toJson({ ref, scope, count, lines }: Append, ordinal: number): string {
  const fields = { ordinal, job_id: ref.jobId, token: ref.token, scope, count };
  return `${JSON.stringify(fields).slice(0, -1)},"lines":${lines}}`;
}
