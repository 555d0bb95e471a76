import {
  getNamedType,
  GraphQLError,
  GraphQLID,
  type GraphQLInputType,
  type GraphQLSchema,
  isInputObjectType,
  isInputType,
  type OperationDefinitionNode,
  typeFromAST,
  type VariableDefinitionNode,
} from 'graphql';
import { isJsonObject } from '../jobs/types/job-type.ts';

/**
 * Throws BAD_USER_INPUT for an id that was sent as a number which JSON.parse has rounded: it would name something else.
 * graphql-js takes every integer for an ID, and Pothos gives no place for an ID type of our own. Inputs check the numbers
 * of the other types, and those of mutations their ids, too.
 */
export function refuseRoundedIds(schema: GraphQLSchema, { variableDefinitions }: OperationDefinitionNode, variables: Readonly<Record<string, unknown>>): void {
  for (const node of variableDefinitions ?? []) {
    const name = node.variable.name.value;
    const declared = typeFromAST(schema, node.type);
    if (isInputType(declared)) refuse(variables[name], declared, name, node);
  }
}

function refuse(value: unknown, type: GraphQLInputType, path: string, nodes: VariableDefinitionNode): void {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) refuse(item, type, `${path}.${index}`, nodes);
    return;
  }
  const named = getNamedType(type);
  if (isInputObjectType(named)) {
    if (!isJsonObject(value)) return;
    for (const field of Object.values(named.getFields())) refuse(value[field.name], field.type, `${path}.${field.name}`, nodes);
  } else if (named === GraphQLID && roundedId(value)) {
    throw new GraphQLError(`${path}: JSON rounds integers beyond ±(2^53 - 1). Send the id as a string.`, { nodes });
  }
}

/** Whether JSON.parse has rounded it. */
export function roundedId(value: unknown): boolean {
  return typeof value === 'number' && !Number.isSafeInteger(value);
}
