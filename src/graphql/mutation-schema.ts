import {
  getNamedType,
  GraphQLError,
  GraphQLNonNull,
  type GraphQLInputObjectType,
  GraphQLObjectType,
  GraphQLScalarType,
  GraphQLSchema,
  isInputObjectType,
  isNonNullType,
} from 'graphql';
import { isJsonObject } from '../json.ts';
import { readJson, readLiteral } from './read-input.ts';

/**
 * The schema that mutations run with. graphql-js refuses a whole request for one bad value in an input, and names no field of
 * the input. Here each input is a scalar of the same name that reads its own fields, so that the mutation can refuse them.
 */
export function mutationSchemaOf(schema: GraphQLSchema): GraphQLSchema {
  const { mutation, types, ...rest } = schema.toConfig();
  if (mutation == null) throw new Error('the schema has no mutations');
  const { fields, ...config } = mutation.toConfig();
  const scalars = new Map<string, GraphQLScalarType>();
  for (const arg of Object.values(fields).flatMap(({ args = {} }) => Object.values(args))) {
    const type = getNamedType(arg.type);
    if (!isInputObjectType(type)) continue;
    const scalar = scalars.get(type.name) ?? scalarOf(type);
    scalars.set(type.name, scalar);
    arg.type = isNonNullType(arg.type) ? new GraphQLNonNull(scalar) : scalar;
  }
  return new GraphQLSchema({
    ...rest,
    mutation: new GraphQLObjectType({ ...config, fields }),
    types: types.filter((type) => type !== mutation && !isInputObjectType(type)),
  });
}

function scalarOf(type: GraphQLInputObjectType): GraphQLScalarType {
  return new GraphQLScalarType({
    name: type.name,
    parseLiteral: (node, variables) => readLiteral(node, type, variables ?? {}),
    parseValue: (value) => {
      // Where there is no input at all, the request is wrong and not a field.
      if (!isJsonObject(value)) throw new GraphQLError(`Expected type "${type.name}" to be an object.`);
      return readJson(value, type);
    },
  });
}
