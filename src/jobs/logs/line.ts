import { columnsOf, type Row, type Shown } from '../../database/columns.ts';
import { JobLogEntity } from './entities.ts';

/** From the least to the most severe. The table has their places in this list. */
export const logLevels = ['DEBUG', 'INFO', 'WARN', 'ERROR'] as const;

export type LogLevel = (typeof logLevels)[number];

/** Of a job's lines, this many are kept: the newest. */
export const keptLines = 10_000;

/** One line of a job's log. */
export type JobLogLine = Omit<Shown<typeof JobLogEntity>, 'level'> & { level: LogLevel };

export type JobLogRow = Row<typeof JobLogEntity>;

const columns = columnsOf(JobLogEntity, {});

export const { select: lineColumns } = columns;

export function lineFromRow(row: JobLogRow): JobLogLine {
  const { level, ...line } = columns.read(row);
  return { ...line, level: logLevels[level] ?? 'ERROR' };
}

/** What the table has for a level. */
export function rankOf(level: LogLevel): number {
  return logLevels.indexOf(level);
}
