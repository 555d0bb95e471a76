/*
 * A histogram of durations: how many were in each bucket, without what follows the last one in use. Four buckets to each
 * doubling, so that the middle of a bucket is within 9 % of everything in it. Histograms are added place by place.
 */

const bucketsInDoubling = 4;

/**
 * The first bucket begins here, and takes all that is shorter: a claim's statement may have begun a moment before the job that it
 * found was due, and then its wait is negative by the database's clock.
 */
const shortestSeconds = 0.0001;

/** SQL for the bucket of an interval, from 1. */
export function sqlBucket(interval: string): string {
  const seconds = `greatest(extract(epoch FROM ${interval})::float8, ${shortestSeconds})`;
  return `(1 + floor(${bucketsInDoubling} * ln(${seconds} / ${shortestSeconds}) / ln(2.0::float8)))::int`;
}

/** The seconds that stand for a bucket: of all numbers, the one with the smallest relative error at both of its ends. */
function middleOf(bucket: number): number {
  const low = shortestSeconds * 2 ** ((bucket - 1) / bucketsInDoubling);
  const high = shortestSeconds * 2 ** (bucket / bucketsInDoubling);
  return (2 * low * high) / (low + high);
}

/** Adds durations to a bucket of the histogram. */
export function addTo(histogram: number[], bucket: number, count: number): void {
  while (histogram.length < bucket) histogram.push(0);
  histogram[bucket - 1] = (histogram[bucket - 1] ?? 0) + count;
}

/** The histogram in the text of a Postgres array. */
export function histogramOf(text: string): number[] {
  return JSON.parse(`[${text.slice(1, -1)}]`);
}

/** The sum of two histograms. It may be one of them. */
export function sumOf(one: number[], other: number[]): number[] {
  if (one.length < other.length) return sumOf(other, one);
  for (let index = 0; index < other.length; index += 1) one[index] = (one[index] ?? 0) + (other[index] ?? 0);
  return one;
}

/** SQL for the sum of two histograms. */
export function sqlSum(one: string, other: string): string {
  return `ARRAY(SELECT coalesce(pair.one, 0) + coalesce(pair.other, 0) FROM unnest(${one}, ${other}) AS pair(one, other))`;
}

/** The seconds that this share of the durations did not exceed (nearest rank); null where there are none. */
export function quantile(histogram: readonly number[], share: number): number | null {
  let total = 0;
  for (const count of histogram) total += count;
  if (total === 0) return null;
  const rank = Math.ceil(share * total);
  let bucket = 0;
  for (let passed = 0; passed < rank; bucket += 1) passed += histogram[bucket] ?? 0;
  return middleOf(bucket);
}
