import { z } from 'zod';
import { ValidationError } from './errors.ts';
import type { FieldIssue } from './errors.ts';

/** Objects and arrays within each other that an input may have: what parsers, jsonb and recursive checks bear. */
const maxDepth = 64;

/** Issues that are named at once: enough to mend an input, and an answer that no input can blow up. */
export const maxIssues = 100;

/** What is said of a field that a schema does not know and does not let pass. */
export const unknownField = 'is not a known field; remove it or mend its name';

export type Checked<T> = { ok: true; value: T } | { ok: false; issues: FieldIssue[] };

/**
 * The way of every input of every surface into the domain: `textIssues` first, then the schema.
 * @throws ValidationError with up to 100 issues.
 */
export function parseInput<T>(schema: z.ZodType<T>, value: unknown): T {
  const checked = checkInput(schema, value);
  if (!checked.ok) throw new ValidationError(checked.issues);
  return checked.value;
}

/** As `parseInput`, with the issues as a value. The schema is not asked where the text is unsound. */
export function checkInput<T>(schema: z.ZodType<T>, value: unknown): Checked<T> {
  const unsound = textIssues(value);
  if (unsound.length > 0) return { ok: false, issues: unsound };
  const parsed = schema.safeParse(value, { error: describe });
  if (parsed.success) return { ok: true, value: parsed.data };
  return { ok: false, issues: parsed.error.issues.flatMap(fieldIssues).slice(0, maxIssues) };
}

/** Where every reader of JSON keeps integers as they were sent. */
const exactRange = `±${Number.MAX_SAFE_INTEGER}, which readers of JSON round`;

interface Place {
  value: unknown;
  parent: Place | null;
  key: string;
  /** Objects and arrays around it. */
  depth: number;
}

/**
 * What no schema may let through, wherever it is in a JSON value, at most 100 issues: NUL and lone surrogates (jsonb
 * refuses both, PGlite's text turns the latter into U+FFFD silently), keys named `__proto__` (zod's loose objects drop
 * them silently), numbers beyond ±(2^53 - 1), and more than 64 levels. Walks with a stack of its own, because the nesting
 * is the sender's choice.
 *
 * Beyond 2^53 - 1 readers of JSON round integers without a word (RFC 7493, section 2.2), and two ids become one. The
 * doubles there are all integers, so the parsed value tells what was sent: whatever lies beyond, as 9007199254740993,
 * 9007199254740993.0, 1E+30 or 1e400, is read as beyond. Fractions may lose digits, as everywhere. A reviver that sees
 * the source (`context.source`) would find no more, and makes parsing four times as slow.
 *
 * @param path Where the value is; put in front of each issue's path.
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
    // Negated for NaN, which a handler may give.
    return Math.abs(value) <= Number.MAX_SAFE_INTEGER ? [] : [`is a number beyond ${exactRange}; send it as a string`];
  }
  if (typeof value !== 'object' || value === null) return [];
  if (depth >= maxDepth) return [`is nested more than ${maxDepth} levels deep`];
  if (Array.isArray(value)) return [];
  return Object.keys(value).flatMap((key) => {
    const fault = keyFault(key);
    // Quoted with escapes, so that the answer does not carry what it complains about.
    return fault === null ? [] : [`has the key ${quoted(key)}, which ${fault}`];
  });
}

/** The last child first, so that the stack gives them back in order. What is under a refused key is left out. */
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
 * Message of a schema for a person, for the `error` of any zod type: "expected WHAT, got …", or "is required: …".
 * A string of the wrong form is not repeated: it may be a URL with credentials.
 */
export function expecting(what: string): (issue: { code?: string | undefined; input?: unknown }) => string {
  return ({ code, input }) => {
    if (input === undefined) return `is required: expected ${what}`;
    const ofRightType = typeof input === 'string' && code !== 'invalid_type';
    return ofRightType ? `expected ${what}` : `expected ${what}, got ${shown(input)}`;
  };
}

/** An integer, bounds included, with one message for every way of missing it. */
export function integerFrom(min: number, max: number) {
  const error = expecting(`an integer from ${min} to ${max}`);
  return z.int({ error, abort: true }).min(min, { error }).max(max, { error });
}

const urlLength = 2048;
const urlError = expecting(`an absolute http or https URL without credentials, at most ${urlLength} characters`);

/** An absolute http or https URL of at most 2048 characters, without credentials or white space. */
export const httpUrl = z
  .string({ error: urlError })
  .max(urlLength, { error: urlError, abort: true })
  .refine(isHttpUrl, { error: urlError })
  .meta({ format: 'uri' });

function isHttpUrl(text: string): boolean {
  // The parser is lenient: it trims, drops line ends, and takes `https:host` and `https:\\host`.
  if (!/^https?:\/\/[^\s\\]+$/i.test(text)) return false;
  const url = URL.parse(text);
  return url !== null && url.username === '' && url.password === '';
}

/** Stands in for zod's own messages where a schema has none. */
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
      return 'has none of the forms that are accepted here';
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

function measured(bound: number | bigint, input: unknown): string {
  if (typeof input !== 'string' && !Array.isArray(input)) return `${bound}, got ${shown(input)}`;
  const unit = typeof input === 'string' ? 'character' : 'item';
  return `${bound} ${unit}${Number(bound) === 1 ? '' : 's'}, got ${input.length}`;
}

function shown(value: unknown): string {
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return 'a string';
  return Array.isArray(value) ? 'an array' : 'an object';
}

/** A short piece of the sender's own text. */
function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
