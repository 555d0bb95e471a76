import { expect, test } from 'vitest';
import { controlOf } from '../../src/dashboard/form/controls.ts';
import { draftOf } from '../../src/dashboard/form/drafts.ts';
import { schemaRows } from '../../src/dashboard/types/schema-rows.ts';

test('a schema is read as a table: what is inside a field comes after it, with its limits in words', () => {
  const rows = schemaRows({
    type: 'object',
    required: ['sourceUrl'],
    properties: {
      sourceUrl: { type: 'string', format: 'uri', maxLength: 2048, description: 'The film.' },
      speed: { anyOf: [{ type: 'number', minimum: 0.5, maximum: 2 }, { type: 'null' }], description: 'How fast.', default: 1 },
      file: { enum: ['text', 'none', null] },
      clips: { type: 'array', minItems: 1, items: { $ref: '#/$defs/clip' } },
      place: { oneOf: [{ type: 'string' }, { type: 'integer' }] },
    },
    $defs: { clip: { type: 'object', required: ['start'], properties: { start: { type: 'number' } } } },
  });
  expect(rows.map(({ path, type, required, limits }) => `${path} ${type}${required ? '!' : ''} ${limits}`.trim())).toEqual([
    'sourceUrl string! characters at most 2048; format uri',
    'speed number at least 0.5; at most 2; default 1',
    'file text one of text, none',
    'clips list of object entries at least 1',
    'clips[].start number!',
    'place string or integer',
  ]);
  expect(rows.map(({ description }) => description)).toEqual(['The film.', 'How fast.', '', '', '', '']);
});

test('a schema that names itself comes to an end', () => {
  const rows = schemaRows({ properties: { child: { $ref: '#' } } });
  expect(rows.at(-1)?.path).toMatch(/^child(\.child)+$/);
});

const circles: Record<string, object> = {
  'a list of itself': { type: 'array', items: { $ref: '#/$defs/it' } },
  'itself or a text': { anyOf: [{ type: 'string' }, { $ref: '#/$defs/it' }] },
  'itself or null': { anyOf: [{ $ref: '#/$defs/it' }, { type: 'null' }] },
  'what leads back to it': { $ref: '#/$defs/other' },
  'a place that is not there': { $ref: '#/$defs/it/%E0/1' },
  'many of itself': { type: 'object', properties: Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((name) => [name, { $ref: '#/$defs/it' }])) },
};

test.each(Object.keys(circles))('a schema that is %s has a table and a form', (name) => {
  const schema = { type: 'object', properties: { value: { $ref: '#/$defs/it' } }, $defs: { it: circles[name], other: { $ref: '#/$defs/it' } } };
  expect(schemaRows(schema)[0]?.path).toBe('value');
  expect(schemaRows(schema).length).toBeLessThan(500);
  const control = controlOf(schema);
  if (control.kind !== 'fields') throw new Error('expected fields');
  expect(JSON.stringify(control).length).toBeLessThan(500_000);
  expect(draftOf(control, { value: 'a text' })).toMatchObject({ drafts: { value: { kind: 'json', text: '"a text"' } } });
});
