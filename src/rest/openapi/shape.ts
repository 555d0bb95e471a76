import { type JsonObject, type JsonValue, isJsonObject } from '../../json.ts';

/**
 * The JSON Schema that values have in common: their types, and the keys that were seen, required if all values have them.
 * The values of `code` are listed, because programs read them.
 */
export function shapeOf(values: readonly JsonValue[], name = ''): JsonObject {
  if (name === 'code') return { enum: [...new Set(values)].toSorted(byText) };
  const shapes = [...scalarShapes(values), ...arrayShapes(values), ...objectShapes(values)];
  const [only, ...others] = shapes;
  return only !== undefined && others.length === 0 ? only : { anyOf: shapes };
}

function byText(one: JsonValue, other: JsonValue): number {
  return String(one) < String(other) ? -1 : 1;
}

function scalarShapes(values: readonly JsonValue[]): JsonObject[] {
  const shapes: JsonObject[] = [];
  if (values.some((value) => typeof value === 'string')) shapes.push({ type: 'string' });
  if (values.some((value) => typeof value === 'boolean')) shapes.push({ type: 'boolean' });
  if (values.includes(null)) shapes.push({ type: 'null' });
  const numbers = values.filter((value) => typeof value === 'number');
  if (numbers.length > 0) shapes.push({ type: numbers.every(Number.isInteger) ? 'integer' : 'number' });
  return shapes;
}

function arrayShapes(values: readonly JsonValue[]): JsonObject[] {
  const arrays = values.filter((value) => Array.isArray(value));
  return arrays.length === 0 ? [] : [{ type: 'array', items: shapeOf(arrays.flat()) }];
}

function objectShapes(values: readonly JsonValue[]): JsonObject[] {
  const objects = values.filter(isJsonObject);
  if (objects.length === 0) return [];
  const names = [...new Set(objects.flatMap(Object.keys))];
  const properties = names.map((name) => {
    const given = objects.flatMap((object) => (object[name] === undefined ? [] : [object[name]]));
    return [name, shapeOf(given, name)] as const;
  });
  return [
    {
      type: 'object',
      properties: Object.fromEntries(properties),
      required: names.filter((name) => objects.every((object) => Object.hasOwn(object, name))),
      additionalProperties: false,
    },
  ];
}
