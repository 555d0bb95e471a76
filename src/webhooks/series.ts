/**
 * The tries in one series: the first, then retries. The pause before each retry is between the value below and twice
 * that value, capped at 4 hours. The last try is 22 to 26 hours after the first.
 *
 *     1     2      3      4      5       6       7       8        9        10       11      12      13 to 16
 *     5 s   10 s   20 s   40 s   80 s   160 s   320 s   11 min   21 min   43 min   85 min   2.8 h   4 h each
 */
export const mostTries = 17;

const firstPauseSeconds = 5;
const longestPauseSeconds = 4 * 60 * 60;

/** A receiver that asks for more waits no longer than this. */
const longestAskedSeconds = 24 * 60 * 60;

/**
 * Seconds until the next try after `tries` failed ones; null if none is left. The jitter keeps retries from hitting a
 * recovering receiver all at once.
 *
 * @param asked the least pause that the receiver asks for, in seconds; followed for up to a day
 */
export function pauseAfter(tries: number, asked: number | null): number | null {
  if (tries >= mostTries) return null;
  const shortest = firstPauseSeconds * 2 ** (tries - 1);
  const usual = Math.min(shortest * (1 + Math.random()), longestPauseSeconds);
  return Math.max(usual, Math.min(asked ?? 0, longestAskedSeconds));
}
