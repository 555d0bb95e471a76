import { Cron, type CronOptions } from 'croner';
import { LRUCache } from 'lru-cache';
import type { FieldIssue } from '../../errors.ts';

/** When a schedule has its occurrences. */
interface Occurrences {
  /** The first after this instant; null if there is none any more. */
  after(instant: Date): Date | null;
  /** The last up to this instant. */
  upTo(instant: Date): Date | null;
}

/*
 * The contract names what a change of the clock does to an occurrence: at a fixed hour, one that is skipped comes right after
 * the change, and one that is repeated comes once; where the hour is a wildcard or a step, elapsed time counts: nothing is made
 * up for, and nothing left out. A step names hours of the clock, as in every cron, and not hours since the last occurrence:
 * those would be odd ones in place of even ones from the change on. That is croner's rule `no-wildcard`, but for one thing:
 * croner also takes wildcards and steps of minutes and seconds for elapsed time. So where the hour is fixed, those are written
 * as the ranges and lists that they stand for.
 */
const options = { mode: '5-or-6-parts', fixedTimeRule: 'no-wildcard' } satisfies CronOptions;

const known = new LRUCache<string, Cron>({ max: 1_000 });

/** Of a cron expression and a time zone in which `cronIssues` found nothing. */
export function occurrencesOf(cron: string, timeZone: string): Occurrences {
  const name = `${timeZone} ${cron}`;
  const pattern = known.get(name) ?? new Cron(withoutWildcards(cron), { ...options, timezone: timeZone });
  known.set(name, pattern);
  return {
    after: (instant) => pattern.nextRun(instant),
    // What comes before an instant, in whole seconds.
    upTo: (instant) => pattern.previousRuns(1, new Date(Math.floor(instant.getTime() / 1_000) * 1_000 + 1_000))[0] ?? null,
  };
}

/** What is wrong with a cron expression or a time zone. */
export function cronIssues(cron: string, timeZone: string): FieldIssue[] {
  const zone = isTimeZone(timeZone) ? [] : [{ path: ['timeZone'], message: 'is not an IANA time zone, such as Europe/Berlin or UTC' }];
  try {
    const fields = fieldsOf(cron).length;
    // Nicknames such as @daily have one field.
    if (fields < 5) throw new Error('too few fields');
    if (fields > 6) throw new Error('too many fields');
    const never = new Cron(cron, options).nextRun() === null;
    return [...(never ? [{ path: ['cron'], message: 'never comes: there is no such day' }] : []), ...zone];
  } catch (error) {
    const reason = error instanceof Error ? asWritten(error.message.replace(/^\w+: /, '')).slice(0, 200) : String(error);
    const message = `is not a cron expression (${reason}). Use five fields: minute, hour, day of month, month, day of week; or six, with seconds first`;
    return [{ path: ['cron'], message }, ...zone];
  }
}

/** Croner counts days and months from 0, also in what it says of them. */
function asWritten(reason: string): string {
  return reason.replace(/^(Invalid value for (?:day|month): )(-?\d+)$/, (_, what: string, value: string) => `${what}${Number(value) + 1}`);
}

/** Intl also takes offsets, such as +01:00, which are no IANA names. */
function isTimeZone(name: string): boolean {
  if (!/^[a-z]/i.test(name)) return false;
  try {
    return Intl.DateTimeFormat('en', { timeZone: name }) instanceof Intl.DateTimeFormat;
  } catch {
    return false;
  }
}

function fieldsOf(cron: string): string[] {
  return cron.trim().split(/\s+/);
}

const wild = /[*?/]/;

/** The same expression, with minutes and seconds as ranges and lists where the hour is fixed. */
function withoutWildcards(cron: string): string {
  const fields = fieldsOf(cron);
  const hour = fields.length - 4;
  if (wild.test(fields[hour] ?? '')) return cron;
  return fields.map((field, index) => (index < hour ? field.split(',').map(written).join(',') : field)).join(' ');
}

/** Of minutes or seconds: `*` is 0-59, and what has a step is a list. */
function written(part: string): string {
  const [range = '', step] = part.split('/');
  const whole = range === '*' || range === '?' ? '0-59' : range;
  if (step === undefined) return whole;
  const [from = 0, to = 59] = whole.split('-').map(Number);
  return Array.from({ length: Math.floor((to - from) / Number(step)) + 1 }, (_, n) => from + n * Number(step)).join(',');
}
