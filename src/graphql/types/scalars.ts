import { GraphQLError, Kind, type ValueNode, valueFromASTUntyped } from 'graphql';
import { isHttpUrl } from '../../input.ts';
import type { JsonObject, JsonValue } from '../../json.ts';
import { builder } from '../builder.ts';
import { instantText } from '../instant-text.ts';

/** RFC 3339, section 5.6. The offset is required: without one, the text does not name an instant. */
const rfc3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

builder.scalarType('DateTime', {
  description: 'An RFC 3339 instant. Input may have any offset; output is in UTC, with milliseconds and Z.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc3339#section-5.6',
  serialize: (value) => (value instanceof Date ? instantText(value) : bug('DateTime', value)),
  parseValue: (value) => {
    const instant = typeof value === 'string' && rfc3339.test(value) ? new Date(value) : null;
    if (instant === null || Number.isNaN(instant.getTime())) {
      throw unreadable('DateTime', 'an RFC 3339 instant, for example 2026-01-31T12:00:00Z');
    }
    // Date accepts February 30 and turns it into March 2.
    const day = Number(String(value).slice(8, 10));
    const sent = new Date(`${String(value).slice(0, 10)}T00:00:00Z`);
    if (sent.getUTCDate() !== day) throw unreadable('DateTime', 'a day that exists in its month');
    return instant;
  },
});

builder.scalarType('JSON', {
  description: 'Any JSON value.',
  serialize: (value) => value,
  parseValue: json,
  parseLiteral: (node, variables) => json(literal(node, variables)),
});

builder.scalarType('JSONObject', {
  description: 'Any JSON object.',
  serialize: (value) => value,
  parseValue: jsonObject,
  parseLiteral: (node, variables) => jsonObject(literal(node, variables)),
});

builder.scalarType('URL', {
  description: 'An absolute http or https URL.',
  serialize: (value) => (typeof value === 'string' ? value : bug('URL', value)),
  parseValue: (value) => {
    if (typeof value === 'string' && isHttpUrl(value)) return value;
    throw unreadable('URL', 'an absolute http or https URL without user name or white space, at most 8,192 characters');
  },
});

builder.scalarType('BigInt', {
  description: 'A whole number from -(2^53 - 1) to 2^53 - 1, as a JSON number.',
  serialize: (value) => (isExact(value) ? value : bug('BigInt', value)),
  parseValue: (value) => {
    if (isExact(value)) return value;
    throw unreadable('BigInt', 'a whole number from -(2^53 - 1) to 2^53 - 1');
  },
});

function isExact(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function json(value: unknown): JsonValue {
  if (isJson(value)) return value;
  throw unreadable('JSON', 'a JSON value');
}

function jsonObject(value: unknown): JsonObject {
  if (isJson(value) && typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw unreadable('JSONObject', 'a JSON object');
}

/** Variables were parsed from JSON. In a literal, only a missing variable is not JSON. */
function isJson(value: unknown): value is JsonValue {
  return value !== undefined && typeof value !== 'function' && typeof value !== 'symbol' && typeof value !== 'bigint';
}

function literal(node: ValueNode, variables: Record<string, unknown> | null | undefined): unknown {
  // graphql-js makes objects without a prototype; other code expects plain ones.
  return node.kind === Kind.NULL ? null : structuredClone(valueFromASTUntyped(node, variables));
}

function unreadable(scalar: string, expected: string): GraphQLError {
  return new GraphQLError(`${scalar} must be ${expected}.`, { extensions: { code: 'BAD_USER_INPUT' } });
}

function bug(scalar: string, value: unknown): never {
  throw new TypeError(`${scalar} cannot represent a ${typeof value}`);
}
