import { readFile } from 'node:fs/promises';
import { isInterfaceType, isObjectType } from 'graphql';
import { expect, test } from 'vitest';
import { errorTable } from '../../src/errors.ts';
import { schema } from '../../src/graphql/schema.ts';

const rows = Object.entries(errorTable).map(([code, row]) => ({ code, ...row }));
const expected = rows.filter(({ kind }) => kind === 'expected');

test('every expected failure is a type of the schema that implements UserError', () => {
  const userError = schema.getType('UserError');
  if (!isInterfaceType(userError)) throw new Error('the schema has no interface UserError');
  const implementing = schema.getImplementations(userError).objects.map(({ name }) => name);
  expect(expected.map(({ graphqlType }) => graphqlType).toSorted()).toEqual(implementing.toSorted());
});

test('every expected failure is the outcome of a mutation', () => {
  const outcomes = new Set(
    Object.values(schema.getTypeMap())
      .filter((type) => 'getTypes' in type)
      .flatMap((union) => union.getTypes().map(({ name }) => name)),
  );
  expect(expected.filter(({ graphqlType }) => !outcomes.has(String(graphqlType)))).toEqual([]);
});

test('what is thrown instead has no type of its own', () => {
  const thrown = rows.filter(({ kind }) => kind !== 'expected');
  expect(thrown.filter(({ graphqlType }) => graphqlType !== null)).toEqual([]);
});

test('no field but a mutation answers with an error type', () => {
  const errorTypes = new Set(expected.map(({ graphqlType }) => `${graphqlType}`));
  const query = schema.getQueryType();
  if (!isObjectType(query)) throw new Error('the schema has no queries');
  const answers = Object.values(query.getFields()).map(({ type }) => String(type).replaceAll(/[[\]!]/g, ''));
  expect(answers.filter((answer) => errorTypes.has(answer))).toEqual([]);
});

test('every failure of a caller is one in HTTP too, and a bug is ours', () => {
  expect(new Set(expected.map(({ httpStatus }) => classOf(httpStatus)))).toEqual(new Set(['4xx']));
  expect(new Set(rows.filter(({ kind }) => kind === 'bug').map(({ httpStatus }) => classOf(httpStatus)))).toEqual(new Set(['5xx']));
});

test("the README's catalogue names exactly the codes of the table", async () => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  expect(codesOf(readme).toSorted()).toEqual(Object.keys(errorTable).toSorted());
});

function classOf(status: number): string {
  return `${Math.floor(status / 100)}xx`;
}

/** The first column of the README's one table whose first row is headed `code`; other tables name variables. */
function codesOf(readme: string): string[] {
  const lines = readme.split('\n');
  const head = lines.findIndex((line) => /^\| *code *\|/i.test(line));
  if (head === -1) throw new Error('the README has no table whose first column is headed `code`');
  const end = lines.findIndex((line, index) => index > head && !line.startsWith('|'));
  return lines.slice(head, end === -1 ? undefined : end).flatMap((line) => /^\| `([A-Z_]+)`/.exec(line)?.[1] ?? []);
}
