import type { Queryable } from '../../database/queryable.ts';
import { type JobLogLine, type JobLogRow, keptLines, lineColumns, lineFromRow, type LogLevel, rankOf } from './line.ts';

/** Which lines of a job. */
export interface LinesAsked {
  /** Only lines after this sequence. */
  after: number;
  /** Only lines up to this sequence; null for all. */
  upTo: number | null;
  /** That level and all above it. */
  level: LogLevel;
  /** Null for all. */
  attempt: number | null;
  direction: 'ASC' | 'DESC';
  limit: number;
}

/** Reads along the key, at most as far as lines are kept, whatever the filter matches. */
function statement(direction: 'ASC' | 'DESC'): string {
  return `
  SELECT ${lineColumns('line')}
  FROM job_log_counter AS counter CROSS JOIN LATERAL (
    SELECT * FROM job_log
    WHERE job_log.job_id = counter.job_id
      AND job_log.sequence > greatest($3::int, counter.last - ${keptLines}) AND ($4::int IS NULL OR job_log.sequence <= $4::int)
      AND job_log.level >= $5::int AND ($6::int IS NULL OR job_log.attempt = $6::int)
    ORDER BY job_log.sequence ${direction} LIMIT $7::int
  ) AS line
  WHERE counter.workspace_id = $1::uuid AND counter.job_id = ANY ($2::uuid[])
  ORDER BY line.job_id, line.sequence ${direction}`;
}

const statements = { ASC: statement('ASC'), DESC: statement('DESC') };

/** The same range of lines of each of several jobs of a workspace. */
export async function listLines(
  database: Queryable,
  workspaceId: string,
  jobIds: readonly string[],
  { after, upTo, level, attempt, direction, limit }: LinesAsked,
): Promise<JobLogLine[]> {
  const parameters = [workspaceId, jobIds, after, upTo, rankOf(level), attempt, limit];
  return (await database.query<JobLogRow>(statements[direction], parameters)).map(lineFromRow);
}

/** How many lines of each of these jobs are not kept any more. Jobs that have all of theirs may be missing. */
export async function countDropped(database: Queryable, workspaceId: string, jobIds: readonly string[]): Promise<Map<string, number>> {
  const rows = await database.query<{ job_id: string; dropped: number }>(
    `SELECT job_id, greatest(last - ${keptLines}, 0) AS dropped FROM job_log_counter
     WHERE workspace_id = $1::uuid AND job_id = ANY ($2::uuid[])`,
    [workspaceId, jobIds],
  );
  return new Map(rows.map(({ job_id: jobId, dropped }) => [jobId, dropped]));
}
