import { isJsonRecord } from '../app/json-values.ts';

/** A field of a JSON Schema, in words. */
export interface SchemaRow {
  /** `clips[].start`. */
  path: string;
  type: string;
  required: boolean;
  /** `at least 1`, `one of a, b`, `default 10`. */
  limits: string;
  description: string;
}

type Schema = Readonly<Record<string, unknown>>;

/** Deeper than this a table says less than the schema itself. */
const deepest = 6;

/** The fields of an object's schema, each before those inside it. What the table cannot say is in the schema as it is. */
export function schemaRows(schema: Schema): SchemaRow[] {
  return rowsOf(schema, schema, '', 0);
}

function rowsOf(whole: Schema, schema: Schema, at: string, depth: number): SchemaRow[] {
  if (depth > deepest) return [];
  const required = Array.isArray(schema['required']) ? schema['required'] : [];
  return Object.entries(objectOf(schema['properties']) ?? {}).flatMap(([name, value]) => {
    const field = settled(whole, objectOf(value) ?? {});
    const items = settled(whole, objectOf(field['items']) ?? {});
    const path = at === '' ? name : `${at}.${name}`;
    return [
      { path, type: typeText(whole, field), required: required.includes(name), limits: limitsText(field), description: textOf(field['description']) },
      ...rowsOf(whole, field, path, depth + 1),
      ...rowsOf(whole, items, `${path}[]`, depth + 1),
    ];
  });
}

/** Follows $ref inside the schema, and takes `null` out of a choice between it and one other. */
function settled(whole: Schema, schema: Schema): Schema {
  const { $ref: ref } = schema;
  if (typeof ref === 'string' && /^#(\/|$)/.test(ref)) {
    const target = ref.split('/').slice(1).reduce<unknown>((place, part) => objectOf(place)?.[part.replaceAll('~1', '/').replaceAll('~0', '~')], whole);
    return { ...objectOf(target), ...schema, $ref: undefined };
  }
  const others = choicesOf(schema).filter((choice) => choice['type'] !== 'null');
  const [only] = others;
  return others.length === 1 && only !== undefined ? { ...settled(whole, only), description: schema['description'] ?? only['description'], default: schema['default'] ?? only['default'] } : schema;
}

function typeText(whole: Schema, schema: Schema): string {
  if (schema['const'] !== undefined) return JSON.stringify(schema['const']);
  const choices = choicesOf(schema).map((choice) => settled(whole, choice));
  if (choices.length > 0) return [...new Set(choices.map((choice) => typeText(whole, choice)))].join(' or ');
  const items = objectOf(schema['items']);
  if (schema['type'] === 'array' && items !== null) return `list of ${typeText(whole, settled(whole, items))}`;
  if (Array.isArray(schema['type'])) return schema['type'].filter((one) => one !== 'null').join(' or ');
  return textOf(schema['type']) || (Array.isArray(schema['enum']) ? 'text' : 'any');
}

function limitsText(schema: Schema): string {
  const parts = limitNames.flatMap(([name, word]) => (schema[name] === undefined ? [] : [`${word} ${shown(schema[name])}`.trim()]));
  const choices = Array.isArray(schema['enum']) ? [`one of ${schema['enum'].filter((one) => one !== null).map(shown).join(', ')}`] : [];
  return [...choices, ...parts].join('; ');
}

const limitNames = [
  ['minimum', 'at least'],
  ['exclusiveMinimum', 'more than'],
  ['maximum', 'at most'],
  ['exclusiveMaximum', 'less than'],
  ['minLength', 'characters at least'],
  ['maxLength', 'characters at most'],
  ['minItems', 'entries at least'],
  ['maxItems', 'entries at most'],
  ['format', 'format'],
  ['pattern', 'matches'],
  ['default', 'default'],
] as const;

function choicesOf(schema: Schema): Schema[] {
  const choices = schema['anyOf'] ?? schema['oneOf'];
  return Array.isArray(choices) ? choices.filter(isJsonRecord) : [];
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function objectOf(value: unknown): Schema | null {
  return isJsonRecord(value) ? value : null;
}
