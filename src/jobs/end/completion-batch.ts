import { Batches } from '../../concurrency/batches.ts';
import { newId } from '../../database/ids.ts';
import type { AskedCompletion, JobsContext, ReadyCompletion } from '../model/context.ts';
import { type FilesSql, fieldsOfFiles, hasFiles, noFiles, withFiles } from './completion-files.ts';
import { announceEnd, consequencesOfPlainSuccess, consequencesOfSuccess, endFacts, type EndFacts, leaseColumns, leaseColumnsOf } from './ending.ts';
import type { Job } from '../model/job.ts';
import { type JobRow, jobColumns, jobFromRow } from '../model/rows.ts';
import { sqlIs, transitions } from '../model/state-machine.ts';

/** SQL for jobs that have nothing but a lease, or for any. */
interface KindSql {
  /** Conditions on `lease` and on `job`. */
  lease: string;
  job: string;
  /** Columns of `asked`. */
  asked: string;
  /** Columns of `ended`. */
  returned: string;
  consequences: string;
}

const plain: KindSql = {
  lease: 'AND lease.slot IS NULL AND lease.concurrency_key IS NULL',
  job: 'AND job.webhook_url IS NULL',
  asked: '',
  returned: '',
  consequences: consequencesOfPlainSuccess,
};

const any: KindSql = { lease: '', job: '', asked: ', delivery_id uuid', returned: ', held.delivery_id', consequences: consequencesOfSuccess };

/*
 * One statement for many jobs, each fenced by its own lease. It locks rows in id order, so that two batches cannot
 * deadlock. A completion refunds nothing, so it locks no workspace.
 *
 * The lateral look-ups have a LIMIT or a lock clause of their own on purpose: this keeps them from being flattened into joins,
 * for which all leases or all jobs would be read where the planner knows of few that run. `held` has locked the jobs, so the
 * update need not ask again whether they run.
 */
const statement = (kind: KindSql, files: FilesSql) => `
  WITH held AS MATERIALIZED (
    SELECT asked.*, its.* FROM (
      SELECT * FROM jsonb_to_recordset($1::jsonb) AS asked(
        ordinal int, job_id uuid, token uuid, scope uuid, output jsonb${kind.asked}${files.asked})
      ORDER BY job_id
    ) AS asked
    CROSS JOIN LATERAL (
      SELECT lease.attempt AS lease_attempt, ${leaseColumns} FROM lease
      WHERE lease.job_id = asked.job_id AND lease.token = asked.token AND lease.expires_at > now() ${kind.lease} LIMIT 1
    ) AS its
    CROSS JOIN LATERAL (
      SELECT FROM job
      WHERE job.id = asked.job_id AND job.attempt = its.lease_attempt AND ${sqlIs.running} ${kind.job}
        AND (asked.scope IS NULL OR job.workspace_id = asked.scope)
      FOR UPDATE
    ) AS locked
  )${files.found},
  ended AS (
    UPDATE job SET status = '${transitions.complete.to}', version = job.version + 1, output = coalesce(held.output, 'null'), ${files.set}
      finished_at = now(), status_changed_at = now(), updated_at = now()
    FROM ${files.from} AS held WHERE job.id = held.job_id AND job.id = ANY (ARRAY(SELECT job_id FROM ${files.from}))
    RETURNING job.*, held.ordinal, ${leaseColumnsOf('held')}, '${transitions.complete.to}' AS attempt_outcome,
      NULL::text AS attempt_error_code, NULL::text AS attempt_error_message${kind.returned}${files.returned}
  ),
  ${kind.consequences}${files.filed}
  SELECT ${jobColumns('ended')}, ended.ordinal, ${endFacts}`;

interface Way {
  sql: string;
  /** What the statement is told of a completion besides its lease and its output. */
  fields: (completion: ReadyCompletion) => object;
}

const withDelivery = () => ({ delivery_id: newId() });

const ways = {
  plain: { sql: statement(plain, noFiles), fields: () => ({}) },
  any: { sql: statement(any, noFiles), fields: withDelivery },
  withFiles: { sql: statement(any, withFiles), fields: (completion) => ({ ...withDelivery(), ...fieldsOfFiles(completion) }) },
} satisfies Record<string, Way>;

/** The dependencies of completions. */
type CompletionParts = Pick<JobsContext, 'database' | 'announcer' | 'concurrencyKeys' | 'observer'>;

interface Written {
  /** Null where the lease does not hold any more, or the way is not for its job. */
  jobs: (Job | null)[];
  /** Whether the plain way would have done. */
  plain: boolean;
}

/** Completes and announces the jobs whose leases still hold. */
async function writeCompletions(parts: CompletionParts, completions: readonly ReadyCompletion[], { sql, fields }: Way): Promise<Written> {
  const asked = completions.map((completion, ordinal) => toJson(completion, ordinal, fields(completion)));
  const rows = await parts.database.hot.query<JobRow & EndFacts & { ordinal: number }>(sql, [`[${asked.join(',')}]`]);
  const written: Written = { jobs: completions.map(() => null), plain: true };
  for (const row of rows) {
    const job = jobFromRow(row);
    written.jobs[row.ordinal] = job;
    written.plain &&= job.webhookUrl === null && job.concurrencyKey === null && !row.slot_freed;
    announceEnd(parts, job, { outcome: transitions.complete.to, code: null, ...row });
  }
  return written;
}

/**
 * Splices the output in as text: it is already JSON and may be large, so parsing and printing it again would be waste.
 */
function toJson({ ref, scope, output }: ReadyCompletion, ordinal: number, more: object): string {
  const fields = { ordinal, job_id: ref.jobId, token: ref.token, scope, ...more };
  return `${JSON.stringify(fields).slice(0, -1)},"output":${output}}`;
}

/**
 * How many completions share a statement: 100 with small outputs and few files, fewer with more, so that a statement stays at a
 * few megabytes and a few hundred rows.
 */
export const completionBatch = {
  lanes: 4,
  size: 100,
  weigh: ({ output, files }: AskedCompletion) => 1 + output.length / 65_536 + files.length / 10,
};

/** Creates the completion batches of this process. */
export function createCompletions(parts: CompletionParts): JobsContext['completions'] {
  // As with the limits that claims meet, each batch is expected to be like the last one.
  let expectsPlain = true;
  return new Batches(async (completions: readonly ReadyCompletion[]) => {
    if (completions.some(hasFiles)) return (await writeCompletions(parts, completions, ways.withFiles)).jobs;
    const { jobs } = expectsPlain ? await writeCompletions(parts, completions, ways.plain) : { jobs: completions.map(() => null) };
    const left = completions.filter((_, index) => jobs[index] === null);
    if (left.length === 0) return jobs;
    const others = await writeCompletions(parts, left, ways.any);
    expectsPlain = others.plain;
    const rest = others.jobs.values();
    return jobs.map((job) => job ?? rest.next().value ?? null);
  }, completionBatch);
}
