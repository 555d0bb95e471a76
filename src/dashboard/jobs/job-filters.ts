/*
 * What the box understands: `status:FAILED type:demo tag:"user 7" after:2d`. The same pairs stand in the address: `?status=FAILED&type=demo`.
 */

export const filterNames = ['status', 'type', 'tag', 'error', 'worker', 'dialect', 'schedule', 'reference', 'after', 'before'] as const;

export type FilterName = (typeof filterNames)[number];

/** One condition. Of several with the same name any may hold, but for tags, which must all. */
export interface Filter {
  name: FilterName;
  value: string;
}

/** What a text says. */
interface ReadText {
  filters: readonly Filter[];
  /** A word that is no condition: an id or a reference to open, where it is all there is. */
  word: string | null;
  /** What cannot be understood, and what to write instead; null where all can. */
  problem: string | null;
}

/** A part of the text, with where it stands. */
interface Token {
  text: string;
  start: number;
  end: number;
}

/** The parts between spaces; spaces within quotes belong to them. */
export function tokensOf(text: string): Token[] {
  return [...text.matchAll(/(?:"(?:\\.|[^"\\])*"?|[^\s"])+/g)].map((match) => ({ text: match[0], start: match.index, end: match.index + match[0].length }));
}

/** The name and the value of a part; null where it has none of the names. */
function pairOf(token: string): Filter | null {
  const colon = token.indexOf(':');
  const name = filterNames.find((one) => one === token.slice(0, colon).toLowerCase());
  return name === undefined ? null : { name, value: unquoted(token.slice(colon + 1)) };
}

export function readText(text: string): ReadText {
  const filters: Filter[] = [];
  const words: string[] = [];
  for (const { text: token } of tokensOf(text)) {
    const pair = pairOf(token);
    if (pair === null) words.push(unquoted(token));
    else filters.push(...valuesOf(pair).map((value) => ({ name: pair.name, value })));
  }
  const [word = null] = words;
  const alone = words.length === 1 && filters.length === 0;
  return { filters: distinct(filters), word: alone ? word : null, problem: alone ? null : (problemOf(words) ?? firstProblem(filters)) };
}

function problemOf([word]: readonly string[]): string | null {
  return word === undefined ? null : `"${word}" is not a filter. Write for example status:FAILED, type:demo or tag:${word}, or an id alone.`;
}

function firstProblem(filters: readonly Filter[]): string | null {
  for (const filter of filters) {
    const problem = problemWith(filter);
    if (problem !== null) return problem;
  }
  return null;
}

export const statusValues = ['PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED'] as const;
export const dialectValues = ['NATIVE', 'VIDOCU', 'VIDEOCONDUIT', 'VYDRA', 'REVID'] as const;

/** What is wrong with a condition, and what to write instead; null where nothing is. */
export function problemWith({ name, value }: Filter): string | null {
  if (value === '') return `Write a value after ${name}:.`;
  if (name === 'status' && !statusValues.some((one) => one === value)) return `There is no status ${value}. There are ${statusValues.join(', ')}.`;
  if (name === 'dialect' && !dialectValues.some((one) => one === value)) return `There is no dialect ${value}. There are ${dialectValues.join(', ')}.`;
  if ((name === 'after' || name === 'before') && instantOf(value, 0, false) === null) {
    return `${name}:${value} is no time. Write 15min, 2h or 3d (ago), 2026-02-03, or 2026-02-03T14:00.`;
  }
  return null;
}

/** Statuses and dialects are named by words without commas, and may stand together: `status:FAILED,CANCELLED`. */
function valuesOf({ name, value }: Filter): string[] {
  return name === 'status' || name === 'dialect' ? value.toUpperCase().split(',') : [value];
}

/** The text that says it, in the order of the conditions. */
export function textOf(filters: readonly Filter[]): string {
  return filters.map(({ name, value }) => `${name}:${quoted(value)}`).join(' ');
}

export function filtersIn(params: URLSearchParams): Filter[] {
  return distinct(filterNames.flatMap((name) => params.getAll(name).flatMap((value) => valuesOf({ name, value }).map((one) => ({ name, value: one })))));
}

/** The parameters of an address. */
export function paramsOf(filters: readonly Filter[]): Record<string, string[]> {
  const params: Record<string, string[]> = {};
  for (const { name, value } of filters) (params[name] ??= []).push(value);
  return params;
}

/** Of one value in the text. */
export function quoted(value: string): string {
  return value !== '' && !/[\s"\\]/.test(value) ? value : `"${value.replace(/["\\]/g, '\\$&')}"`;
}

function unquoted(text: string): string {
  return text.replace(/"((?:\\.|[^"\\])*)"?/g, (_all, inner: string) => inner.replace(/\\(.)/g, '$1'));
}

/** Of the times only the last counts. */
function distinct(filters: readonly Filter[]): Filter[] {
  return filters.filter(({ name, value }, at) =>
    name === 'after' || name === 'before' || name === 'reference'
      ? !filters.slice(at + 1).some((later) => later.name === name)
      : filters.findIndex((other) => other.name === name && other.value === value) === at,
  );
}

const units: Readonly<Record<string, number>> = { s: 1_000, min: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/**
 * The instant that a value names, in milliseconds; null where it names none. `2h` is so long before now; a day or a time without a zone is
 * the chosen zone's.
 */
export function instantOf(value: string, now: number, utc: boolean): number | null {
  const [, count, unit] = /^(\d+)(s|min|h|d|w)$/.exec(value) ?? [];
  const size = units[unit ?? ''];
  if (count !== undefined && size !== undefined) return now - Number(count) * size;
  const [, day, time = 'T00:00', zone = utc ? 'Z' : ''] = /^(\d{4}-\d\d-\d\d)(T\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?(Z|[+-]\d\d:\d\d)?$/.exec(value) ?? [];
  if (day === undefined) return null;
  const at = Date.parse(`${day}${time}${zone}`);
  return Number.isNaN(at) ? null : at;
}
