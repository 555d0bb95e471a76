import type { Queryable } from '../../database/queryable.ts';
import type { Job } from '../model/job.ts';
import { type JobRow, jobColumns, jobFromRow } from '../model/rows.ts';
import { sqlIs } from '../model/state-machine.ts';

/** A database snapshot: https://www.postgresql.org/docs/15/functions-info.html#FUNCTIONS-PG-SNAPSHOT */
export interface Moment {
  /** `pg_snapshot` as text: which transactions were visible. */
  snapshot: string;
  /** Milliseconds since 1970, by the database's clock. */
  at: number;
}

/**
 * A position in the changes of a workspace. It is a snapshot, not a number: transactions become visible in a different
 * order than they draw their ids, and waiting for smaller ids would let one hanging transaction block everybody. A
 * change is new if it is not visible in `from`, however long it took to commit.
 */
export interface ChangeCursor {
  from: Moment;
  /** The position within a batch. A batch is the changes that became visible between `from` and `to`, in order. */
  within?: { to: Moment; xid: string; jobId: string };
}

/** A job as it was when its status changed, or with its newest progress. */
export interface JobUpdate {
  job: Job;
  /** Resumes right after this update. */
  cursor: ChangeCursor;
  /** True for a status change, false for progress. */
  change: boolean;
}

/** One page of the changes after a cursor. */
export interface ChangePage {
  /** In log order. The changes of one job are in version order. */
  changes: JobUpdate[];
  /** Requested jobs that have newer progress. Empty unless this is the last page. */
  progressed: Job[];
  /** Where the next page begins. */
  next: ChangeCursor;
  /** Whether more changes are visible already. */
  more: boolean;
}

/** The first transaction id that had not begun: `xmax` of the snapshot `xmin:xmax:xip`. */
export function nextTransaction({ snapshot }: Moment): bigint {
  return BigInt(snapshot.split(':')[1] ?? 0);
}

/** Changes per page. Each may carry an output of a megabyte, and a whole page is in memory at once. */
export const pageSize = 50;

/** The current snapshot. A watch that starts now begins here. */
export async function presentMoment(database: Queryable): Promise<Moment> {
  const [row] = await database.query<MomentRow>(`SELECT ${moment}`, []);
  if (row === undefined) throw new Error('the database returned no snapshot');
  return momentOf(row);
}

export interface ChangesAsked {
  workspaceId: string;
  place: ChangeCursor;
  /** Where to stop. The present by default. */
  upTo?: Moment;
  /** The last version sent of each job whose progress may be newer. */
  sent?: readonly { id: string; version: number }[];
}

/**
 * Reads the changes after a cursor, and the jobs with newer progress than was last sent. One snapshot shows both, so
 * progress never arrives before the status change that it follows.
 */
export async function readChanges(
  database: Queryable,
  { workspaceId, place: { from, within }, upTo, sent = [] }: ChangesAsked,
): Promise<ChangePage> {
  const end = within?.to ?? upTo;
  const after = { xid: within?.xid ?? '0', jobId: within?.jobId ?? beforeEveryId };
  const first = nextTransaction(from);
  const begun = BigInt(after.xid) >= first ? after : { xid: String(first), jobId: beforeEveryId };
  const rows = await database.query<ChangeRow>(
    readStatement,
    [
      workspaceId,
      from.snapshot,
      end?.snapshot ?? null,
      after.xid,
      after.jobId,
      begun.xid,
      begun.jobId,
      sent.map(({ id }) => id),
      sent.map(({ version }) => version),
    ],
  );
  const [head] = rows;
  if (head === undefined) throw new Error('the database returned no snapshot');
  const to = end ?? momentOf(head);
  const changed = rows.filter((row): row is ChangeRow & { xid: string } => row.xid !== null);
  const page = changed.slice(0, pageSize);
  const more = changed.length > pageSize;
  const last = page.at(-1);
  const next: ChangeCursor =
    more && last !== undefined ? { from, within: { to, xid: last.xid, jobId: last.changed_id } } : { from: to };
  const changes = page.flatMap((row, index): JobUpdate[] => {
    const isLast = index === page.length - 1;
    const cursor = isLast ? next : { from, within: { to, xid: row.xid, jobId: row.changed_id } };
    // The job was deleted in the meantime, so there is nothing to show.
    return row.id === null ? [] : [{ job: jobFromRow(row), cursor, change: true }];
  });
  const progressed = more ? [] : rows.flatMap((row) => (row.xid !== null || row.id === null ? [] : [jobFromRow(row)]));
  return { changes: inOrderOfVersions(changes, { from, ...(within && { within }) }), progressed, next, more };
}

/**
 * Puts the changes of each job in version order. A transaction draws its id before it waits for the row lock, so two
 * changes of one job may have their ids the wrong way round. They swap places, and a watcher that resumes between them
 * gets both again.
 */
function inOrderOfVersions(changes: JobUpdate[], start: ChangeCursor): JobUpdate[] {
  const places = new Map<string, number>();
  const ordered = [...changes];
  for (const [index, { job }] of changes.entries()) {
    const place = places.get(job.id);
    const earlier = place === undefined ? undefined : ordered[place];
    const later = ordered[index];
    if (place !== undefined && earlier !== undefined && later !== undefined && earlier.job.version > later.job.version) {
      const before = ordered[place - 1]?.cursor ?? start;
      ordered[place] = { ...earlier, job: later.job };
      ordered[index] = { ...later, job: earlier.job };
      for (const [each, update] of ordered.slice(place, index).entries()) {
        ordered[place + each] = { ...update, cursor: before };
      }
    }
    places.set(job.id, index);
  }
  return ordered;
}

const beforeEveryId = '00000000-0000-0000-0000-000000000000';

const moment = `pg_current_snapshot()::text AS snapshot, (extract(epoch FROM now()) * 1000)::float8 AS at`;

const since = '$2::text::pg_snapshot';
const until = 'coalesce($3::text::pg_snapshot, pg_current_snapshot())';

/*
 * Not visible in `since` are transactions that began after it and transactions that were in progress. These are two
 * ranges of the primary key, the second made of single ids. One range from the oldest transaction in progress would be
 * simpler, but that transaction may have been open for hours somewhere in the cluster, and the range would be as long.
 *
 * Rows must also be visible in `until`, although every row read is visible now. A batch needs an end, and without it
 * the rows of a restored dump, which carry transaction ids of another cluster, would be new forever.
 */
function stretch(condition: string): string {
  return `(
    SELECT change.* FROM job_change AS change
    WHERE change.workspace_id = $1::uuid AND ${condition} AND pg_visible_in_snapshot(change.xid, ${until})
    ORDER BY change.xid, change.job_id LIMIT ${pageSize + 1}
  )`;
}

/**
 * Only one lower bound: for a range with two unknown bounds, the planner expects so few rows that it would sort them.
 */
const begunSince = stretch(
  `(change.xid, change.job_id) > ($6::text::xid8, $7::uuid) AND change.xid < pg_snapshot_xmax(${until})`,
);

/** One lookup per transaction id. With a list of ids, a generic plan would read all changes of the workspace. */
const underWay = `
  SELECT change.* FROM pg_snapshot_xip(${since}) AS open (xid)
  CROSS JOIN LATERAL ${stretch('change.xid = open.xid AND (change.xid, change.job_id) > ($4::text::xid8, $5::uuid)')} AS change`;

/** SQL for the columns that later changes overwrite, from the change (`job`) and the current row (`present`). */
const asItWas: Readonly<Record<string, string>> = {
  ...fromBoth(['status', 'version', 'attempt', 'failed_attempts'], (name) => `job.${name}`),
  ...fromBoth(['progress_step', 'progress_message', 'progress_percentage'], (name) => ifFinal(name, `job.${name}`)),
  ...fromBoth(
    ['output', 'error_code', 'error_message', 'artifact_id', 'artifact_expires_at', 'video_artifact_id', 'image_artifact_id', 'cancel_reason', 'finished_at'],
    (name) => ifFinal(name, 'NULL'),
  ),
  credits_refunded: ifFinal('credits_refunded', '0'),
  due_at: ifFinal('due_at', 'coalesce(job.due_at, greatest(present.run_at, job.changed_at))'),
  started_at: 'CASE WHEN job.attempt > 0 THEN present.started_at END',
  status_changed_at: 'job.changed_at',
  updated_at: 'job.changed_at',
};

function fromBoth(names: readonly string[], sql: (name: string) => string): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, sql(name)]));
}

/** The current value if the change was final, because a final job does not change any more; otherwise `before`. */
function ifFinal(name: string, before: string): string {
  return `CASE WHEN ${sqlIs.final} THEN present.${name} ELSE ${before} END`;
}

const columnsAsItWas = jobColumns('present')
  .split(', ')
  .map((column) => {
    const name = column.slice('present.'.length);
    return `${asItWas[name] ?? column} AS ${name}`;
  })
  .join(', ');

const readStatement = `
  WITH change AS MATERIALIZED (
    SELECT * FROM (
      ${begunSince} UNION ALL (${underWay})
    ) AS change
    ORDER BY change.xid, change.job_id LIMIT ${pageSize + 1}
  ),
  news AS (
    SELECT job.xid, job.job_id AS changed_id, ${columnsAsItWas}
    FROM change AS job
    -- OFFSET 0 keeps it from becoming a join: the planner cannot tell that rows are few, and would read all of \`job\`.
    LEFT JOIN LATERAL (
      SELECT * FROM job AS present WHERE present.id = job.job_id AND present.workspace_id = $1::uuid OFFSET 0
    ) AS present ON true
    UNION ALL
    SELECT NULL, NULL, ${jobColumns('job')}
    FROM unnest($8::uuid[], $9::int[]) AS sent(id, version)
    CROSS JOIN LATERAL (
      SELECT * FROM job WHERE job.id = sent.id AND job.workspace_id = $1::uuid OFFSET 0
    ) AS job
    -- Every other change of version is in the log.
    WHERE ${sqlIs.running} AND job.version > sent.version
      AND NOT EXISTS (SELECT FROM change WHERE change.job_id = job.id AND change.version = job.version)
  )
  SELECT present.*, news.xid::text AS xid, news.changed_id, ${jobColumns('news')}
  FROM (SELECT ${moment}) AS present LEFT JOIN news ON true
  ORDER BY news.xid, news.changed_id`;

interface MomentRow {
  snapshot: string;
  at: number;
}

type ChangeRow = MomentRow & { xid: string | null; changed_id: string } & (JobRow | { id: null });

function momentOf({ snapshot, at }: MomentRow): Moment {
  return { snapshot, at };
}
