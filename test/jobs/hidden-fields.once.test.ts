import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/json.ts';
import { issuesOfShown, shownInput, issuesWithoutSecrets } from '../../src/jobs/types/hiding.ts';
import { maskFor, masked, maskedError } from '../../src/jobs/types/masking.ts';
import { readJobType } from '../../src/jobs/types/file.ts';

const secret = { 'x-secret': true };
const all = { '•••': '•••' };
const object = (properties: JsonObject, more: JsonObject = {}): JsonObject => ({ type: 'object', properties, ...more });

const cases: { what: string; schema: JsonObject; input: JsonObject; shown: JsonObject }[] = [
  { what: 'a field', schema: object({ token: secret }), input: { token: 's', other: 'o' }, shown: { token: '•••', other: 'o' } },
  { what: 'a value of whatever kind, but for null', schema: object({ a: secret, b: secret, c: secret, d: secret, e: secret }), input: { a: 1, b: false, c: ['s'], d: '', e: null }, shown: { a: '•••', b: '•••', c: '•••', d: '•••', e: null } },
  { what: 'nothing where nothing is', schema: object({ token: secret }), input: { other: 'o' }, shown: { other: 'o' } },
  { what: 'an object, its names included', schema: object({ login: object({ user: {} }, secret) }), input: { login: { user: 's' } }, shown: { login: '•••' } },
  { what: 'a nested field', schema: object({ login: object({ password: secret }) }), input: { login: { user: 'o', password: 's' } }, shown: { login: { user: 'o', password: '•••' } } },
  { what: 'items', schema: object({ keys: { type: 'array', items: secret } }), input: { keys: ['s', 's'] }, shown: { keys: ['•••', '•••'] } },
  { what: 'the first item', schema: object({ pair: { prefixItems: [secret], items: {} } }), input: { pair: ['s', 'o'] }, shown: { pair: ['•••', 'o'] } },
  { what: 'a field of items, by $ref', schema: object({ to: { type: 'array', items: { $ref: '#/$defs/t' } } }, { $defs: { t: object({ key: secret }) } }), input: { to: [{ key: 's' }, { host: 'o' }] }, shown: { to: [{ key: '•••' }, { host: 'o' }] } },
  { what: 'a field of a schema that refers to itself', schema: object({ child: { $ref: '#' }, key: secret }), input: { child: { child: { key: 's' } } }, shown: { child: { child: { key: '•••' } } } },
  { what: 'fields of other names', schema: object({ open: {} }, { additionalProperties: secret }), input: { open: 'o', any: 's' }, shown: { open: 'o', any: '•••' } },
  { what: 'fields by their names', schema: { type: 'object', patternProperties: { '_key$': secret } }, input: { a_key: 's', b: 'o' }, shown: { a_key: '•••', b: 'o' } },
  { what: 'by allOf', schema: object({}, { allOf: [object({ key: secret })] }), input: { key: 's' }, shown: { key: '•••' } },
  { what: 'by a branch of anyOf that another one makes needless', schema: object({}, { anyOf: [{}, object({ key: secret }, { required: ['no'] })] }), input: { key: 's' }, shown: { key: '•••' } },
  { what: 'by a branch of oneOf', schema: object({ by: { oneOf: [object({ key: secret }, { required: ['key'] }), { type: 'string' }] } }), input: { by: { key: 's' } }, shown: { by: { key: '•••' } } },
  { what: 'by else, where if does not hold', schema: object({}, { if: object({ kind: { const: 'b' } }), else: object({ key: secret }) }), input: { kind: 'a', key: 's' }, shown: { kind: 'a', key: '•••' } },
  { what: 'all of a schema that is marked itself', schema: object({}, secret), input: { a: 's' }, shown: all },
  { what: 'nothing of an empty input', schema: object({}, secret), input: {}, shown: {} },
  { what: 'all of an input that does not match any more', schema: object({ key: secret }, { additionalProperties: false }), input: { formerly: 's' }, shown: all },
  { what: 'names with slashes and tildes', schema: object({ 'a/b~c': secret }), input: { 'a/b~c': 's' }, shown: { 'a/b~c': '•••' } },
];

describe('x-secret hides', () => {
  test.each(cases)('$what', ({ schema, input, shown }) => {
    const faults: unknown[] = [];
    expect(readJobType({ name: 'a', credits: 1, inputSchema: schema }, (issue) => faults.push(issue))).not.toBeNull();
    expect(faults).toEqual([]);
    const before = JSON.stringify(input);
    expect(shownInput({ inputSchema: schema }, input)).toEqual(shown);
    expect(JSON.stringify(input)).toBe(before);
  });

  test('all of the input of a type that is gone, and nothing, at no cost, of a type without marks', () => {
    const input = { a: 'o' };
    expect(shownInput(undefined, input)).toEqual(all);
    expect(shownInput({ inputSchema: object({ a: {}, b: { 'x-secret': false } }) }, input)).toBe(input);
  });
});

test('what was sent back as it is shown is found, and nothing else', () => {
  const type = { inputSchema: object({ key: secret, to: { type: 'array', items: object({ key: secret }) }, open: {} }) };
  const found = issuesOfShown(type, { key: '•••', to: [{ key: 's' }, { key: '•••' }], open: '•••' });
  expect(found.map(({ path }) => path)).toEqual([['key'], ['to', '1', 'key']]);
  expect(issuesOfShown(type, all).map(({ path }) => path)).toEqual([['•••']]);
  expect(issuesOfShown({ inputSchema: object({ key: {} }) }, { key: '•••' })).toEqual([]);
});

test('what is said of a refused input quotes no secret', () => {
  const type = { inputSchema: object({ key: secret, login: object({}, secret) }) };
  const issues = [
    { path: ['key'], message: 'hunter2 is no key' },
    { path: ['login', 'hunter2'], message: 'is not a known field' },
    { path: [], message: 'hunter2 does not go with o' },
    { path: ['open'], message: 'is required' },
  ];
  const told = issuesWithoutSecrets(type, { key: 'hunter2', login: { hunter2: 'hunter2' } }, issues);
  expect(JSON.stringify(told)).not.toContain('hunter2');
  expect(told.map(({ path }) => path)).toEqual([['key'], ['login'], [], ['open']]);
  expect(told.at(-1)).toEqual(issues.at(-1));
});

test('a mask takes secrets out of texts, whole and as a part, also of a URL without its query, and of errors', () => {
  const type = { inputSchema: object({ key: secret, n: secret, url: secret, short: secret }) };
  const mask = maskFor(type, { key: 'a "quoted" secret', n: 123_456, url: 'https://example.com/private?sig=1', short: 'de' });
  if (mask === null) throw new Error('there are secrets');
  const value = { text: 'it is a "quoted" secret.', n: 123_456, list: ['https://example.com/private', 'de'], json: JSON.stringify({ key: 'a "quoted" secret' }) };
  expect(masked(mask, value)).toEqual({ text: 'it is •••.', n: '•••', list: ['•••', 'de'], json: '{"key":"•••"}' });
  const error = Object.assign(new Error('bad 123456', { cause: new Error('of 123456') }), { config: '123456' });
  const told = maskedError(mask, error);
  expect(told).toMatchObject({ message: 'bad •••', cause: { message: 'of •••' } });
  expect(told).not.toHaveProperty('config');
  expect(maskFor(type, { other: 1 })).toBeNull();
});

test('a mark in an outputSchema is refused, and so is one that is no boolean', () => {
  const faults: string[] = [];
  const report = ({ path, message }: { path: readonly string[]; message: string }) => void faults.push(`${path.join('.')}: ${message}`);
  readJobType({ name: 'a', credits: 1, outputSchema: object({ key: secret }) }, report);
  readJobType({ name: 'a', credits: 1, inputSchema: object({ key: { 'x-secret': 'yes' } }) }, report);
  expect(faults).toEqual([expect.stringMatching(/^outputSchema: cannot have x-secret/), expect.stringMatching(/^inputSchema: .*x-secret/)]);
});

test('a mark within contains is refused, also by $ref, as the items behind the first that matches would be shown', () => {
  const faults: string[] = [];
  const report = ({ message }: { message: string }) => void faults.push(message);
  const list = (contains: JsonObject) => object({ list: { contains }, contains: secret }, { $defs: { key: secret } });
  readJobType({ name: 'a', credits: 1, inputSchema: list({ properties: { key: secret } }) }, report);
  readJobType({ name: 'a', credits: 1, inputSchema: list({ $ref: '#/$defs/key' }) }, report);
  expect(faults).toEqual([expect.stringContaining('within contains'), expect.stringContaining('within contains')]);
  expect(readJobType({ name: 'a', credits: 1, inputSchema: list({ const: 1 }) }, report)).not.toBeNull();
  expect(faults).toHaveLength(2);
});
