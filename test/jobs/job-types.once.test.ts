import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JobType } from '../../src/jobs/types/job-type.ts';
import { JobTypes, loadJobTypes, unknownTypeMessage } from '../../src/jobs/types/registry.ts';
import { keepable } from '../support/keepable.ts';

let shipped: JobTypes;
let folder: string;

beforeAll(async () => {
  shipped = await loadJobTypes(null);
  folder = await mkdtemp(join(tmpdir(), 'longhaul-job-types-'));
});

afterAll(() => rm(folder, { recursive: true }));

function typeNamed(name: string, types = shipped): JobType {
  const type = types.get(name);
  if (type === undefined) throw new Error(unknownTypeMessage(name, types));
  return type;
}

/** Issues by path, as `path: message`. */
function issuesOf(type: JobType, input: unknown): string[] {
  const parsed = type.parseInput(input);
  return parsed.ok ? [] : parsed.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

async function fileOf(content: unknown): Promise<string> {
  const path = join(folder, `${crypto.randomUUID()}.json`);
  await writeFile(path, typeof content === 'string' || content instanceof Buffer ? content : JSON.stringify(content));
  return path;
}

async function load(...entries: unknown[]): Promise<JobTypes> {
  return loadJobTypes(await fileOf(entries));
}

/** The faults of a file, without its path; fails where there are none. */
async function faultsOf(content: unknown): Promise<string[]> {
  const path = await fileOf(content);
  const message = await loadJobTypes(path).then(
    () => 'nothing',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  return message.split('\n').map((line) => {
    expect(line).toContain(`${path}: `);
    return line.replace(`${path}: `, '');
  });
}

/** The fault of an input schema alone. */
async function schemaFaultOf(inputSchema: unknown): Promise<string> {
  return (await faultsOf([{ name: 'render', credits: 1, inputSchema }])).join('\n');
}

const source = 'https://example.com/video.mp4';
const urlIssue =
  'sourceUrl: expected an absolute http or https URL without user name or white space, at most 8192 characters';

describe('the shipped types', () => {
  test('are those of the four dialects, at their prices', () => {
    expect(Object.fromEntries(shipped.all().map(({ name, credits }) => [name, credits]))).toEqual({
      analysis: 1,
      export: 1,
      translation: 1,
      voiceover: 1,
      tool: 1,
      download: 1,
      transcribe: 3,
      translate: 4,
      preview: 1,
      fingerprint: 1,
      comments: 1,
      'media/transcribe': 1,
      'house-timelapse': 150,
      'renovation-timelapse': 50,
    });
    expect(shipped.names()).toEqual(shipped.all().map(({ name }) => name));
  });

  test('keep to the bounds and have a description', () => {
    for (const type of shipped.all()) {
      expect(type.description).toMatch(/^[A-Z].+\.$/);
      expect(type.maxAttempts).toBeGreaterThanOrEqual(1);
      expect(type.leaseSeconds).toBeLessThanOrEqual(type.timeoutSeconds);
    }
  });

  test.each<[string, object]>([
    ['analysis', {}],
    ['export', {}],
    ['translation', {}],
    ['voiceover', {}],
    ['tool', {}],
    ['download', { sourceUrl: source }],
    ['transcribe', { sourceUrl: source }],
    ['translate', { sourceUrl: source }],
    ['preview', { sourceUrl: source }],
    ['fingerprint', { sourceUrl: source }],
    ['comments', { sourceUrl: source }],
    ['media/transcribe', { media_url: source }],
    ['media/transcribe', { sourceUrl: source }],
    ['house-timelapse', {}],
    ['renovation-timelapse', {}],
  ])('%s is created with %j and nothing less, and its JSON Schema agrees', (name, least) => {
    const type = typeNamed(name);
    const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false });
    const validate = formats.default(ajv).compile(type.inputSchema);

    expect(issuesOf(type, least)).toEqual([]);
    expect(validate(least)).toBe(true);
    for (const key of Object.keys(least)) {
      const less = Object.fromEntries(Object.entries(least).filter(([other]) => other !== key));
      expect(issuesOf(type, less)).toEqual([expect.stringMatching(/is required/)]);
      expect(validate(less)).toBe(false);
    }
  });

  test('keep whatever fields old clients send besides, as they sent them', () => {
    const extras = fc
      .dictionary(fc.stringMatching(/^[a-z]{1,9}_x$/), fc.jsonValue({ maxDepth: 8 }))
      .map((extra): object => JSON.parse(JSON.stringify(extra), keepable))
      .filter((extra) => !JSON.stringify(extra).includes('"__proto__"'));
    fc.assert(
      fc.property(extras, (extra) => {
        const input = { ...extra, sourceUrl: source };
        const json = JSON.stringify(input);
        const parsed = typeNamed('download').parseInput(JSON.parse(json));
        expect(parsed.ok && JSON.stringify(parsed.input)).toBe(json);
      }),
    );
  });

  test('take null for what is optional', () => {
    expect(issuesOf(typeNamed('transcribe'), { sourceUrl: source, language: null })).toEqual([]);
    expect(issuesOf(typeNamed('media/transcribe'), { media_url: null, sourceUrl: source })).toEqual([]);
  });

  test.each<[string, unknown, string]>([
    ['download', { sourceUrl: 'ftp://example.com' }, urlIssue],
    ['download', { sourceUrl: 'https://me:hunter2@example.com' }, urlIssue],
    ['download', [], ': expected an object, got an array'],
    ['download', null, ': expected an object, got null'],
    ['download', undefined, ': is required: expected an object'],
    ['tool', { sourceUrl: null, tool: 1 }, 'tool: expected a string, got 1'],
    [
      'translate',
      { sourceUrl: source, targetLanguage: 'pt_BR' },
      'targetLanguage: expected a language tag such as en or pt-BR',
    ],
    ['media/transcribe', {}, 'media_url: is required, here or as sourceUrl: expected the URL of the media'],
    ['house-timelapse', { theme: '' }, 'theme: expected at least 1 character, got 0'],
    ['tool', { a: [{ b: 'x\0' }] }, 'a.0.b: contains a NUL character (U+0000), which cannot be stored; remove it'],
    ['tool', JSON.parse('{"__proto__":{"polluted":true}}'), ': has the key "__proto__", which is reserved; rename it'],
  ])('%s refuses %j', (name, input, issue) => {
    expect(issuesOf(typeNamed(name), input)).toEqual([issue]);
    expect(Object.prototype).not.toHaveProperty('polluted');
  });
});

describe('an unknown type', () => {
  test.each([
    ['transcibe', 'transcribe'],
    ['Download', 'download'],
    ['EXPORT', 'export'],
    ['translat', 'translate'],
    ['tolo', 'tool'],
  ])('%s is answered with %s', (name, known) => {
    const message = unknownTypeMessage(name, shipped);
    expect(message).toContain(`Unknown job type "${name}". Did you mean "${known}"? Registered types: analysis, `);
  });

  const strangers = ['', 'render', 'trnscrb', '__proto__', 'x'.repeat(100_000)];
  test.each(strangers)('that is like none is answered with all %#', (name) => {
    const message = unknownTypeMessage(name, shipped);
    expect(message).not.toContain('Did you mean');
    expect(message).toContain('house-timelapse');
    expect(message.length).toBeLessThan(500);
  });
});

describe('the file of job types', () => {
  test('adds a type, with defaults for all but name and price', async () => {
    const types = await load({ name: 'acme:render/4k', credits: 0 });
    expect(types.names()).toEqual([...shipped.names(), 'acme:render/4k']);
    expect(types.get('acme:render/4k')).toMatchObject({
      description: '',
      credits: 0,
      maxAttempts: 3,
      timeoutSeconds: 3600,
      leaseSeconds: 30,
      inputSchema: { type: 'object' },
    });
    expect(issuesOf(typeNamed('acme:render/4k', types), { anything: [1] })).toEqual([]);
  });

  test('replaces a shipped type of the same name, in its place', async () => {
    const types = await load({ name: 'download', credits: 7, inputSchema: { required: ['url'] } });
    expect(types.names()).toEqual(shipped.names());
    expect(types.get('download')?.credits).toBe(7);
    expect(issuesOf(typeNamed('download', types), {})).toEqual(['url: is required']);
  });

  test('lets a lease last no longer than a short attempt', async () => {
    expect((await load({ name: 'ping', credits: 1, timeoutSeconds: 5 })).get('ping')?.leaseSeconds).toBe(5);
    expect(await faultsOf([{ name: 'ping', credits: 1, timeoutSeconds: 5, leaseSeconds: 6 }])).toEqual([
      'entry 1 ("ping"): leaseSeconds: expected at most timeoutSeconds, 5, got 6',
    ]);
  });

  test.each<[string, number, number]>([
    ['credits', 0, 1_000_000],
    ['maxAttempts', 1, 100],
    ['timeoutSeconds', 1, 604_800],
    ['leaseSeconds', 1, 3600],
  ])('takes %s from %d to %d and no further', async (field, min, max) => {
    const entry = { name: 'render', credits: 1 };
    for (const value of [min, max]) await expect(load({ ...entry, [field]: value })).resolves.toBeInstanceOf(JobTypes);
    for (const value of [min - 1, max + 1, min + 0.5, String(min)]) {
      expect(await faultsOf([{ ...entry, [field]: value }])).toEqual([
        expect.stringContaining(`entry 1 ("render"): ${field}: expected an integer from ${min} to ${max}, got `),
      ]);
    }
  });

  test('is refused with every fault of every entry', async () => {
    const entries = [
      { name: 'render', credits: 1 },
      { name: 'render 2', credits: 1.5, retries: 3 },
      'render',
      { name: 'render', credits: 1 },
      { credits: 1, inputSchema: true },
    ];
    expect(await faultsOf(entries)).toEqual([
      'entry 2 ("render 2"): name: expected 1 to 100 letters, digits or any of _ . : / -',
      'entry 2 ("render 2"): credits: expected an integer from 0 to 1000000, got 1.5',
      'entry 2 ("render 2"): retries: is not a known field; remove it or correct its name',
      'entry 3: expected an object, got a string',
      'entry 4 ("render"): name: is taken by an earlier entry; remove one of them',
      'entry 5: name: is required: expected a string',
      'entry 5: inputSchema: expected a JSON Schema, as an object, got true',
    ]);
  });

  test('is refused when it is not there, not JSON or not an array', async () => {
    await expect(loadJobTypes(join(folder, 'absent.json'))).rejects.toThrow(/absent\.json: cannot be read \(ENOENT/);
    expect(await faultsOf('[{')).toEqual([expect.stringMatching(/^is not JSON \(.+\)\. Correct the file/)]);
    expect(await faultsOf({ name: 'render' })).toEqual([expect.stringMatching(/^expected an array of job types/)]);
  });

  test('is read as UTF-8, with or without a byte order mark, and refused in any other encoding', async () => {
    const text = JSON.stringify([{ name: 'render', credits: 1, description: 'Rend une scène.' }]);
    const marked = await loadJobTypes(await fileOf(`\uFEFF${text}`));
    expect(typeNamed('render', marked).description).toBe('Rend une scène.');
    for (const encoding of ['latin1', 'utf16le'] as const) {
      const [fault] = await faultsOf(Buffer.from(text, encoding));
      expect(fault).toMatch(/^is not JSON/);
    }
    expect(await faultsOf(Buffer.from(text, 'latin1'))).toEqual(['is not JSON (it is not UTF-8). Correct the file.']);
  });

  test.each(['9007199254740993', '-9007199254740992', '1e30', '1e400'])('is refused with the number %s in it', async (number) => {
    const schema = `{ "properties": { "id": { "enum": [1, ${number}] } } }`;
    expect(await faultsOf(`[{ "name": "render", "credits": 1, "inputSchema": ${schema} }]`)).toEqual([
      expect.stringMatching(/^entry 1 \("render"\): inputSchema\.properties\.id\.enum\.1: is a number beyond ±9007199254740991/),
    ]);
    expect(await faultsOf(`[{ "name": "render", "credits": ${number} }]`)).toEqual([
      expect.stringMatching(/^entry 1 \("render"\): credits: is a number beyond/),
    ]);
  });
});

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
    const fault = await schemaFaultOf(schema);
    expect(fault).toMatch(/^entry 1 \("render"\): inputSchema: is not a JSON Schema 2020-12 that can be enforced: .+/);
    expect(fault).toMatch(reason);
  });

  test('may be built from parts and speak of itself', async () => {
    const types = await load({
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
    expect(issuesOf(tree, { child: { child: { label: 1 } } })).toEqual(['child.child.label: must be of type string']);
    expect(issuesOf(tree, { leaf: 1 })).toEqual(['leaf: is not a known field; remove it or correct its name']);
  });

  test('is enforced, each fault with its path, and nothing is filled in', async () => {
    const types = await load({
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
    expect(issuesOf(render, { 'a/b~c': 1, scenes: [{}], url: 'x', codec: 'av1', more: 1 }).toSorted()).toEqual([
      'a/b~c: must be of type string or null',
      'codec: must be "h264"',
      'more: is not a known field; remove it or correct its name',
      'scenes.0.start: is required',
      'size: is required',
      'toString: is required',
      'url: must match format "uri"',
    ]);
    expect(issuesOf(render, { size: 'tiny', toString: 1 })).toEqual([
      'toString: is not a known field; remove it or correct its name',
      'size: must be one of ["small","large"]',
    ]);
    expect(issuesOf(render, [])).toEqual([': expected an object, got an array']);
    expect(issuesOf(render, { size: '\uD800' })).toEqual([expect.stringContaining('size: contains half of')]);
  });

  test('hands the input on as it came', async () => {
    const inputSchema = { properties: { codec: { default: 'h264' } } };
    const types = await load({ name: 'render', credits: 1, inputSchema });
    const input = { b: '1', a: 2 };
    expect(typeNamed('render', types).parseInput(input)).toStrictEqual({ ok: true, input: { b: '1', a: 2 } });
  });

  test('finds an item that is there twice, however it is spelt, among very many', async () => {
    const types = await load({ name: 'render', credits: 1, inputSchema: { properties: { a: { uniqueItems: true } } } });
    const issues = (a: unknown[]) => issuesOf(typeNamed('render', types), { a });
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
    const types = await load({ name: 'render', credits: 1, inputSchema });
    const before = performance.now();
    expect(issuesOf(typeNamed('render', types), { a: text, b: { [text]: '' } })).toEqual([expect.stringMatching(/^a: must match pattern/)]);
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
    const types = await load({ name: 'render', credits: 1, inputSchema: { properties } });
    const render = typeNamed('render', types);
    expect(issuesOf(render, { hex: '0af9', name: 'Émile étude'.replace('É', 'E'), path: '/a/b/', end: 'the end' })).toEqual([]);
    expect(issuesOf(render, { hex: 'x0af9', name: 'émile é', path: 'a/', end: 'end\n' })).toHaveLength(4);
  });

  test.each(['(?=a)b', '(?<!a)b', String.raw`(a)\1`, 'a{1,5000}'])('with the pattern %s stops the start, and says why', async (pattern) => {
    const inputSchema = { properties: { a: { pattern } } };
    await expect(load({ name: 'render', credits: 1, inputSchema })).rejects.toThrow(/entry 1 \("render"\): inputSchema: .*cannot run in linear time/);
  });

  test('names at most 100 faults', async () => {
    const inputSchema = { properties: { a: { items: { type: 'string' } } } };
    const types = await load({ name: 'render', credits: 1, inputSchema });
    expect(issuesOf(typeNamed('render', types), { a: Array.from({ length: 1000 }, () => 1) })).toHaveLength(100);
  });
});
