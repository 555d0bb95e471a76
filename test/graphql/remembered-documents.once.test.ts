import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Operations, Refusal } from '../../src/graphql/operations.ts';
import { parseDocument, PreparedDocument } from '../../src/graphql/document.ts';
import { RememberedDocuments } from '../../src/graphql/remembered-documents.ts';
import { schema } from '../../src/graphql/schema.ts';
import type { Viewer } from '../../src/workspaces/viewer.ts';
import { type Longhaul, sharedLonghaul } from '../support/longhaul.ts';

let longhaul: Longhaul;
let operations: Operations;
let viewer: Viewer;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
  operations = new Operations(longhaul.services);
  const caller = await operations.caller({ secret: await (await longhaul.workspace()).key(), session: null, address: '127.0.0.1' });
  if (caller === null) throw new Error('the key is nobody');
  viewer = caller;
});
afterAll(() => longhaul.stop());

const prepared = (query: string) => new PreparedDocument(schema, query, parseDocument(query, 4_000));

test('a document is remembered for whoever sent it with a key, and nothing of one without', async () => {
  const query = '{ jobTypes { name } }';
  await operations.open(null, { query });
  expect(operations.remembered.bytes).toBe(0);
  await operations.open(viewer, { query });
  const { bytes } = operations.remembered;
  expect(bytes).toBeGreaterThan(2 * query.length);
  await operations.open(viewer, { query });
  expect(operations.remembered.bytes).toBe(bytes);
});

test.each([
  { what: 'costs too much', query: '{ jobs(first: 100) { edges { node { webhookDeliveries(first: 100) { edges { node { id url status event } } } } } } }' },
  { what: 'costs too much by its variables', query: 'query ($n: Int) { jobs(first: $n) { edges { node { webhookDeliveries(first: $n) { edges { node { id url status event } } } } } } }', variables: { n: 100 } },
  { what: 'is no GraphQL', query: '{ jobTypes {' },
  { what: 'asks for what there is not', query: '{ nothing }' },
  { what: 'has too many aliases', query: `{ ${Array.from({ length: 60 }, (_, n) => `a${n}: job(id: "x") { id }`).join(' ')} }` },
  { what: 'names no operation of its own', query: 'query A { __typename }', operationName: 'B' },
])('a document that $what is remembered nowhere', async ({ query, variables, operationName }) => {
  const before = operations.remembered.bytes;
  expect(await operations.open(viewer, { query, variables, operationName })).toBeInstanceOf(Refusal);
  expect(operations.remembered.bytes).toBe(before);
  expect(operations.remembered.get(query)).toBeUndefined();
});

test('what is remembered stays within its bytes, for each key and for all of them', () => {
  const one = prepared('{ a0: __typename }').bytes;
  const remembered = new RememberedDocuments({ processBytes: 10 * one, keyBytes: 4 * one });
  const texts = Array.from({ length: 7 }, (_, n) => `{ a${n}: __typename }`);
  for (const text of texts) remembered.add(prepared(text), 'flooding');
  expect(remembered.bytes).toBe(4 * one);
  expect(texts.map((text) => remembered.get(text) !== undefined)).toEqual([false, false, false, true, true, true, true]);

  // What another key brings takes the place of what was used longest ago, whosever it is.
  for (let key = 0; key < 10; key += 1) remembered.add(prepared(`{ b${key}: __typename }`), `key ${key}`);
  expect(remembered.bytes).toBe(10 * one);
  expect(texts.some((text) => remembered.get(text) !== undefined)).toBe(false);
  // And the first key has its whole share again.
  for (const text of texts) remembered.add(prepared(text), 'flooding');
  expect(texts.filter((text) => remembered.get(text) !== undefined)).toHaveLength(4);
});

test('a document that takes more than a key may have is carried out and not remembered', () => {
  const large = prepared(`{ __typename } ${'#\n'.repeat(10_000)}`);
  const remembered = new RememberedDocuments({ processBytes: 2 * large.bytes, keyBytes: large.bytes - 1 });
  remembered.add(prepared('{ __typename }'), 'key');
  remembered.add(large, 'key');
  expect(remembered.get('{ __typename }')).toBeDefined();
  expect(remembered.get(large.text)).toBeUndefined();
});

test.each([
  { what: 'fields', query: `{ ${'__typename '.repeat(3_900)} }` },
  { what: 'selections', query: `{ ${'a{b}'.repeat(980)} }` },
  { what: 'comments', query: `{ a } ${'#\n'.repeat(40_000)}` },
  { what: 'values', query: `{ a(b: [${'1 '.repeat(3_900)}]) }` },
  {
    what: 'variables in a JSON literal',
    query: `mutation (${many((n) => `$v${n}: Int`)}) { completeJob(input: { output: [${many((n) => `$v${n}`)}] }) { __typename } }`,
  },
  { what: 'directives', query: `{ ${'a@b '.repeat(1_300)} }` },
])('a document of $what takes no more memory than is counted for it', ({ query }) => {
  const gc = exposedGc();
  // Each a text of its own, as requests bring them.
  const make = () => prepared(Buffer.from(query).toString());
  make();
  gc();
  const before = process.memoryUsage().heapUsed;
  const documents = Array.from({ length: 20 }, make);
  gc();
  const taken = (process.memoryUsage().heapUsed - before) / documents.length;
  expect(taken).toBeLessThan(documents[0]?.bytes ?? 0);
});

function many(text: (n: number) => string): string {
  return Array.from({ length: 640 }, (_, n) => text(n)).join(' ');
}

/** What frees memory at once. */
function exposedGc(): () => void {
  setFlagsFromString('--expose-gc');
  const gc: unknown = runInNewContext('gc');
  if (typeof gc !== 'function') throw new Error('V8 gave no gc');
  return () => void gc();
}
