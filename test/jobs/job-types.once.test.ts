import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { JobTypes, loadJobTypes, unknownTypeMessage } from '../../src/jobs/types/registry.ts';
import { inputFaults, jobTypesFile, loadTypes, typeNamed, typesFaults } from '../support/job-types.ts';
import { keepable } from '../support/keepable.ts';

let shipped: JobTypes;

beforeAll(async () => {
  shipped = await loadJobTypes(null);
});

const source = 'https://example.com/video.mp4';
const urlIssue =
  'sourceUrl: expected an absolute http or https URL without user name or white space, at most 8,192 characters, or upload:ID with the id of an upload';

describe('the shipped types', () => {
  test('are those of the four dialects, of media and a demo, at their prices', () => {
    expect(Object.fromEntries(shipped.all().map(({ name, credits }) => [name, credits]))).toEqual({
      analysis: 1,
      demo: 1,
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
      'media/export': 1,
      'media/analysis': 1,
      'media/concatenate': 1,
      'media/trim': 1,
      'media/audio': 1,
      'media/voiceover': 1,
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
    ['media/export', { sourceUrl: source }],
    ['media/analysis', { sourceUrl: source }],
    ['media/concatenate', { sourceUrls: [source, source] }],
    ['media/trim', { sourceUrl: source }],
    ['media/audio', { sourceUrl: source }],
    ['media/voiceover', { sourceUrl: source, subtitlesUrl: source }],
    ['media/transcribe', { sourceUrl: source }],
    ['house-timelapse', {}],
    ['renovation-timelapse', {}],
  ])('%s is created with %j and nothing less, and its JSON Schema agrees', (name, least) => {
    const type = typeNamed(name, shipped);
    const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false }).addKeyword('x-source');
    const validate = formats.default(ajv).compile(type.inputSchema);

    expect(inputFaults(type, least)).toEqual([]);
    expect(validate(least)).toBe(true);
    for (const key of Object.keys(least)) {
      const less = Object.fromEntries(Object.entries(least).filter(([other]) => other !== key));
      expect(inputFaults(type, less)).toEqual([expect.stringMatching(/is required/)]);
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
        const parsed = typeNamed('download', shipped).parseInput(JSON.parse(json));
        expect(parsed.ok && JSON.stringify(parsed.input)).toBe(json);
      }),
    );
  });

  test('take null for what is optional', () => {
    expect(inputFaults(typeNamed('transcribe', shipped), { sourceUrl: source, language: null })).toEqual([]);
    expect(inputFaults(typeNamed('media/transcribe', shipped), { media_url: null, sourceUrl: source })).toEqual([]);
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
    expect(inputFaults(typeNamed(name, shipped), input)).toEqual([issue]);
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
    const types = await loadTypes({ name: 'acme:render/4k', credits: 0 });
    expect(types.names()).toEqual([...shipped.names(), 'acme:render/4k']);
    expect(types.get('acme:render/4k')).toMatchObject({
      description: '',
      credits: 0,
      maxAttempts: 3,
      timeoutSeconds: 3600,
      leaseSeconds: 30,
      inputSchema: { type: 'object' },
    });
    expect(inputFaults(typeNamed('acme:render/4k', types), { anything: [1] })).toEqual([]);
  });

  test('replaces a shipped type of the same name, in its place', async () => {
    const types = await loadTypes({ name: 'download', credits: 7, inputSchema: { required: ['url'] } });
    expect(types.names()).toEqual(shipped.names());
    expect(types.get('download')?.credits).toBe(7);
    expect(inputFaults(typeNamed('download', types), {})).toEqual(['url: is required']);
  });

  test('takes a schema of the output, of any type, and refuses what is none', async () => {
    const outputSchema = { type: 'array', items: { type: 'string' } };
    expect((await loadTypes({ name: 'words', credits: 1, outputSchema })).get('words')?.outputSchema).toEqual(outputSchema);
    expect(await typesFaults([{ name: 'words', credits: 1, outputSchema: { typ: 'array' } }])).toEqual([
      expect.stringMatching(/^entry 1 \("words"\): outputSchema: is not a JSON Schema 2020-12: .*typ/),
    ]);
  });

  test('lets a lease last no longer than a short attempt', async () => {
    expect((await loadTypes({ name: 'ping', credits: 1, timeoutSeconds: 5 })).get('ping')?.leaseSeconds).toBe(5);
    expect(await typesFaults([{ name: 'ping', credits: 1, timeoutSeconds: 5, leaseSeconds: 6 }])).toEqual([
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
    for (const value of [min, max]) await expect(loadTypes({ ...entry, [field]: value })).resolves.toBeInstanceOf(JobTypes);
    for (const value of [min - 1, max + 1, min + 0.5, String(min)]) {
      expect(await typesFaults([{ ...entry, [field]: value }])).toEqual([
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
    expect(await typesFaults(entries)).toEqual([
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
    await expect(loadJobTypes(`${await jobTypesFile([])}.absent.json`)).rejects.toThrow(/absent\.json: cannot be read \(ENOENT/);
    expect(await typesFaults('[{')).toEqual([expect.stringMatching(/^is not JSON \(.+\)\. Correct the file/)]);
    expect(await typesFaults({ name: 'render' })).toEqual([expect.stringMatching(/^expected an array of job types/)]);
  });

  test('is read as UTF-8, with or without a byte order mark, and refused in any other encoding', async () => {
    const text = JSON.stringify([{ name: 'render', credits: 1, description: 'Rend une scène.' }]);
    const marked = await loadJobTypes(await jobTypesFile(`\uFEFF${text}`));
    expect(typeNamed('render', marked).description).toBe('Rend une scène.');
    for (const encoding of ['latin1', 'utf16le'] as const) {
      const [fault] = await typesFaults(Buffer.from(text, encoding));
      expect(fault).toMatch(/^is not JSON/);
    }
    expect(await typesFaults(Buffer.from(text, 'latin1'))).toEqual(['is not JSON (it is not UTF-8). Correct the file.']);
  });

  test.each(['9007199254740993', '-9007199254740992', '1e30', '1e400'])('is refused with the number %s in it', async (number) => {
    const schema = `{ "properties": { "id": { "enum": [1, ${number}] } } }`;
    expect(await typesFaults(`[{ "name": "render", "credits": 1, "inputSchema": ${schema} }]`)).toEqual([
      expect.stringMatching(/^entry 1 \("render"\): inputSchema\.properties\.id\.enum\.1: is a number beyond ±9007199254740991/),
    ]);
    expect(await typesFaults(`[{ "name": "render", "credits": ${number} }]`)).toEqual([
      expect.stringMatching(/^entry 1 \("render"\): credits: is a number beyond/),
    ]);
  });
});
