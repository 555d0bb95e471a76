import {
  getNamedType,
  GraphQLID,
  type GraphQLInputType,
  type GraphQLSchema,
  isInputObjectType,
  isInputType,
  type OperationDefinitionNode,
  typeFromAST,
} from 'graphql';
import { LonghaulError } from '../errors.ts';
import { isJsonObject } from '../json.ts';

/**
 * Throws BAD_USER_INPUT for an id that was sent as a number which JSON.parse has rounded: it would name something else.
 * graphql-js takes every integer for an ID, and Pothos gives no place for an ID type of our own. Inputs check the numbers
 * of the other types, and those of mutations their ids, too.
 */
export function refuseRoundedIds(schema: GraphQLSchema, { variableDefinitions }: OperationDefinitionNode, variables: Readonly<Record<string, unknown>>): void {
  for (const { variable, type } of variableDefinitions ?? []) {
    const name = variable.name.value;
    const declared = typeFromAST(schema, type);
    if (isInputType(declared)) refuse(variables[name], declared, name);
  }
}

function refuse(value: unknown, type: GraphQLInputType, path: string): void {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) refuse(item, type, `${path}.${index}`);
    return;
  }
  const named = getNamedType(type);
  if (isInputObjectType(named)) {
    if (!isJsonObject(value)) return;
    for (const field of Object.values(named.getFields())) refuse(value[field.name], field.type, `${path}.${field.name}`);
  } else if (named === GraphQLID && roundedId(value)) {
    throw new LonghaulError('BAD_USER_INPUT', `${path}: JSON rounds integers beyond ±(2^53 - 1). Send the id as a string.`);
  }
}

/** Whether JSON.parse has rounded it. */
export function roundedId(value: unknown): boolean {
  return typeof value === 'number' && !Number.isSafeInteger(value);
}
