const dayMilliseconds = 24 * 60 * 60 * 1_000;

/** Numbers below 100 and below 1,000, padded to two and three digits. */
const two = Array.from({ length: 100 }, (_, number) => String(number).padStart(2, '0'));
const three = Array.from({ length: 1_000 }, (_, number) => String(number).padStart(3, '0'));

/** Size limit of the cache of days. A page spans only a few. */
const mostDays = 1_000;
const days = new Map<number, string>();

/** Same as `toISOString`, ten times as fast: a page of jobs has hundreds of timestamps from a few days. */
export function instantText(instant: Date): string {
  const time = instant.getTime();
  const day = Math.floor(time / dayMilliseconds);
  const within = time - day * dayMilliseconds;
  const hours = two[Math.floor(within / 3_600_000)];
  const minutes = two[Math.floor(within / 60_000) % 60];
  const seconds = two[Math.floor(within / 1_000) % 60];
  return `${dayText(day, instant)}T${hours}:${minutes}:${seconds}.${three[within % 1_000]}Z`;
}

/** @param instant on that day; throws a RangeError if it is invalid */
function dayText(day: number, instant: Date): string {
  const known = days.get(day);
  if (known !== undefined) return known;
  const text = instant.toISOString().split('T', 1)[0] ?? '';
  if (days.size >= mostDays) days.clear();
  days.set(day, text);
  return text;
}
