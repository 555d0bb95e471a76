/** The longest time that an answer is held, in seconds. */
export const mostWaitSeconds = 30;

/** The seconds that a client wants to wait (RFC 7240, `Prefer: wait`), 30 at most; null if it names none that can be read. */
export function waitWanted(prefer: string | string[] | undefined): number | null {
  if (prefer === undefined) return null;
  const text = Array.isArray(prefer) ? prefer.join(',') : prefer;
  const seconds = /(?:^|[,;\s])wait\s*=\s*"?(\d{1,6})"?\s*(?:$|[,;])/i.exec(text)?.[1];
  return seconds === undefined || Number(seconds) === 0 ? null : Math.min(mostWaitSeconds, Number(seconds));
}
