import { z } from 'zod';
import { ValidationError } from './errors.ts';
import type { FieldIssue } from './errors.ts';

/** The deepest nesting of an input. Parsers, jsonb and recursive checks all cope with this depth. */
const maxDepth = 64;

/** The most issues in one response, so that no input can cause a huge response. */
export const maxIssues = 100;

/** The message for an unknown field. */
export const unknownField = 'is not a known field; remove it or correct its name';

type Checked<T> = { ok: true; value: T } | { ok: false; issues: FieldIssue[] };

/**
 * Validates an input: `textIssues` first, then the schema. Every input of every surface goes through here.
 *
 * @throws ValidationError with up to 100 issues.
 */
export function parseInput<T>(schema: z.ZodType<T>, value: unknown): T {
  const checked = checkInput(schema, value);
  if (!checked.ok) throw new ValidationError(checked.issues);
  return checked.value;
}

/** Like `parseInput`, but returns the issues. The schema only sees values in which `textIssues` found nothing. */
export function checkInput<T>(schema: z.ZodType<T>, value: unknown): Checked<T> {
  const unsound = textIssues(value);
  if (unsound.length > 0) return { ok: false, issues: unsound };
  const parsed = schema.safeParse(value, { error: describe });
  if (parsed.success) return { ok: true, value: parsed.data };
  return { ok: false, issues: parsed.error.issues.flatMap(fieldIssues).slice(0, maxIssues) };
}

/** The range in which every JSON parser keeps integers exact. */
const exactRange = `±${Number.MAX_SAFE_INTEGER}, which JSON parsers round`;

interface Place {
  value: unknown;
  parent: Place | null;
  key: string;
  /** How many objects and arrays enclose it. */
  depth: number;
}

/**
 * Finds values that no schema may accept, anywhere in a JSON value. Returns at most 100 issues:
 *
 * - NUL and lone surrogates: jsonb refuses both, and PGlite silently turns lone surrogates in text into U+FFFD.
 * - Keys named `__proto__`: zod's loose objects silently drop them.
 * - Numbers beyond ±(2^53 - 1): JSON parsers round integers there (RFC 7493, section 2.2), so that two ids become one.
 *   Every double beyond the bound is an integer, and every number beyond it is parsed to one of them
 *   (9007199254740993.0, 1E+30) or to Infinity (1e400), so checking the parsed value is enough. Fractions may lose
 *   digits. A reviver that reads the source text (`context.source`) would find nothing more and makes parsing four
 *   times slower.
 * - More than 64 levels of nesting.
 *
 * It uses its own stack instead of recursion, because the sender controls the nesting depth.
 *
 * @param path the path of the value. Every issue's path begins with it.
 */
export function textIssues(value: unknown, path: readonly string[] = []): FieldIssue[] {
  const issues: FieldIssue[] = [];
  const waiting: Place[] = [{ value, parent: null, key: '', depth: 0 }];
  for (let place = waiting.pop(); place !== undefined && issues.length < maxIssues; place = waiting.pop()) {
    for (const message of faultsAt(place)) issues.push({ path: [...path, ...keysTo(place)], message });
    if (place.depth < maxDepth) pushChildren(place, waiting);
  }
  return issues.slice(0, maxIssues);
}

function faultsAt({ value, depth }: Place): string[] {
  if (typeof value === 'string') {
    const fault = textFault(value);
    return fault === null ? [] : [`contains ${fault}`];
  }
  if (typeof value === 'number') {
    // Not `>`: NaN would pass that check, and a handler may return NaN.
    return Math.abs(value) <= Number.MAX_SAFE_INTEGER ? [] : [`is a number beyond ${exactRange}; send it as a string`];
  }
  if (typeof value !== 'object' || value === null) return [];
  if (depth >= maxDepth) return [`is nested more than ${maxDepth} levels deep`];
  if (Array.isArray(value)) return [];
  return Object.keys(value).flatMap((key) => {
    const fault = keyFault(key);
    // Escape the key, so that the response does not contain the bad characters.
    return fault === null ? [] : [`has the key ${quoted(key)}, which ${fault}`];
  });
}

/** Pushes the last child first, so that children are popped in order. Skips values under a refused key. */
function pushChildren(parent: Place, waiting: Place[]): void {
  const { value } = parent;
  if (typeof value !== 'object' || value === null) return;
  const depth = parent.depth + 1;
  if (Array.isArray(value)) {
    for (let index = value.length - 1; index >= 0; index--) {
      waiting.push({ value: value[index], parent, key: String(index), depth });
    }
    return;
  }
  for (const [key, child] of Object.entries(value).toReversed()) {
    if (keyFault(key) === null) waiting.push({ value: child, parent, key, depth });
  }
}

function keysTo(place: Place): string[] {
  const keys: string[] = [];
  for (let at = place; at.parent !== null; at = at.parent) keys.push(at.key);
  return keys.toReversed();
}

function keyFault(key: string): string | null {
  if (key === '__proto__') return 'is reserved; rename it';
  const fault = textFault(key);
  return fault === null ? null : `contains ${fault}`;
}

function textFault(text: string): string | null {
  if (text.includes('\0')) return 'a NUL character (U+0000), which cannot be stored; remove it';
  if (!text.isWellFormed()) return 'half of a surrogate pair, which is not Unicode text; send whole characters';
  return null;
}

function fieldIssues(issue: z.core.$ZodIssue): FieldIssue[] {
  const path = issue.path.map(String);
  if (issue.code !== 'unrecognized_keys') return [{ path, message: issue.message }];
  return issue.keys.map((key) => ({ path: [...path, key], message: unknownField }));
}

/**
 * The `error` of a zod type: "expected WHAT, got …" or "is required: expected WHAT". It does not quote a malformed
 * string, because it may be a URL with credentials.
 */
export function expecting(what: string): (issue: { code?: string | undefined; input?: unknown }) => string {
  return ({ code, input }) => {
    if (input === undefined) return `is required: expected ${what}`;
    const ofRightType = typeof input === 'string' && code !== 'invalid_type';
    return ofRightType ? `expected ${what}` : `expected ${what}, got ${shown(input)}`;
  };
}

/** An integer within inclusive bounds, with the same message for every fault. */
export function integerFrom(min: number, max: number) {
  const error = expecting(`an integer from ${min} to ${max}`);
  return z.int({ error, abort: true }).min(min, { error }).max(max, { error });
}

const urlLength = 8_192;
const urlError = expecting(`an absolute http or https URL without user name or white space, at most ${urlLength} characters`);

/** The rule for every URL that a caller gives, on whatever surface. */
export const httpUrl = z
  .string({ error: urlError })
  .max(urlLength, { error: urlError, abort: true })
  .refine(isHttpUrl, { error: urlError })
  .meta({ format: 'uri' });

/** Whether a text is an absolute http or https URL of at most 8,192 characters, without user name, white space or control characters. */
export function isHttpUrl(text: string): boolean {
  // URL.canParse is lenient: it trims, drops line breaks, and accepts `https:host`, `https:///host` and `https:\\host`.
  const [, authority = '@'] = /^https?:\/\/([^/?#]+)[^\s\\\p{Cc}]*$/iu.exec(text) ?? [];
  return text.length <= urlLength && !/[@\s\\\p{Cc}]/u.test(authority) && URL.canParse(text);
}

/** Replaces zod's default messages where a schema has none. */
function describe(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return expecting(nouns[issue.expected] ?? `a value of type ${issue.expected}`)(issue);
    case 'invalid_value':
      return expectingOneOf(issue.values.map(optionText), issue.input);
    case 'too_small':
      return `expected ${issue.inclusive === false ? 'more than' : 'at least'} ${measured(issue.minimum, issue.input)}`;
    case 'too_big':
      return `expected ${issue.inclusive === false ? 'less than' : 'at most'} ${measured(issue.maximum, issue.input)}`;
    case 'not_multiple_of':
      return expecting(`a multiple of ${issue.divisor}`)(issue);
    case 'invalid_format':
      return expecting(formats[issue.format] ?? `text that matches ${issue.pattern ?? issue.format}`)(issue);
    case 'invalid_union':
      return 'matches none of the forms that are accepted here';
    default:
      return undefined;
  }
}

const nouns: Record<string, string> = {
  string: 'a string',
  number: 'a number',
  int: 'an integer',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  array: 'an array',
  date: 'a date',
  null: 'null',
};

const formats: Record<string, string> = {
  url: 'an absolute URL',
  uuid: 'a UUID',
  datetime: 'an instant such as 2026-01-31T12:00:00Z',
  email: 'an e-mail address',
};

function expectingOneOf(options: string[], input: unknown): string {
  const what = options.length === 1 ? options.join() : `one of ${options.join(', ')}`;
  if (input === undefined) return `is required: expected ${what}`;
  return `expected ${what}, got ${typeof input === 'string' ? quoted(input) : shown(input)}`;
}

function optionText(option: unknown): string {
  return typeof option === 'string' ? quoted(option) : String(option);
}

/** The characters of a text, as the bounds of a schema count them: a surrogate pair is one. */
export function lengthOf(text: string): number {
  let pairs = 0;
  for (const { length } of text) pairs += length - 1;
  return text.length - pairs;
}

function measured(bound: number | bigint, input: unknown): string {
  if (typeof input !== 'string' && !Array.isArray(input)) return `${bound}, got ${shown(input)}`;
  const unit = typeof input === 'string' ? 'character' : 'item';
  return `${bound} ${unit}${Number(bound) === 1 ? '' : 's'}, got ${typeof input === 'string' ? lengthOf(input) : input.length}`;
}

function shown(value: unknown): string {
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return 'a string';
  return Array.isArray(value) ? 'an array' : 'an object';
}

/** Quotes the beginning of the sender's text. */
function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
