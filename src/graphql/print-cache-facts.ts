import { getNamedType, type GraphQLArgument, isAbstractType, isObjectType, lexicographicSortSchema } from 'graphql';
import { schema } from './schema.ts';

/** What a normalised cache has to know of the schema, as a module of the package for JavaScript. */
export function printedCacheFacts(): string {
  const types = Object.values(lexicographicSortSchema(schema).getTypeMap()).filter(({ name }) => !name.startsWith('__'));
  const possibleTypes = types.filter(isAbstractType).map((type): [string, string] => [type.name, list(schema.getPossibleTypes(type))]);
  const connections = types.filter(isObjectType).flatMap((type): [string, string][] => {
    const fields = Object.values(type.getFields()).filter((field) => getNamedType(field.type).name.endsWith('Connection'));
    return fields.length === 0 ? [] : [[type.name, `{ ${fields.map(({ name, args }) => `${name}: ${list(args.filter(isNarrowing))}`).join(', ')} }`]];
  });
  return `// Printed from the schema by \`npm run schema\`.

/** The members of its unions, and what implements its interfaces. */
export const possibleTypes: Record<string, string[]> = ${object(possibleTypes)};

/** Its connections, by type and field, with the arguments that say which items there are. */
export const connections: Record<string, Record<string, string[]>> = ${object(connections)};
`;
}

/** Whether it says which items there are, and not which page of them. */
function isNarrowing({ name }: GraphQLArgument): boolean {
  return !['first', 'last', 'after', 'before'].includes(name);
}

function list(named: readonly { name: string }[]): string {
  return `[${named.map(({ name }) => `'${name}'`).toSorted().join(', ')}]`;
}

function object(entries: readonly [string, string][]): string {
  return `{\n${entries.map(([name, value]) => `  ${name}: ${value},\n`).join('')}}`;
}
