import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { JsonObject } from '../../json.ts';

/** The component that stands for any JSON value. */
export const anyJson = 'AnyJson';

const anyJsonRef = `#/components/schemas/${anyJson}`;

/** zod's schema of `z.json()`, as a component. */
export const anyJsonSchema: JsonObject = {
  description: 'Any JSON value.',
  anyOf: [
    { type: 'string' },
    { type: 'number' },
    { type: 'boolean' },
    { type: 'null' },
    { type: 'array', items: { $ref: anyJsonRef } },
    { type: 'object', additionalProperties: { $ref: anyJsonRef } },
  ],
};

/**
 * A route's schema as JSON Schema 2020-12, which is what OpenAPI 3.1 speaks: `input` is what clients send, `output` what
 * they get. Throws an Error for a schema that refers to another than `z.json()`: it would need a component too.
 */
export function jsonSchemaOf(schema: z.ZodType, io: 'input' | 'output'): JsonObject {
  const { $schema: _dialect, $defs = {}, ...printed } = z.toJSONSchema(schema, {
    io,
    override: ({ jsonSchema }) => withoutNoise(jsonSchema),
  });
  let text = JSON.stringify(printed);
  for (const [name, definition] of Object.entries($defs)) {
    const reference = `#/$defs/${name}`;
    const said: unknown = JSON.parse(JSON.stringify(definition).replaceAll(reference, anyJsonRef));
    if (!isDeepStrictEqual(said, { anyOf: anyJsonSchema['anyOf'] })) {
      throw new Error(`The OpenAPI document has no component for ${JSON.stringify(definition)}. Add one.`);
    }
    text = text.replaceAll(reference, anyJsonRef);
  }
  const result: JsonObject = JSON.parse(text);
  return result;
}

/** Drops noise: the bounds of every integer, patterns beside formats, and that keys are strings. */
function withoutNoise(schema: z.core.JSONSchema.BaseSchema): void {
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  if (schema.format === 'uuid' || schema.format === 'date-time') delete schema.pattern;
  if (isDeepStrictEqual(schema.propertyNames, { type: 'string' })) delete schema.propertyNames;
}
