import type { Queryable } from '../../database/queryable.ts';
import type { Job } from '../model/job.ts';
import { type JobRow, jobColumns, jobFromRow } from '../model/rows.ts';
import { sqlIs } from '../model/state-machine.ts';

/** What the database showed at an instant: https://www.postgresql.org/docs/15/functions-info.html#FUNCTIONS-PG-SNAPSHOT */
export interface Moment {
  /** `pg_snapshot` as text: which transactions were visible. */
  snapshot: string;
  /** Milliseconds since 1970, by the database's clock. */
  at: number;
}

/**
 * A place in the changes of a workspace. Not a number: transactions become visible in another order than they take their
 * numbers, and waiting for the smaller ones would let one that hangs hold back everybody's. New is what is not visible
 * in `from`, however long it took to commit.
 */
export interface ChangeCursor {
  from: Moment;
  /** Where the place is inside a batch: the changes that became visible between `from` and `to`, in their order. */
  within?: { to: Moment; xid: string; jobId: string };
}

/** A job as it was when its status changed, or with its newest progress. */
export interface JobUpdate {
  job: Job;
  /** Resumes right after it. */
  cursor: ChangeCursor;
  /** Whether its status changed; otherwise its progress did. */
  change: boolean;
}

/** A stretch of the changes after a cursor. */
export interface ChangePage {
  /** In their order; those of one job in that of its versions. */
  changes: JobUpdate[];
  /** Jobs asked for that have newer progress; empty unless the page is the last. */
  progressed: Job[];
  /** Where the next page begins. */
  next: ChangeCursor;
  /** Whether changes follow that were visible already. */
  more: boolean;
}

/** The first transaction that had not begun: `xmin:xmax:xip`. */
export function nextTransaction({ snapshot }: Moment): bigint {
  return BigInt(snapshot.split(':')[1] ?? 0);
}

/** Changes in one page: each may bring an output of a megabyte, and all of a page are in memory at one time. */
export const pageSize = 50;

/** What is over, as it is now: where a watch from now on begins. */
export async function presentMoment(database: Queryable): Promise<Moment> {
  const [row] = await database.query<MomentRow>(`SELECT ${moment}`, []);
  if (row === undefined) throw new Error('the database showed no snapshot');
  return momentOf(row);
}

export interface ChangesAsked {
  workspaceId: string;
  place: ChangeCursor;
  /** Ends the page there rather than now. */
  upTo?: Moment;
  /** The last version sent of each job whose progress may be newer. */
  sent?: readonly { id: string; version: number }[];
}

/**
 * The changes after a cursor, and the jobs whose progress is newer than what was sent of them, as one snapshot shows
 * both: progress never comes before the change that it follows.
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
  if (head === undefined) throw new Error('the database showed no snapshot');
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
    // A job that was deleted meanwhile has nothing left to show.
    return row.id === null ? [] : [{ job: jobFromRow(row), cursor, change: true }];
  });
  const progressed = more ? [] : rows.flatMap((row) => (row.xid !== null || row.id === null ? [] : [jobFromRow(row)]));
  return { changes: inOrderOfVersions(changes, { from, ...(within && { within }) }), progressed, next, more };
}

/**
 * A transaction takes its number just before it waits for the row, so that two of one job may come with their numbers
 * the wrong way round: the newer change gives the older one its place. Whoever resumes in between gets both again.
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
 * Not visible in `since` is what began after it, and what was under way: two stretches of the primary key, the second of
 * single numbers. From its oldest transaction on, which may be open for hours somewhere in the cluster, would be one
 * stretch, and as long.
 *
 * Visible in `until`, although every row read is visible now: the batch must have an end, and numbers of another cluster,
 * whose rows a restored dump has, would otherwise be new for ever.
 */
function stretch(condition: string): string {
  return `(
    SELECT change.* FROM job_change AS change
    WHERE change.workspace_id = $1::uuid AND ${condition} AND pg_visible_in_snapshot(change.xid, ${until})
    ORDER BY change.xid, change.job_id LIMIT ${pageSize + 1}
  )`;
}

/** One bound below, not two: of a range between unknown numbers the planner expects so little that it would sort it. */
const begunSince = stretch(
  `(change.xid, change.job_id) > ($6::text::xid8, $7::uuid) AND change.xid < pg_snapshot_xmax(${until})`,
);

/** One look-up for each number: given them as a list, a generic plan reads all changes of the workspace. */
const underWay = `
  SELECT change.* FROM pg_snapshot_xip(${since}) AS open (xid)
  CROSS JOIN LATERAL ${stretch('change.xid = open.xid AND (change.xid, change.job_id) > ($4::text::xid8, $5::uuid)')} AS change`;

/** What a job loses with later changes, in terms of the change (`job`) and the present row (`present`). */
const asItWas: Readonly<Record<string, string>> = {
  ...fromBoth(['status', 'version', 'attempt', 'failed_attempts'], (name) => `job.${name}`),
  ...fromBoth(['progress_step', 'progress_message', 'progress_percentage'], (name) => either(name, `job.${name}`)),
  ...fromBoth(
    ['output', 'error_code', 'error_message', 'artifact_id', 'artifact_expires_at', 'cancel_reason', 'finished_at'],
    (name) => either(name, 'NULL'),
  ),
  credits_refunded: either('credits_refunded', '0'),
  due_at: either('due_at', 'coalesce(job.due_at, greatest(present.run_at, job.changed_at))'),
  started_at: 'CASE WHEN job.attempt > 0 THEN present.started_at END',
  status_changed_at: 'job.changed_at',
  updated_at: 'job.changed_at',
};

function fromBoth(names: readonly string[], sql: (name: string) => string): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, sql(name)]));
}

/** A final job does not change any more. */
function either(name: string, before: string): string {
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
    -- Cannot be flattened into a join: the planner cannot see that there are few, and would read all of \`job\`.
    LEFT JOIN LATERAL (
      SELECT * FROM job AS present WHERE present.id = job.job_id AND present.workspace_id = $1::uuid OFFSET 0
    ) AS present ON true
    UNION ALL
    SELECT NULL, NULL, ${jobColumns('job')}
    FROM unnest($8::uuid[], $9::int[]) AS sent(id, version)
    CROSS JOIN LATERAL (
      SELECT * FROM job WHERE job.id = sent.id AND job.workspace_id = $1::uuid OFFSET 0
    ) AS job
    -- Whatever else changes a version is in the log.
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
