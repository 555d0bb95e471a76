import { z } from 'zod';

/*
 * RevidAPI checks bodies with Python's jsonschema, and its clients were written against what that says:
 * `Invalid payload: None is not of type 'string'`.
 */

/** The most characters of a value that a message repeats. */
const shownCharacters = 500;

/** Starts every message that is entirely in the vendor's words. */
export const invalidPayload = 'Invalid payload: ';

interface Fault {
  input?: unknown;
  path?: PropertyKey[] | undefined;
}

/** The `error` of a schema for a field, or for the body itself, of a type as JSON Schema names it. */
function ofType(type: string) {
  return ({ input, path = [] }: Fault): string => {
    if (input === undefined) return `${invalidPayload}${repr(String(path.at(-1)))} is a required property`;
    return `${invalidPayload}${shown(input)} is not of type '${type}'`;
  };
}

export function text() {
  return z.string({ error: ofType('string') });
}

export function textUpTo(characters: number) {
  return text().max(characters, { error: ({ input }) => `${invalidPayload}${shown(input)} is too long` });
}

export function flag() {
  return z.boolean({ error: ofType('boolean') });
}

export function integerFrom(min: number) {
  const error = ofType('integer');
  return z.int({ error, abort: true }).min(min, { error: belowMinimum(min) });
}

export function numberFrom(min: number) {
  return z.number({ error: ofType('number') }).min(min, { error: belowMinimum(min) });
}

export function oneOf<const Options extends readonly [string, ...string[]]>(options: Options) {
  const names = `[${options.map(repr).join(', ')}]`;
  const wrongType = ofType('string');
  return z.enum(options, {
    error: (fault) => {
      const { input } = fault;
      return typeof input === 'string' ? `${invalidPayload}${shown(input)} is not one of ${names}` : wrongType(fault);
    },
  });
}

/** A string that this schema takes; whatever its fault, it is no URI. */
export function uri<Schema extends z.ZodType<string, string>>(schema: Schema) {
  return text()
    .refine((value) => schema.safeParse(value).success, {
      error: ({ input }) => `${invalidPayload}${shown(input)} is not a 'uri'`,
    })
    .meta({ format: 'uri' });
}

/** An object; what it does not name is ignored. */
export function object<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.object(shape, { error: ofType('object') });
}

function belowMinimum(min: number) {
  return ({ input }: Fault) => `${invalidPayload}${shown(input)} is less than the minimum of ${min}`;
}

/** Whether Python takes it for false: such a body is no JSON to the vendor. */
export function isFalsy(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length === 0;
  return !value;
}

function shown(value: unknown): string {
  const whole = repr(value);
  return whole.length > shownCharacters ? `${whole.slice(0, shownCharacters)}…` : whole;
}

/** A JSON value as Python's `repr` writes it. */
function repr(value: unknown): string {
  if (value === null || value === undefined) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'string') return quoted(value);
  if (Array.isArray(value)) return `[${value.map(repr).join(', ')}]`;
  if (typeof value !== 'object') return String(value);
  return `{${Object.entries(value).map(([key, part]) => `${quoted(key)}: ${repr(part)}`).join(', ')}}`;
}

const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function quoted(value: string): string {
  const quote = value.includes("'") && !value.includes('"') ? '"' : "'";
  const inside = value.replace(/[\\\p{Cc}'"]/gu, (character) => {
    if (character === "'" || character === '"') return character === quote ? `\\${character}` : character;
    return escapes[character] ?? `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
  return quote + inside + quote;
}
