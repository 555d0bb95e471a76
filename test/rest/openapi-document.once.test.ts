import { readFile } from 'node:fs/promises';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { isJsonObject } from '../../src/json.ts';
import { dialects } from '../../src/rest/dialects.ts';
import { shapeOf } from '../../src/rest/openapi/shape.ts';
import { printedOpenApi } from '../../src/rest/openapi/print-openapi.ts';
import { Described, everything, objectAt, openApiPath, placeOf } from '../support/openapi.ts';

const described = await Described.read();
const { document } = described;

const operations = Object.entries(objectAt(document, ['paths'])).flatMap(([path, on]) =>
  Object.entries(on ?? {}).map(([method, operation]) => ({ path, method, operation })),
);

test('schema/openapi.json is what the code prints; `npm run openapi` after a change', async () => {
  expect(await readFile(new URL('../../schema/openapi.json', import.meta.url), 'utf8')).toBe(printedOpenApi());
});

test('it is a valid OpenAPI 3.1 document', async () => {
  // Of the OpenAPI Initiative, spec.openapis.org/oas/3.1/schema/2021-04-15, Apache License 2.0.
  const text = await readFile(new URL('../support/openapi-3.1-schema.json', import.meta.url), 'utf8');
  // Ajv takes the whole for what `#meta` names; the schemas in the document have a test of their own.
  const schema: object = JSON.parse(text.replaceAll('"$dynamicRef": "#meta"', '"$ref": "#/$defs/schema"'));
  // Formats are remarks: by this iteration of it a reference would be no `uri`.
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  const validate = ajv.compile(schema);
  validate(document);
  expect(validate.errors).toBeNull();
  expect(validate({ ...document, paths: { '/x': { get: { parameters: [{ name: 'x' }] } } } })).toBe(false);
});

test('every schema in it is one of JSON Schema 2020-12, without a word that means nothing', () => {
  const ajv = new Ajv2020({ strictSchema: true, strictTypes: false, formats: { uri: true, uuid: true, 'date-time': true } });
  // Ours: a field that names a file.
  ajv.addKeyword({ keyword: 'x-source', schemaType: 'boolean' });
  const schemas = [...everything(document)].filter(({ path }) => path.at(-1) === 'schema');
  expect(schemas.length).toBeGreaterThan(100);
  for (const { value } of schemas) {
    const whole = JSON.stringify({ allOf: [value], $defs: objectAt(document, ['components', 'schemas']) });
    ajv.compile(JSON.parse(whole.replaceAll('#/components/schemas/', '#/$defs/')));
  }
});

test('every reference leads somewhere', () => {
  const references = [...everything(document)].flatMap(({ path, value }) => (path.at(-1) === '$ref' ? [String(value)] : []));
  expect(references.length).toBeGreaterThan(100);
  for (const reference of references) objectAt(document, placeOf(reference));
});

test('every route of every dialect is in it, and nothing else', () => {
  const routes = dialects.flatMap(({ prefix, routes: each }) => each.map(({ method, path }) => `${method} ${prefix}${path}`));
  expect(operations.map(({ method, path }) => `${method.toUpperCase()} ${path}`).toSorted()).toEqual(routes.toSorted());
});

test("the README's table of submissions has every field of them", async () => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  const rows = [...readme.matchAll(/^\| (`\/.*) \| (.*) ?\| (.*) \|$/gm)].flatMap(([, paths = '', required = '', optional = '']) => {
    const [first = '', ...others] = namesIn(paths);
    const places = [first, ...others.map((other) => (other.startsWith('/') ? other : first.replace(/[^/]+$/, other)))];
    return places.map((path) => ({ path, required: namesIn(required), optional: namesIn(optional) }));
  });
  const submissions = dialects.flatMap((dialect) =>
    dialect.routes.filter(({ kind }) => kind === 'submit').map((route) => {
      const path = openApiPath(dialect, route);
      const body = objectAt(document, ['paths', path, 'post', 'requestBody', 'content', 'application/json', 'schema']);
      const required = Array.isArray(body['required']) ? body['required'].map(String) : [];
      const fields = Object.keys(objectAt(body, ['properties']));
      return { path, required, optional: fields.filter((field) => !required.includes(field)).toSorted() };
    }),
  );
  expect(rows.map((row) => ({ ...row, optional: row.optional.toSorted() })).toSorted(byPath)).toEqual(submissions.toSorted(byPath));
});

const byPath = (one: { path: string }, other: { path: string }) => one.path.localeCompare(other.path);

function namesIn(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
}

test('every operation has a name of its own and says what is in its path', () => {
  const names = operations.map(({ operation }) => (isJsonObject(operation) ? operation['operationId'] : null));
  expect(new Set(names).size).toBe(operations.length);
  for (const name of names) expect(name).toMatch(/^[a-z][A-Za-z0-9]+$/);
  for (const { path, operation } of operations) {
    const parameters = isJsonObject(operation) && Array.isArray(operation['parameters']) ? operation['parameters'] : [];
    const inPath = parameters.filter((each) => isJsonObject(each) && each['in'] === 'path');
    expect(inPath.map((each) => (isJsonObject(each) ? `{${String(each['name'])}}` : ''))).toEqual(path.match(/\{\w+\}/g) ?? []);
  }
});

test('every example is what it is an example of', () => {
  expect(described.expectExamples()).toBeGreaterThan(100);
});

test('the shape of values is what all of them have, and what some have', () => {
  const shape = shapeOf([
    { error: 'a', code: 'B', details: [1, 2] },
    { error: null, code: 'A', details: [0.5] },
    { error: 'c', code: 'B', more: { deep: true } },
  ]);
  expect(shape).toEqual({
    type: 'object',
    properties: {
      error: { anyOf: [{ type: 'string' }, { type: 'null' }] },
      code: { enum: ['A', 'B'] },
      details: { type: 'array', items: { type: 'number' } },
      more: { type: 'object', properties: { deep: { type: 'boolean' } }, required: ['deep'], additionalProperties: false },
    },
    required: ['error', 'code'],
    additionalProperties: false,
  });
});
