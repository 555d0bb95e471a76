/** `just now`, `in a moment`, `5 min ago`, `in 2 h`: to the nearest unit. */
export function agoText(at: string | number | Date, now: number): string {
  const away = new Date(at).getTime() - now;
  const seconds = Math.round(Math.abs(away) / 1_000);
  if (seconds < 5) return away > 0 ? 'in a moment' : 'just now';
  const [count, unit] = seconds < 60 ? [seconds, 's'] : seconds < 3_600 ? [Math.round(seconds / 60), 'min'] : seconds < 86_400 ? [Math.round(seconds / 3_600), 'h'] : [Math.round(seconds / 86_400), 'd'];
  return away > 0 ? `in ${count} ${unit}` : `${count} ${unit} ago`;
}
