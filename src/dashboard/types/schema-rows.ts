import { isJsonRecord } from '../app/json-values.ts';
import { type Schema, SchemaPlace } from '../app/schemas.ts';

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

/** The fields of an object's schema, each before those inside it. What the table cannot say is in the schema as it is. */
export function schemaRows(schema: Schema): SchemaRow[] {
  return rowsOf(SchemaPlace.root(schema), '');
}

function rowsOf(place: SchemaPlace, at: string): SchemaRow[] {
  const { properties, required } = place.schema;
  if (place.isClosed || !isJsonRecord(properties)) return [];
  return Object.entries(properties).flatMap(([name, value]) => {
    const given = place.inside(value);
    const field = given.withoutNull();
    const path = at === '' ? name : `${at}.${name}`;
    const { description = field.schema['description'], default: otherwise = field.schema['default'] } = given.schema;
    return [
      {
        path,
        type: typeText(field),
        required: Array.isArray(required) && required.includes(name),
        limits: limitsText({ ...field.schema, default: otherwise }),
        description: textOf(description),
      },
      ...rowsOf(field, path),
      ...rowsOf(field.inside(field.schema['items']).withoutNull(), `${path}[]`),
    ];
  });
}

function typeText(place: SchemaPlace): string {
  const { const: fixed, type, items, enum: listed } = place.schema;
  if (fixed !== undefined) return JSON.stringify(fixed);
  const choices = place.choices();
  if (choices.length > 0) return [...new Set(choices.flatMap((choice) => typeText(choice.withoutNull()).split(' or ')))].join(' or ');
  if (type === 'array' && isJsonRecord(items) && !place.isClosed) return `list of ${typeText(place.inside(items).withoutNull())}`;
  if (Array.isArray(type)) return type.filter((one) => one !== 'null').join(' or ');
  return textOf(type) || (Array.isArray(listed) ? 'text' : 'any');
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

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
