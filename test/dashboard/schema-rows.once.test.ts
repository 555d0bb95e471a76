import { expect, test } from 'vitest';
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
