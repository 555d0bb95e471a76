import { isJsonRecord } from '../app/json-values.ts';
import { type Schema, SchemaPlace } from '../app/schemas.ts';

/*
 * What a form can show of a JSON Schema. What it cannot (several kinds at one place, patterns of names, schemas without a type) is edited as
 * JSON. The server alone says whether an input is valid: the form only leads to one.
 */

export type Control = {
  title: string | null;
  description: string | null;
  /** In words, as far as the schema says it: `16 to 4096`, `at most 20 characters`. */
  bounds: string | null;
  /** What is taken where it is not given, as JSON; null where nothing is said. */
  otherwise: string | null;
  /** Hidden once it was sent (`x-secret`). */
  secret: boolean;
} & (
  | { kind: 'text'; /** Takes a file (`x-source`). */ source: boolean; long: boolean }
  | { kind: 'number'; integer: boolean }
  | { kind: 'boolean' }
  /** One of these values, as JSON. */
  | { kind: 'choice'; values: readonly string[] }
  | { kind: 'list'; item: Control }
  | { kind: 'fields'; fields: readonly ControlField[]; /** Whether it may have others. */ open: boolean }
  | { kind: 'json' }
);

export interface ControlField {
  name: string;
  required: boolean;
  control: Control;
}

/** How a value of the schema is edited. */
export function controlOf(schema: unknown): Control {
  return read(SchemaPlace.root(schema));
}

function read(place: SchemaPlace): Control {
  const { schema } = place;
  // A null is written by leaving the field out, or as JSON.
  const of = typeOf(schema) === null ? place.withoutNull() : place;
  const { schema: inner } = of;
  const about = {
    title: textIn(inner, 'title') ?? textIn(schema, 'title'),
    description: textIn(inner, 'description') ?? textIn(schema, 'description'),
    bounds: boundsOf(inner),
    otherwise: jsonIn(inner, 'default') ?? jsonIn(schema, 'default'),
    secret: isSecret(place),
  };
  const { enum: listed, const: fixed, items } = inner;
  if (Array.isArray(listed) && listed.length <= 200) return { ...about, kind: 'choice', values: listed.filter((value) => value !== null).map((value) => JSON.stringify(value)) };
  if (fixed !== undefined && fixed !== null) return { ...about, kind: 'choice', values: [JSON.stringify(fixed)] };
  // A branch that only states what is required changes nothing about the fields.
  const branches = ['anyOf', 'oneOf', 'allOf'].some((word) => Array.isArray(inner[word]));
  switch (typeOf(inner)) {
    case 'string':
      return { ...about, kind: 'text', source: inner['x-source'] === true, long: Number(inner['maxLength'] ?? 0) > 500 || inner['contentMediaType'] !== undefined };
    case 'integer':
      return { ...about, kind: 'number', integer: true };
    case 'number':
      return { ...about, kind: 'number', integer: false };
    case 'boolean':
      return { ...about, kind: 'boolean' };
    case 'array':
      return of.isClosed || !isJsonRecord(items) ? { ...about, kind: 'json' } : { ...about, kind: 'list', item: read(of.inside(items)) };
    case 'object':
      return of.isClosed || (branches && !isJsonRecord(inner['properties'])) ? { ...about, kind: 'json' } : { ...about, kind: 'fields', ...fieldsOf(of) };
    default:
      return { ...about, kind: 'json' };
  }
}

/** Also where it is only one of what may stand there. */
function isSecret(place: SchemaPlace): boolean {
  return [place, ...place.choices()].some(({ schema }) => schema['x-secret'] === true);
}

function fieldsOf(place: SchemaPlace): { fields: readonly ControlField[]; open: boolean } {
  const { properties, required, additionalProperties, patternProperties } = place.schema;
  const names: unknown[] = Array.isArray(required) ? required : [];
  const fields = isJsonRecord(properties) ? Object.entries(properties).map(([name, inner]) => ({ name, required: names.includes(name), control: read(place.inside(inner)) })) : [];
  return { fields, open: additionalProperties !== false || isJsonRecord(patternProperties) };
}

/** The one type that is not null. */
function typeOf({ type, properties }: Schema): string | null {
  const types = (Array.isArray(type) ? type : [type]).filter((one) => typeof one === 'string' && one !== 'null');
  const [only] = types;
  if (types.length === 1 && typeof only === 'string') return only;
  return types.length === 0 && isJsonRecord(properties) ? 'object' : null;
}

function boundsOf(schema: Schema): string | null {
  const { minimum, maximum, minLength, maxLength, minItems, maxItems, pattern, format } = schema;
  const said = [
    range(minimum, maximum, ''),
    range(Number(minLength) > 1 ? minLength : undefined, maxLength, ' characters'),
    range(minItems, maxItems, ' entries'),
    typeof pattern === 'string' && pattern.length <= 60 ? `as ${pattern}` : null,
    format === 'date-time' ? 'for example 2026-02-03T14:05:06Z' : null,
  ].filter((one) => one !== null);
  return said.length === 0 ? null : said.join(', ');
}

function range(least: unknown, most: unknown, unit: string): string | null {
  const low = typeof least === 'number' && Number.isSafeInteger(Math.trunc(least)) && least > Number.MIN_SAFE_INTEGER ? least : null;
  const high = typeof most === 'number' && most < Number.MAX_SAFE_INTEGER ? most : null;
  if (low !== null && high !== null) return `from ${low} to ${high}${unit}`;
  if (high !== null) return `at most ${high}${unit}`;
  return low === null ? null : `at least ${low}${unit}`;
}

function textIn(schema: Schema, name: string): string | null {
  const { [name]: value } = schema;
  return typeof value === 'string' && value !== '' ? value : null;
}

function jsonIn(schema: Schema, name: string): string | null {
  return schema[name] === undefined ? null : JSON.stringify(schema[name]);
}
