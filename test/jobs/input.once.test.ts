import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ValidationError } from '../../src/errors.ts';
import { checkInput, httpUrl, integerFrom, parseInput, textIssues } from '../../src/input.ts';
import { parseJson } from '../../src/json.ts';
import { keepable } from '../support/keepable.ts';

/** Messages by path, as `path: message`. */
function issuesOf(schema: z.ZodType, value: unknown): string[] {
  const checked = checkInput(schema, value);
  return checked.ok ? [] : checked.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

function nested(levels: number): unknown {
  return JSON.parse('[{"a":'.repeat(levels / 2) + '1' + '}]'.repeat(levels / 2));
}

/** JSON text whose strings and keys are sound, none of whose keys is reserved, and whose numbers are in bounds. */
const soundJson = fc
  .jsonValue({ maxDepth: 8, stringUnit: 'grapheme' })
  .map((value): unknown => JSON.parse(JSON.stringify(value), keepable))
  .filter((value) => !JSON.stringify(value).includes('\\u0000') && !JSON.stringify(value).includes('"__proto__"'));

/** A way into a value, with neighbours on it: a field of an object or an index of an array. */
const steps = fc.array(
  fc.oneof(
    fc.string({ minLength: 1 }).filter((key) => key !== '__proto__').map((key) => ({ key, index: null })),
    fc.nat({ max: 3 }).map((index) => ({ key: String(index), index })),
  ),
  { maxLength: 20 },
);
const unsound = fc
  .tuple(fc.string(), fc.constantFrom('\0', '\uD800', '\uDFFF'), fc.string())
  .map((parts) => parts.join(''));

function wrap(value: unknown, way: { key: string; index: number | null }[], neighbour: unknown): unknown {
  return way.toReversed().reduce<unknown>(
    (inner, { key, index }) =>
      index === null
        ? { before: neighbour, [key]: inner }
        : [...Array.from({ length: index }, () => neighbour), inner, neighbour],
    value,
  );
}

describe('the deep check', () => {
  test('passes every JSON value whose text is sound', () => {
    fc.assert(
      fc.property(soundJson, (value) => {
        expect(textIssues(value)).toEqual([]);
      }),
    );
  });

  test('finds one unsound string anywhere and says where', () => {
    fc.assert(
      fc.property(unsound, steps, soundJson, (text, way, neighbour) => {
        const path = way.map(({ key }) => key);
        expect(textIssues(wrap(text, way, neighbour), ['input'])).toEqual([
          { path: ['input', ...path], message: expect.stringMatching(/^contains (a NUL|half of a surrogate)/) },
        ]);
      }),
    );
  });

  test('finds one unsound key anywhere and repeats it only in escaped form', () => {
    fc.assert(
      fc.property(unsound, steps, soundJson, (key, way, neighbour) => {
        const [issue, ...more] = textIssues(wrap({ [key]: 1 }, way, neighbour));
        expect(more).toEqual([]);
        expect(issue?.path).toEqual(way.map((step) => step.key));
        expect(issue?.message).toMatch(/^has the key ".*", which contains/s);
        expect(textIssues(issue?.message)).toEqual([]);
      }),
    );
  });

  test('refuses a key named __proto__, which zod would drop silently', () => {
    const value: unknown = JSON.parse('{"a":[{"__proto__":{"admin":true}}]}');
    const message = 'has the key "__proto__", which is reserved; rename it';
    expect(textIssues(value)).toEqual([{ path: ['a', '0'], message }]);
    expect(z.looseObject({}).parse(JSON.parse('{"__proto__":1}'))).toEqual({});
  });

  test('refuses exactly the numbers that lie beyond 2^53 - 1, however they are spelt', () => {
    const bound = 2n ** 53n - 1n;
    const near = fc.bigInt({ min: -20n, max: 20n }).chain((offset) => fc.constantFrom(bound + offset, -bound + offset));
    fc.assert(
      fc.property(fc.oneof(near, fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n })), fc.nat({ max: 60 }), (number, shift) => {
        const beyond = number > bound || number < -bound;
        // As it is; with a fraction of zeros; with a shifted point; with a shifted end.
        const zeros = number === 0n ? '' : '0'.repeat(shift);
        const spellings = [`${number}`, `${number}.${'0'.repeat(shift)}0`, `${number}${zeros}e-${shift}`, `${number}.0E+0`];
        for (const text of spellings) {
          const issues = textIssues(parseJson(`{"a":[1,${text}]}`));
          const message = 'is a number beyond ±9007199254740991, which JSON parsers round; send it as a string';
          expect(issues, text).toEqual(beyond ? [{ path: ['a', '1'], message }] : []);
        }
      }),
    );
  });

  test('refuses what is no number of JSON at all', () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      expect(textIssues({ a: value })).toMatchObject([{ path: ['a'] }]);
    }
  });

  test('passes a fraction that a double rounds, and -0', () => {
    fc.assert(
      fc.property(fc.integer(), fc.stringMatching(/^[0-9]{1,40}$/), (whole, digits) => {
        expect(textIssues(parseJson(`${whole}.${digits}`))).toEqual([]);
      }),
    );
    expect(textIssues(parseJson('[-0, 1e-400, 4503599627370497.5]'))).toEqual([]);
  });

  test('passes 64 levels and refuses the 65th', () => {
    expect(textIssues(nested(64))).toEqual([]);
    const path = Array.from({ length: 32 }, () => ['0', 'a']).flat();
    expect(textIssues(nested(66))).toEqual([{ path, message: 'is nested more than 64 levels deep' }]);
  });

  test('reports in the order of the document', () => {
    const paths = textIssues({ b: ['\0', { c: '\0' }], a: '\0' }).map(({ path }) => path.join('.'));
    expect(paths).toEqual(['b.0', 'b.1.c', 'a']);
  });

  test('bears nesting that would overflow the stack, before any schema sees it', () => {
    expect(issuesOf(z.json(), nested(200_000))).toHaveLength(1);
  });

  test('bears many items, and names at most 100 issues in their order', () => {
    const issues = textIssues(Array.from({ length: 300_000 }, () => '\0'));
    expect(issues.map(({ path }) => path)).toEqual(Array.from({ length: 100 }, (_, index) => [String(index)]));
  });
});

describe('an input', () => {
  test('that fits is handed on as the schema makes it', () => {
    expect(parseInput(z.strictObject({ first: z.int().default(20) }), {})).toEqual({ first: 20 });
  });

  test('that does not fit is refused with every issue', () => {
    const schema = z.strictObject({ first: integerFrom(1, 100), tags: z.array(z.string()) });
    expect(() => parseInput(schema, { first: 0, tags: ['a', 1] })).toThrow(
      new ValidationError([
        { path: ['first'], message: 'expected an integer from 1 to 100, got 0' },
        { path: ['tags', '1'], message: 'expected a string, got 1' },
      ]),
    );
  });

  test('with a thousand faults is answered with a hundred', () => {
    expect(issuesOf(z.array(z.string()), Array.from({ length: 1000 }, () => 1))).toHaveLength(100);
  });
});

describe('the message for', () => {
  const schemas = {
    missing: z.object({ a: z.string() }),
    integer: z.object({ a: integerFrom(1, 100) }),
    'zod integer': z.object({ a: z.int() }),
    length: z.object({ a: z.string().min(2).max(3) }),
    items: z.object({ a: z.array(z.int()).max(1) }),
    option: z.object({ a: z.enum(['ON', 'OFF']) }),
    literal: z.object({ a: z.literal(1) }),
    format: z.object({ a: z.uuid() }),
    regex: z.object({ a: z.string().regex(/^x$/) }),
    step: z.object({ a: z.number().multipleOf(2) }),
    union: z.object({ a: z.union([z.string(), z.number()]) }),
    strict: z.strictObject({ a: z.int() }),
    own: z.object({ a: z.string({ error: 'has its own message' }) }),
  };

  test.each<[keyof typeof schemas, unknown, string[]]>([
    ['missing', {}, ['a: is required: expected a string']],
    ['missing', { a: null }, ['a: expected a string, got null']],
    ['missing', [], [': expected an object, got an array']],
    ['integer', {}, ['a: is required: expected an integer from 1 to 100']],
    ['integer', { a: 1.5 }, ['a: expected an integer from 1 to 100, got 1.5']],
    ['integer', { a: 1e15 }, ['a: expected an integer from 1 to 100, got 1000000000000000']],
    ['integer', { a: '5' }, ['a: expected an integer from 1 to 100, got a string']],
    ['zod integer', { a: 1.5 }, ['a: expected an integer, got 1.5']],
    ['length', { a: 'x' }, ['a: expected at least 2 characters, got 1']],
    ['length', { a: 'xxxx' }, ['a: expected at most 3 characters, got 4']],
    ['length', { a: '😀'.repeat(4) }, ['a: expected at most 3 characters, got 4']],
    ['items', { a: [1, 2] }, ['a: expected at most 1 item, got 2']],
    ['option', { a: 'on' }, ['a: expected one of "ON", "OFF", got "on"']],
    ['option', {}, ['a: is required: expected one of "ON", "OFF"']],
    ['literal', { a: 2 }, ['a: expected 1, got 2']],
    ['format', { a: 'x' }, ['a: expected a UUID']],
    ['regex', { a: 'y' }, ['a: expected text that matches /^x$/']],
    ['step', { a: 3 }, ['a: expected a multiple of 2, got 3']],
    ['union', { a: true }, ['a: matches none of the forms that are accepted here']],
    ['strict', { a: 1, b: 1, c: 1 }, ['b', 'c'].map((key) => `${key}: is not a known field; remove it or correct its name`)],
    ['own', { a: 1 }, ['a: has its own message']],
  ])('%s in %j helps a person', (name, value, issues) => {
    expect(issuesOf(schemas[name], value)).toEqual(issues);
  });
});

describe('a URL', () => {
  test.each(['http://a', 'HTTPS://example.com:8443/x?y=z#f', 'https://[2001:db8::1]/', 'https://bücher.example/ü'])(
    '%s is taken',
    (url) => expect(issuesOf(httpUrl, url)).toEqual([]),
  );

  test.each([
    'example.com',
    '/path',
    '//example.com',
    'ftp://example.com',
    'https:example.com',
    'https:\\\\example.com',
    ' https://example.com',
    'https://exa\nmple.com',
    'https://example.com/a b',
    'https://me:hunter2@example.com',
    'https://me@example.com',
    'https://@example.com',
    'https://:@example.com/',
    'https://example.com/\u0001',
    'https://example.com/\u007f',
    'https://example.com/\u0085',
    'https://example.com/a\u00a0b',
    'https://example.com/\t',
    'https://example.com/?\r\nhost:x',
    'https://',
    'https:///',
    'https:///example.com',
    'http:////example.com/a',
    'https://?example.com',
    'http://[::1',
  ])('%j is refused without being repeated', (url) => {
    expect(issuesOf(httpUrl, url)).toEqual([
      ': expected an absolute http or https URL without user name or white space, at most 8192 characters',
    ]);
  });

  test('may have 8192 characters and no more', () => {
    const start = 'https://example.com/';
    expect(issuesOf(httpUrl, start.padEnd(8192, 'x'))).toEqual([]);
    expect(issuesOf(httpUrl, start.padEnd(8193, 'x'))).toHaveLength(1);
  });
});
