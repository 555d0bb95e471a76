import type { JobStatus } from '../model/state-machine.ts';
import { type StatisticsStep, statisticsSteps } from './entities.ts';
import { addTo } from './histogram.ts';
import type { Tally } from './tally.ts';

/** What happened in one step of time, as it is stored. */
export interface Point {
  created: number;
  completed: number;
  failed: number;
  cancelled: number;
  failedAttempts: number;
  /** Histograms. */
  waits: number[];
  runs: number[];
}

/** Stands for all types together. */
export const allTypes = '';

const stepMilliseconds = { MINUTE: 60_000, HOUR: 3_600_000, DAY: 86_400_000 } satisfies Record<StatisticsStep, number>;

export function lengthOf(step: StatisticsStep): number {
  return stepMilliseconds[step];
}

/** Where the step begins that an instant is in. Days are UTC's. */
export function startOf(step: StatisticsStep, milliseconds: number): number {
  return Math.floor(milliseconds / stepMilliseconds[step]) * stepMilliseconds[step];
}

export function emptyPoint(): Point {
  return { created: 0, completed: 0, failed: 0, cancelled: 0, failedAttempts: 0, waits: [], runs: [] };
}

/** Which counter a change to this status adds to. */
const counterOf = {
  PENDING: null,
  RUNNING: null,
  COMPLETED: 'completed',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
} as const satisfies Record<JobStatus, keyof Point | null>;

export function addTally(point: Point, { created, status, failed, wait, run, changes }: Tally): void {
  if (created) point.created += changes;
  if (failed) point.failedAttempts += changes;
  const counter = counterOf[status];
  if (counter !== null) point[counter] += changes;
  if (wait !== null) addTo(point.waits, wait, changes);
  if (run !== null) addTo(point.runs, run, changes);
}

/** A point and its place. */
interface PlacedPoint extends Point {
  step: StatisticsStep;
  at: string;
  type: string;
}

/** The points that these changes add to: of each step, of their type and of all types. */
export function pointsOf(tallies: readonly Tally[]): PlacedPoint[] {
  const points = new Map<string, PlacedPoint>();
  for (const tally of tallies) {
    for (const step of statisticsSteps) {
      const at = new Date(startOf(step, tally.minute)).toISOString();
      for (const type of new Set([tally.type, allTypes])) {
        const key = `${step} ${at} ${type}`;
        const point = points.get(key) ?? { step, at, type, ...emptyPoint() };
        points.set(key, point);
        addTally(point, tally);
      }
    }
  }
  return [...points.values()];
}
