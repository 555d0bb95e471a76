import { InvalidArgumentError } from 'commander';

const units: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of a text such as `90`, `90s`, `5m`, `2h` or `1d`; seconds where no unit is given. For an option. */
export function readPeriod(text: string): number {
  const [, amount, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text) ?? [];
  if (amount === undefined) throw new InvalidArgumentError('Give a time such as 90s, 5m, 2h or 1d.');
  return Number(amount) * (units[unit] ?? 1_000);
}

/** The instant of an RFC 3339 text, or of one such as `+10m` or `-1d` from now on. For an option. */
export function readInstant(text: string): string {
  const [sign] = text;
  const at = sign === '+' || sign === '-' ? Date.now() + (sign === '-' ? -1 : 1) * readPeriod(text.slice(1)) : Date.parse(text);
  if (Number.isNaN(at)) throw new InvalidArgumentError('Give an instant such as 2030-01-31T08:00:00Z, or +10m from now on.');
  return new Date(at).toISOString();
}

/** A whole number within bounds. For an option. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^-?\d+$/.test(text) || value < least || value > most) throw new InvalidArgumentError(`Give a whole number from ${least} to ${most}.`);
    return value;
  };
}

/** Gathers an option that may be given several times. */
export function gather(value: string, before: string[] = []): string[] {
  return [...before, value];
}

/** For people: `12s`, `3:05` or `1:02:03`. */
export function shownPeriod(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1_000));
  if (seconds < 60) return `${seconds}s`;
  const parts = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  const shown = parts[0] === 0 ? parts.slice(1) : parts;
  return shown.map((part, index) => String(part).padStart(index === 0 ? 1 : 2, '0')).join(':');
}

/** For people: `831 B` or `12.4 MB`. */
export function shownBytes(bytes: number): string {
  const names = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let at = 0;
  while (value >= 1_000 && at < names.length - 1) {
    value /= 1_000;
    at += 1;
  }
  return `${at === 0 ? value : value.toFixed(1)} ${names[at]}`;
}
