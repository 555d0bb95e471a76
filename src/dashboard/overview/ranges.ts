import type { StatisticsStep } from '../generated/overview.ts';

/** A stretch of time up to now, and what one point of it is of. */
export interface Range {
  name: string;
  label: string;
  /** Milliseconds. */
  length: number;
  step: StatisticsStep;
  /** `minute`, for texts. */
  unit: string;
}

const hour = 3_600_000;
const day = 24 * hour;

/** Minutes are kept for 2 days and hours for 60, and a chart of more than some hundred points cannot be read. */
export const ranges = [
  { name: '1h', label: 'Last hour', length: hour, step: 'MINUTE', unit: 'minute' },
  { name: '6h', label: 'Last 6 hours', length: 6 * hour, step: 'MINUTE', unit: 'minute' },
  { name: '24h', label: 'Last 24 hours', length: day, step: 'HOUR', unit: 'hour' },
  { name: '7d', label: 'Last 7 days', length: 7 * day, step: 'HOUR', unit: 'hour' },
  { name: '30d', label: 'Last 30 days', length: 30 * day, step: 'HOUR', unit: 'hour' },
  { name: '90d', label: 'Last 90 days', length: 90 * day, step: 'DAY', unit: 'day' },
  { name: '1y', label: 'Last year', length: 365 * day, step: 'DAY', unit: 'day' },
] as const satisfies readonly Range[];

/** The range that an address names; the last hour where it names none. */
export function rangeOf(name: string | null): Range {
  return ranges.find((range) => range.name === name) ?? ranges[0];
}
