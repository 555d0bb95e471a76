/** `812 B`, `4.2 MB`: in powers of 1,000, as file managers count. */
export function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let unit = 0;
  let count = bytes;
  while (count >= 1_000 && unit < units.length - 1) {
    count /= 1_000;
    unit += 1;
  }
  return `${unit === 0 || count >= 100 ? Math.round(count) : count.toFixed(1)} ${units[unit] ?? ''}`;
}
