import { readFile } from 'node:fs/promises';
import {
  astFromValue,
  buildSchema,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isRequiredArgument,
  isRequiredInputField,
  isUnionType,
  print,
} from 'graphql';
import { expect, test } from 'vitest';
import { printedCacheFacts } from '../../src/graphql/print-cache-facts.ts';
import { printedSchema } from '../../src/graphql/print-schema.ts';
import { schema as ours } from '../../src/graphql/schema.ts';

const contract = buildSchema(await readFile(fileOf('schema/contract.graphql'), 'utf8'));

/** What the contract promises and a later issue builds. An entry that is built already has to leave the list. */
const later: Record<string, { issue: number; members: readonly string[] }> = {};

test('schema/schema.graphql, and what the package for JavaScript knows of it, is what the code prints; `npm run schema` after a change', async () => {
  expect(await readFile(fileOf('schema/schema.graphql'), 'utf8')).toBe(printedSchema());
  expect(await readFile(fileOf('clients/js/src/apollo/cache-facts.ts'), 'utf8')).toBe(printedCacheFacts());
});

test("the repository's copy of the contract is the one that the team shares", async ({ skip }) => {
  const shared = await readFile(fileOf('../shared/contract.graphql'), 'utf8').catch(() => null);
  // A user's clone stands alone.
  if (shared === null) return skip('there is no ../shared here');
  expect(await readFile(fileOf('schema/contract.graphql'), 'utf8')).toBe(shared);
});

test('every promise of the contract holds, apart from what later issues build', () => {
  const expected = Object.values(later).flatMap(({ members }) => members);
  const unbuilt = expected.map((member) => `${member} is missing`);
  expect(breaches(contract, ours).toSorted()).toEqual(unbuilt.toSorted());
});

test.each(theBreaches())('the comparison notices $what', ({ change, breach }) => {
  const theirs = 'type Query { job(id: ID!, after: String = "a"): Job! } type Job { id: ID! status: Status! list: [Int!]! }' +
    ' enum Status { ON OFF } union Any = Job | Query input In { a: Int b: String = "x" } interface Node { id: ID! } scalar URL' +
    ' type Kept implements Node { id: ID! }';
  const [from, to] = change;
  const changed = theirs.replace(from, to);
  expect(changed).not.toBe(theirs);
  expect(breaches(buildSchema(theirs), buildSchema(changed))).toEqual(breach);
});

function theBreaches(): { what: string; change: [string, string]; breach: string[] }[] {
  return [
    { what: 'nothing where a type is new', change: ['URL', 'URL type More { x: Int }'], breach: [] },
    { what: 'a type that is gone', change: ['scalar URL', ''], breach: ['URL is missing'] },
    { what: 'a field that is gone', change: [' list: [Int!]!', ''], breach: ['Job.list is missing'] },
    { what: 'a field that may be null now', change: ['[Int!]!', '[Int!]'], breach: ['Job.list is [Int!], not [Int!]!'] },
    { what: 'an argument that is gone', change: ['id: ID!, ', ''], breach: ['Query.job(id) is missing'] },
    {
      what: 'an argument that is demanded now',
      change: ['id: ID!,', 'id: ID!, extra: Int!,'],
      breach: ['Query.job(extra) is new and required'],
    },
    {
      what: 'nothing where an argument is new and optional',
      change: ['id: ID!,', 'id: ID!, extra: Int,'],
      breach: [],
    },
    {
      what: 'another default of an argument',
      change: ['= "a"', '= "b"'],
      breach: ['Query.job(after) is String = "b", not String = "a"'],
    },
    { what: 'an enum value that is gone', change: ['ON OFF', 'ON'], breach: ['Status.OFF is missing'] },
    { what: 'a union member that is gone', change: ['Job | Query', 'Job'], breach: ['Any has no Query'] },
    { what: 'an interface that is gone', change: ['Kept implements Node', 'Kept'], breach: ['Kept does not implement Node'] },
    { what: 'an input field that is demanded now', change: ['a: Int', 'a: Int!'], breach: ['In.a is Int!, not Int'] },
    {
      what: 'a new input field that is demanded',
      change: ['a: Int', 'a: Int c: Int!'],
      breach: ['In.c is new and required'],
    },
    { what: 'a type of another kind', change: ['scalar URL', 'enum URL { A }'], breach: ['URL is another kind of type'] },
  ];
}

test('everything in the schema says what it is', () => {
  expect(undescribed(ours)).toEqual([]);
});

function breaches(promised: GraphQLSchema, built: GraphQLSchema): string[] {
  return ownTypes(promised).flatMap((theirs) => {
    const type = built.getType(theirs.name);
    if (type === undefined) return [`${theirs.name} is missing`];
    return breachesOfType(theirs, type);
  });
}

function breachesOfType(theirs: GraphQLNamedType, type: GraphQLNamedType): string[] {
  const { name } = theirs;
  if (theirs.constructor !== type.constructor) return [`${name} is another kind of type`];
  const hasFields = isObjectType(theirs) || isInterfaceType(theirs);
  if (hasFields && (isObjectType(type) || isInterfaceType(type))) {
    const interfaces = new Set(type.getInterfaces().map(String));
    const fields = type.getFields();
    return [
      ...theirs
        .getInterfaces()
        .filter((each) => !interfaces.has(each.name))
        .map((each) => `${name} does not implement ${each.name}`),
      ...Object.values(theirs.getFields()).flatMap((field) => breachesOfField(name, field, fields[field.name])),
    ];
  }
  if (isUnionType(theirs) && isUnionType(type)) {
    const members = new Set(type.getTypes().map(String));
    return theirs.getTypes().flatMap((each) => (members.has(each.name) ? [] : [`${name} has no ${each.name}`]));
  }
  if (isEnumType(theirs) && isEnumType(type)) {
    return theirs
      .getValues()
      .flatMap((value) => (type.getValue(value.name) ? [] : [`${name}.${value.name} is missing`]));
  }
  if (isInputObjectType(theirs) && isInputObjectType(type)) {
    const fields = type.getFields();
    const promised = theirs.getFields();
    return [
      ...Object.values(promised).flatMap((field) => breachOfInput(`${name}.${field.name}`, field, fields[field.name])),
      ...Object.values(fields)
        .filter((field) => promised[field.name] === undefined && isRequiredInputField(field))
        .map((field) => `${name}.${field.name} is new and required`),
    ];
  }
  return [];
}

type Field = GraphQLField<unknown, unknown>;

function breachesOfField(type: string, theirs: Field, field: Field | undefined): string[] {
  const name = `${type}.${theirs.name}`;
  if (field === undefined) return [`${name} is missing`];
  const argument = (asked: string) => field.args.find((each) => each.name === asked);
  return [
    ...(String(field.type) === String(theirs.type) ? [] : [`${name} is ${String(field.type)}, not ${String(theirs.type)}`]),
    ...theirs.args.flatMap((each) => breachOfInput(`${name}(${each.name})`, each, argument(each.name))),
    ...field.args
      .filter((each) => isRequiredArgument(each) && !theirs.args.some((theirArgument) => theirArgument.name === each.name))
      .map((each) => `${name}(${each.name}) is new and required`),
  ];
}

type Input = Pick<GraphQLArgument, 'name' | 'type' | 'defaultValue'>;

function breachOfInput(name: string, theirs: Input, input: Input | undefined): string[] {
  if (input === undefined) return [`${name} is missing`];
  const promised = printedInput(theirs);
  const built = printedInput(input);
  return promised === built ? [] : [`${name} is ${built}, not ${promised}`];
}

function printedInput({ type, defaultValue }: Input): string {
  // As it is written in a schema: an enum's value by its name, not by what the code makes of it.
  const literal = defaultValue === undefined ? null : astFromValue(defaultValue, type);
  return literal == null ? String(type) : `${String(type)} = ${print(literal)}`;
}

function ownTypes(schema: GraphQLSchema): GraphQLNamedType[] {
  const builtIn = new Set(['String', 'Int', 'Float', 'Boolean', 'ID']);
  return Object.values(schema.getTypeMap()).filter(({ name }) => !name.startsWith('__') && !builtIn.has(name));
}

function undescribed(schema: GraphQLSchema): string[] {
  return ownTypes(schema).flatMap((type) => {
    const fields = isObjectType(type) || isInterfaceType(type) ? Object.values(type.getFields()) : [];
    const inputs = isInputObjectType(type) ? Object.values(type.getFields()) : [];
    const values = isEnumType(type) ? type.getValues() : [];
    return [
      ...missing(type.name, type),
      ...[...fields, ...inputs, ...values].flatMap((member) => missing(`${type.name}.${member.name}`, member)),
      ...fields.flatMap((field) =>
        field.args.flatMap((each) => missing(`${type.name}.${field.name}(${each.name})`, each)),
      ),
    ];
  });
}

function missing(name: string, { description }: { description?: string | null | undefined }): string[] {
  return description ? [] : [name];
}

function fileOf(path: string): URL {
  return new URL(`../../${path}`, import.meta.url);
}
