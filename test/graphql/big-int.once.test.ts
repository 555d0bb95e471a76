import { isScalarType, Kind } from 'graphql';
import { expect, test } from 'vitest';
import { schema } from '../../src/graphql/schema.ts';

const scalar = schema.getType('BigInt');
if (!isScalarType(scalar)) throw new Error('there is no scalar BigInt');

test.each([0, -1, 2 ** 31, 2 ** 53 - 1, -(2 ** 53 - 1)])('BigInt takes and gives %d', (value) => {
  expect(scalar.serialize(value)).toBe(value);
  expect(scalar.parseValue(value)).toBe(value);
  expect(scalar.parseLiteral({ kind: Kind.INT, value: String(value) })).toBe(value);
});

test.each([2 ** 53, -(2 ** 53), 1.5, '1', 1n, true, [1]])('BigInt refuses %o', (value) => {
  expect(() => scalar.parseValue(value)).toThrow('BigInt must be a whole number from -(2^53 - 1) to 2^53 - 1.');
  expect(() => scalar.serialize(value)).toThrow('BigInt cannot represent');
});

test('BigInt refuses a literal that a number would round', () => {
  expect(() => scalar.parseLiteral({ kind: Kind.INT, value: '9007199254740993' })).toThrow('BigInt must be');
});
