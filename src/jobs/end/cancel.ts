import { z } from 'zod';
import { newId } from '../../database/ids.ts';
import type { Queryable } from '../../database/queryable.ts';
import { NotFoundError } from '../../errors.ts';
import { AlreadyFinishedError } from '../model/job-errors.ts';
import { parseInput } from '../../input.ts';
import type { JobsContext } from '../model/context.ts';
import { announceEnd, consequences, ended, endFacts, type EndFacts } from './ending.ts';
import { findJob } from '../read/find.ts';
import type { Job } from '../model/job.ts';
import { type JobRow, jobColumns, jobFromRow, partOfJob } from '../model/rows.ts';
import { isFinal, sqlIs, transitions } from '../model/state-machine.ts';

/** At most 1,000 characters. */
export const cancelReason = z.string().max(1_000);

const cancellation = z.object({ reason: cancelReason.nullish() });

/*
 * One statement for many jobs of a workspace. The compare-and-set includes the attempt and the status, because the lease is
 * read from this statement's snapshot, which is older than what commits while it waits for the row lock: the lease and slot of
 * a claim would be left behind, and an attempt that was handed back or failed would end a second time. Whoever cancels several
 * has locked them before, in order of their ids.
 */
const cancelling = (select: (of: string) => string) => `
  WITH asked AS (
    SELECT * FROM unnest($1::uuid[], $2::int[], $3::text[], $4::uuid[], $5::uuid[]) AS asked(id, attempt, status, ledger_id, delivery_id)
  ),
  changed AS (
    UPDATE job SET status = '${transitions.cancel.to}', version = version + 1, cancel_reason = $7::text,
      credits_refunded = credits_charged, finished_at = now(), status_changed_at = now(), updated_at = now()
    FROM asked
    WHERE job.id = asked.id AND job.id = ANY ($1::uuid[]) AND job.workspace_id = $6::uuid AND job.attempt = asked.attempt
      AND job.status = asked.status AND ${sqlIs.cancellable}
    RETURNING job.*, asked.ledger_id, asked.delivery_id
  ),
  ${ended(`'${transitions.cancel.to}' AS attempt_outcome, NULL::text AS attempt_error_code, NULL::text AS attempt_error_message`)},
  ${consequences}
  SELECT ${select('ended')}, ${endFacts}`;

const cancelOne = cancelling(jobColumns);

/** What is told of each of many: their inputs may be large. */
const told = partOfJob(new Set(['workspaceId', 'version', 'attempt', 'type', 'status', 'webhookUrl', 'concurrencyKey'] as const));
const cancelMany = cancelling(told.select);

/** Jobs of one workspace, as they were seen last. */
interface Cancellation {
  workspaceId: string;
  jobs: readonly Pick<Job, 'id' | 'attempt' | 'status' | 'dialect'>[];
  reason: string | null;
}

function parametersOf({ notifiesOfCancellation }: JobsContext, { workspaceId, jobs, reason }: Cancellation): unknown[] {
  return [
    jobs.map(({ id }) => id),
    jobs.map(({ attempt }) => attempt),
    jobs.map(({ status }) => status),
    jobs.map(() => newId()),
    jobs.map(({ dialect }) => (notifiesOfCancellation(dialect) ? newId() : null)),
    workspaceId,
    reason,
  ];
}

/**
 * PENDING or RUNNING → CANCELLED, refunded. The status is final for every reader at once. A worker that holds the job
 * is told to abort and can no longer write.
 *
 * @throws NotFoundError, AlreadyFinishedError, ValidationError (a reason longer than 1,000 characters)
 */
export async function cancelJob(
  context: JobsContext,
  workspaceId: string,
  jobId: string,
  request: { reason?: string | null | undefined } = {},
): Promise<Job> {
  const { reason = null } = parseInput(cancellation, request);
  for (;;) {
    const seen = await findJob(context.database.hot, workspaceId, jobId);
    if (seen === null) throw new NotFoundError('Job');
    if (isFinal(seen.status)) throw new AlreadyFinishedError(seen);
    const [row] = await context.database.hot.query<JobRow & EndFacts>(cancelOne, parametersOf(context, { workspaceId, jobs: [seen], reason }));
    if (row === undefined) continue;
    const job = jobFromRow(row);
    announceCancelled(context, job, row);
    return job;
  }
}

/** Cancels jobs that the transaction has locked. Call what it returns after the commit: it tells all who wait for them. */
export async function cancelLocked(context: JobsContext, transaction: Queryable, jobs: Cancellation): Promise<() => void> {
  const rows = await transaction.query<JobRow & EndFacts>(cancelMany, parametersOf(context, jobs));
  return () => {
    for (const row of rows) announceCancelled(context, told.read(row), row);
  };
}

function announceCancelled(context: JobsContext, job: Parameters<typeof announceEnd>[1], facts: EndFacts): void {
  announceEnd(context, job, { outcome: transitions.cancel.to, code: null, ...facts });
}
