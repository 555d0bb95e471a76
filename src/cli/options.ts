import { InvalidArgumentError, Option } from 'commander';

/*
 * What options are read by.
 */

const units: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of a text such as `90`, `90s`, `5m`, `2h` or `1d`; seconds where no unit is given. */
export function readPeriod(text: string): number {
  const [, amount, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text) ?? [];
  if (amount === undefined) throw new InvalidArgumentError('Give a time such as 90s, 5m, 2h or 1d.');
  return Number(amount) * (units[unit] ?? 1_000);
}

/** The instant of an RFC 3339 text, or of one such as `+10m` or `-1d` from now on. */
export function readInstant(text: string): string {
  const [sign] = text;
  const at = sign === '+' || sign === '-' ? Date.now() + (sign === '-' ? -1 : 1) * readPeriod(text.slice(1)) : Date.parse(text);
  if (Number.isNaN(at)) throw new InvalidArgumentError('Give an instant such as 2030-01-31T08:00:00Z, or +10m from now on.');
  return new Date(at).toISOString();
}

/** A whole number within bounds. */
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

/** An option that may be given several times: none where it is not given. */
export function listOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser(gather).default([], 'none');
}

/** An option that takes a time, and what it is where it is not given, as one would type it. */
export function periodOption(flags: string, description: string, usual: string): Option {
  return new Option(flags, description).argParser(readPeriod).default(readPeriod(usual), usual);
}

/** An option that takes one of these names, in capitals or not. Completion offers them. */
export function choiceOption<Name extends string>(flags: string, description: string, names: readonly Name[]): Option {
  return new Option(flags, description).choices(names).argParser((text: string) => choice(text, names));
}

/** The same, for several of them. */
export function choicesOption<Name extends string>(flags: string, description: string, names: readonly Name[]): Option {
  return new Option(flags, description).choices(names).argParser((text: string, before: Name[] = []) => [...before, choice(text, names)]);
}

function choice<Name extends string>(text: string, names: readonly Name[]): Name {
  const found = names.find((name) => name.toUpperCase() === text.toUpperCase());
  if (found === undefined) throw new InvalidArgumentError(`There are: ${names.join(', ')}.`);
  return found;
}
