import { describe, expect, test } from 'vitest';
import { inputFaults, loadTypes, typeNamed, typesFaults } from '../support/job-types.ts';

describe('an input schema of the file', () => {
  test.each<[string, object, RegExp]>([
    ['a misspelt keyword', { requred: ['a'] }, /unknown keyword: "requred"/],
    ['a keyword of another dialect', { $schema: 'http://json-schema.org/draft-07/schema#' }, /draft-07/],
    ['an unknown format', { properties: { a: { format: 'colour' } } }, /unknown format "colour"/],
    ['an unknown type', { properties: { a: { type: 'text' } } }, /type must be/],
    ['an unknown keyword in a part that has no other', { properties: { a: { maxLenght: 3 } } }, /maxLenght/],
    ['a pattern that is none', { properties: { a: { pattern: '(' } } }, /pattern|regular expression/i],
    ['a reference to another document', { $ref: 'https://example.com/schema' }, /can't resolve reference/],
    ['a reference that never ends', { allOf: [{ $ref: '#' }] }, /Maximum call stack/],
    ['a type that is no object', { type: ['string', 'null'] }, /type must be "object"/],
    ['asynchronous validation', { $async: true }, /\$async/],
    ['asynchronous validation deeper down', { $defs: { a: { $async: true } }, $ref: '#/$defs/a' }, /async/],
  ])('with %s is refused', async (_, schema, reason) => {
    const fault = (await typesFaults([{ name: 'render', credits: 1, inputSchema: schema }])).join('\n');
    expect(fault).toMatch(/^entry 1 \("render"\): inputSchema: is not a JSON Schema 2020-12 that can be enforced: .+/);
    expect(fault).toMatch(reason);
  });

  test('may be built from parts and speak of itself', async () => {
    const types = await loadTypes({
      name: 'tree',
      credits: 1,
      inputSchema: {
        $schema: 'https://json-schema.org/draft/2020-12/schema',
        title: 'A tree',
        $defs: {
          node: { properties: { child: { $ref: '#/$defs/node' }, label: { type: 'string', examples: ['x'] } } },
        },
        $ref: '#/$defs/node',
        unevaluatedProperties: false,
      },
    });
    const tree = typeNamed('tree', types);
    expect(inputFaults(tree, { child: { child: { label: 1 } } })).toEqual(['child.child.label: must be of type string']);
    expect(inputFaults(tree, { leaf: 1 })).toEqual(['leaf: is not a known field; remove it or correct its name']);
  });

  test('is enforced, each fault with its path, and nothing is filled in', async () => {
    const types = await loadTypes({
      name: 'render',
      credits: 1,
      inputSchema: {
        type: 'object',
        properties: {
          size: { enum: ['small', 'large'] },
          'a/b~c': { type: ['string', 'null'] },
          scenes: { type: 'array', items: { type: 'object', required: ['start'] }, uniqueItems: true },
          url: { type: 'string', format: 'uri' },
          codec: { const: 'h264', default: 'h264' },
        },
        required: ['size', 'toString'],
        additionalProperties: false,
      },
    });
    const render = typeNamed('render', types);
    expect(inputFaults(render, { 'a/b~c': 1, scenes: [{}], url: 'x', codec: 'av1', more: 1 }).toSorted()).toEqual([
      'a/b~c: must be of type string or null',
      'codec: must be "h264"',
      'more: is not a known field; remove it or correct its name',
      'scenes.0.start: is required',
      'size: is required',
      'toString: is required',
      'url: must match format "uri"',
    ]);
    expect(inputFaults(render, { size: 'tiny', toString: 1 })).toEqual([
      'toString: is not a known field; remove it or correct its name',
      'size: must be one of ["small","large"]',
    ]);
    expect(inputFaults(render, [])).toEqual([': expected an object, got an array']);
    expect(inputFaults(render, { size: '\uD800' })).toEqual([expect.stringContaining('size: contains half of')]);
  });

  test('hands the input on as it came', async () => {
    const inputSchema = { properties: { codec: { default: 'h264' } } };
    const types = await loadTypes({ name: 'render', credits: 1, inputSchema });
    const input = { b: '1', a: 2 };
    expect(typeNamed('render', types).parseInput(input)).toStrictEqual({ ok: true, input: { b: '1', a: 2 } });
  });

  test('finds an item that is there twice, however it is spelt, among very many', async () => {
    const types = await loadTypes({ name: 'render', credits: 1, inputSchema: { properties: { a: { uniqueItems: true } } } });
    const issues = (a: unknown[]) => inputFaults(typeNamed('render', types), { a });
    const twice = ['a: must not have the same item twice'];
    expect(issues([{ x: 1, y: [2] }, { y: [2], x: 1 }])).toEqual(twice);
    expect(issues([1, '1', [1], { 1: 1 }, null, 'null', true, 'true', [], {}])).toEqual([]);
    const many = Array.from({ length: 28_000 }, (_, index) => ({ index }));
    expect(issues(many)).toEqual([]);
    expect(issues([...many, { index: 0 }])).toEqual(twice);
  });

  test.each([
    { pattern: '^(a+)+$', text: 'a'.repeat(50_000) + '!' },
    { pattern: '^(a|a)*$', text: 'a'.repeat(50_000) + '!' },
    { pattern: '(x+x+)+y', text: 'x'.repeat(50_000) },
    { pattern: '^([a-z]+\\d?)*@', text: 'z'.repeat(50_000) },
    { pattern: String.raw`^\s+$|\s+x$`, text: ' '.repeat(50_000) + '!' },
  ])('runs the pattern $pattern in linear time', async ({ pattern, text }) => {
    const inputSchema = { properties: { a: { pattern }, b: { patternProperties: { [pattern]: false } } } };
    const types = await loadTypes({ name: 'render', credits: 1, inputSchema });
    const before = performance.now();
    expect(inputFaults(typeNamed('render', types), { a: text, b: { [text]: '' } })).toEqual([expect.stringMatching(/^a: must match pattern/)]);
    // With backtracking the quickest of them takes minutes.
    expect(performance.now() - before).toBeLessThan(10_000);
  });

  test('tells patterns apart, and takes them as JavaScript writes them', async () => {
    const properties = {
      hex: { pattern: String.raw`^[\da-f]{2,8}$` },
      name: { pattern: String.raw`^\p{Lu}\w* \u00e9(?<rest>.*)$` },
      path: { pattern: String.raw`^\/(?:[^\/]+\/)*$` },
      end: { pattern: 'end$' },
    };
    const types = await loadTypes({ name: 'render', credits: 1, inputSchema: { properties } });
    const render = typeNamed('render', types);
    expect(inputFaults(render, { hex: '0af9', name: 'Émile étude'.replace('É', 'E'), path: '/a/b/', end: 'the end' })).toEqual([]);
    expect(inputFaults(render, { hex: 'x0af9', name: 'émile é', path: 'a/', end: 'end\n' })).toHaveLength(4);
  });

  test.each(['(?=a)b', '(?<!a)b', String.raw`(a)\1`, 'a{1,5000}'])('with the pattern %s stops the start, and says why', async (pattern) => {
    const inputSchema = { properties: { a: { pattern } } };
    await expect(loadTypes({ name: 'render', credits: 1, inputSchema })).rejects.toThrow(/entry 1 \("render"\): inputSchema: .*cannot run in linear time/);
  });

  test('names at most 100 faults', async () => {
    const inputSchema = { properties: { a: { items: { type: 'string' } } } };
    const types = await loadTypes({ name: 'render', credits: 1, inputSchema });
    expect(inputFaults(typeNamed('render', types), { a: Array.from({ length: 1000 }, () => 1) })).toHaveLength(100);
  });
});
