import type { Queryable } from '../../database/queryable.ts';
import { sqlIs } from '../model/state-machine.ts';
import { sqlIsDeleted } from './delete.ts';
import { type JobLogLine, type JobLogRow, keptLines, lineColumns, lineFromRow, type LogLevel, rankOf } from './line.ts';

/** The most lines of one page, which is one event. */
export const pageSize = 100;

/** The most lines that one statement reads, for all watches: some are long. */
const mostLines = 5_000;

/** What a watch has read so far. */
export interface Place {
  workspaceId: string;
  jobId: string;
  level: LogLevel;
  after: number;
}

/** What has come since. */
export interface News {
  lines: JobLogLine[];
  /** All lines of the level up to this sequence are among them. */
  upTo: number;
  /** Whether there are more lines already. */
  isCut: boolean;
  /** Whether the job has ended, or is gone. A line may be on its way even so: see `settledEnds`. */
  hasEnded: boolean;
  /** Whether the log was deleted before it was read to its end. Then there are no lines. */
  isDeleted: boolean;
}

/** Reads only where there is news: ten thousand watched logs may be polled every few seconds. */
const newsStatement = `
  WITH news AS MATERIALIZED (
    SELECT asked.*, counter.last, job.id IS NULL OR ${sqlIs.final} AS has_ended, job.id IS NULL OR coalesce(${sqlIsDeleted}, asked.after > 0) AS is_deleted
    FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::int[]) WITH ORDINALITY AS asked(workspace_id, job_id, level, after, ordinal)
    LEFT JOIN job ON job.id = asked.job_id AND job.workspace_id = asked.workspace_id
    LEFT JOIN job_log_counter AS counter ON counter.job_id = asked.job_id AND counter.workspace_id = asked.workspace_id
    WHERE counter.last > asked.after OR job.id IS NULL OR ${sqlIs.final}
  )
  SELECT news.ordinal::int - 1 AS place, coalesce(news.last, 0) AS last, news.has_ended, news.is_deleted, ${lineColumns('line')}
  FROM news LEFT JOIN LATERAL (
    SELECT * FROM job_log
    WHERE NOT news.is_deleted AND job_log.job_id = news.job_id AND job_log.sequence > greatest(news.after, news.last - ${keptLines})
      AND job_log.sequence <= news.last AND job_log.level >= news.level
    ORDER BY job_log.sequence LIMIT ${pageSize}
  ) AS line ON true
  ORDER BY news.ordinal, line.sequence LIMIT ${mostLines}`;

type NewsRow = { place: number; last: number; has_ended: boolean; is_deleted: boolean } & (JobLogRow | { job_id: null });

/** Returns what there is for each of these places; undefined where there is nothing new. */
export async function readNews(database: Queryable, places: readonly Place[]): Promise<(News | undefined)[]> {
  if (places.length === 0) return [];
  const rows = await database.query<NewsRow>(newsStatement, [
    places.map(({ workspaceId }) => workspaceId),
    places.map(({ jobId }) => jobId),
    places.map(({ level }) => rankOf(level)),
    places.map(({ after }) => after),
  ]);
  const byPlace = Map.groupBy(rows, ({ place }) => place);
  // The statement may have been cut within the last of them, or before others.
  const whole = rows.length < mostLines;
  const lastRead = rows.at(-1)?.place ?? -1;
  return places.map(({ after }, place) => {
    const [first, ...others] = byPlace.get(place) ?? [];
    if (first === undefined) return whole || place < lastRead ? undefined : unread(after);
    if (first.is_deleted) return { lines: [], upTo: after, isCut: false, hasEnded: true, isDeleted: true };
    const lines = [first, ...others].flatMap((row) => (row.job_id === null ? [] : [lineFromRow(row)]));
    const isCut = lines.length === pageSize || (!whole && place === lastRead);
    return { lines, upTo: isCut ? (lines.at(-1)?.sequence ?? after) : Math.max(first.last, after), isCut, hasEnded: first.has_ended, isDeleted: false };
  });
}

function unread(after: number): News {
  return { lines: [], upTo: after, isCut: true, hasEnded: false, isDeleted: false };
}

/**
 * The sequence of the last line that these jobs will ever have; 0 without lines. They must have ended: lines that were on their
 * way hold the lock of the job's counter, and whoever gets it afterwards finds no lease (append-batch.ts). Jobs whose counter
 * is locked just now are left out, and so are those whose logs are gone.
 */
export async function settledEnds(database: Queryable, jobIds: readonly string[]): Promise<Map<string, number>> {
  if (jobIds.length === 0) return new Map();
  const rows = await database.query<{ job_id: string; last: number | null }>(settledStatement, [jobIds]);
  return new Map(rows.flatMap(({ job_id: jobId, last }) => (last === null ? [] : [[jobId, last]])));
}

/** Whether the log is as it was, but for lines that are too old to be kept. To be asked after its lines were read. */
export async function isKept(database: Queryable, workspaceId: string, jobId: string): Promise<boolean> {
  const rows = await database.query(`SELECT FROM job_log_counter AS counter WHERE job_id = $1 AND workspace_id = $2 AND NOT ${sqlIsDeleted}`, [jobId, workspaceId]);
  return rows.length > 0;
}

/** It does not wait: a process that hangs with lines half written must not hold up other jobs' watchers. */
const settledStatement = `
  SELECT asked.job_id, CASE WHEN counter.job_id IS NULL AND job.id IS NOT NULL THEN 0 ELSE settled.last END AS last
  FROM unnest($1::uuid[]) AS asked(job_id)
  LEFT JOIN job ON job.id = asked.job_id
  LEFT JOIN job_log_counter AS counter ON counter.job_id = asked.job_id
  LEFT JOIN LATERAL (
    SELECT counter.last FROM job_log_counter AS counter WHERE counter.job_id = asked.job_id AND NOT ${sqlIsDeleted} FOR SHARE SKIP LOCKED
  ) AS settled ON true`;
