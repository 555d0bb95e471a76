import type { Attempt } from '../handler.ts';

/** An attempt of which a part is done: what is reported of that counts from one percentage of the whole to another. */
export function stageOf(attempt: Attempt, from: number, to: number): Attempt {
  return {
    ...attempt,
    report: ({ percentage, ...progress }) =>
      attempt.report({ ...progress, ...(percentage !== undefined && { percentage: percentage === null ? null : Math.floor(from + ((to - from) * percentage) / 100) }) }),
  };
}

/** Reports each whole percent once. */
export function percentagesOf(attempt: Attempt): (percentage: number) => void {
  let last = -1;
  return (percentage) => {
    const whole = Math.floor(percentage);
    if (whole <= last) return;
    last = whole;
    attempt.report({ percentage: whole });
  };
}
