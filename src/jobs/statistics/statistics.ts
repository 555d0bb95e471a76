import type { Queryable } from '../../database/queryable.ts';
import { LonghaulError } from '../../errors.ts';
import type { StatisticsStep } from './entities.ts';
import { histogramOf, quantile, sumOf } from './histogram.ts';
import { addTally, allTypes, emptyPoint, lengthOf, type Point, startOf } from './points.ts';
import { sqlTally, type Tally } from './tally.ts';
import { uncounted } from './uncounted.ts';

/** The most points of one answer. */
export const mostPoints = 1_000;

/** The most types in one question. */
const mostTypes = 100;

/** What statistics to read. */
export interface StatisticsAsked {
  /** The first point is that of the step it is in. */
  from: Date;
  /** Exclusive. The present if null. */
  to?: Date | null | undefined;
  step: StatisticsStep;
  /** Null or omitted for all types. */
  types?: readonly string[] | null | undefined;
}

/** What happened in one step of time. Durations are in seconds, within 10 %; null where there are none. */
export interface StatisticsPoint extends Pick<Point, 'created' | 'completed' | 'failed' | 'cancelled' | 'failedAttempts'> {
  /** Where the step begins. */
  at: Date;
  /** From due to claimed, of attempts that began in the step. */
  waitP50: number | null;
  waitP95: number | null;
  /** From claimed to ended, of attempts that ended in the step. */
  runP50: number | null;
  runP95: number | null;
}

/*
 * A row for each point that the sweep has made, and one with what it has not counted yet. Histograms come as text: drivers take
 * an array apart character by character.
 */
const statement = `
  WITH ${uncounted}
  SELECT (extract(epoch FROM at) * 1000)::float8 AS at, created, completed, failed, cancelled, failed_attempts AS "failedAttempts",
    waits::text, runs::text, NULL::json AS tallies
  FROM job_statistic WHERE workspace_id = $1::uuid AND step = $2 AND at >= $3::timestamptz AND at < $4::timestamptz
    AND type = ANY($5::text[])
  UNION ALL
  SELECT 0, 0, 0, 0, 0, 0, '{}', '{}', coalesce(json_agg(tally), '[]') FROM (${sqlTally(
    'uncounted',
    'job.changed_at >= $3::timestamptz AND job.changed_at < $4::timestamptz AND ($6::boolean OR job.type = ANY($5::text[]))',
  )}) AS tally`;

type Row = Pick<Point, 'created' | 'completed' | 'failed' | 'cancelled' | 'failedAttempts'> & {
  at: number;
  waits: string;
  runs: string;
  tallies: Tally[] | null;
};

/**
 * Reads one point for each step from `from` to `to`, empty ones included. What the sweep has not counted yet is counted here.
 *
 * @throws BAD_USER_INPUT for a range that is empty or has more than 1,000 steps, and for more than 100 types
 */
export async function readStatistics(database: Queryable, workspaceId: string, asked: StatisticsAsked): Promise<StatisticsPoint[]> {
  const { step, types = null } = asked;
  if ((types?.length ?? 0) > mostTypes) throw new LonghaulError('BAD_USER_INPUT', `types takes at most ${mostTypes} names, got ${types?.length}.`);
  const start = startOf(step, asked.from.getTime());
  const end = startOf(step, (asked.to?.getTime() ?? (await present(database))) - 1) + lengthOf(step);
  const length = (end - start) / lengthOf(step);
  if (length < 1) throw new LonghaulError('BAD_USER_INPUT', 'to must be later than from.');
  if (length > mostPoints) {
    throw new LonghaulError('BAD_USER_INPUT', `This would be ${length} points; the limit is ${mostPoints}. Ask for a larger step or a shorter range.`);
  }
  const range = [start, end].map((milliseconds) => new Date(milliseconds).toISOString());
  const rows = await database.query<Row>(statement, [workspaceId, step, ...range, types ?? [allTypes], types === null]);
  const points = Array.from({ length }, emptyPoint);
  const pointAt = (milliseconds: number) => points[(startOf(step, milliseconds) - start) / lengthOf(step)];
  for (const { at, waits, runs, tallies, ...counters } of rows) {
    if (tallies === null) addPoint(pointAt(at), { ...counters, waits: histogramOf(waits), runs: histogramOf(runs) });
    for (const tally of tallies ?? []) {
      const point = pointAt(tally.minute);
      if (point !== undefined) addTally(point, tally);
    }
  }
  return points.map((point, index) => shown(point, new Date(start + index * lengthOf(step))));
}

async function present(database: Queryable): Promise<number> {
  const [row] = await database.query<{ at: number }>('SELECT (extract(epoch FROM now()) * 1000)::float8 AS at');
  return row?.at ?? Date.now();
}

function addPoint(point: Point | undefined, counted: Point): void {
  if (point === undefined) return;
  for (const name of ['created', 'completed', 'failed', 'cancelled', 'failedAttempts'] as const) point[name] += counted[name];
  point.waits = sumOf(point.waits, counted.waits);
  point.runs = sumOf(point.runs, counted.runs);
}

function shown({ waits, runs, ...counters }: Point, at: Date): StatisticsPoint {
  return {
    at,
    ...counters,
    waitP50: quantile(waits, 0.5),
    waitP95: quantile(waits, 0.95),
    runP50: quantile(runs, 0.5),
    runP95: quantile(runs, 0.95),
  };
}
