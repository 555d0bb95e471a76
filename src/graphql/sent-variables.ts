import {
  type ASTVisitor,
  type DocumentNode,
  type GraphQLSchema,
  Kind,
  TypeInfo,
  type ValueNode,
  type VariableNode,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import { isMutationInput } from './mutation-input.ts';

/** No document can have this in a name. */
const suffix = ' as sent';

/** A document whose JSON literals, and inputs of mutations, take variables as they were sent. */
export interface WithSentVariables {
  document: DocumentNode;
  /** Adds the variables that it takes so. */
  complete: (variables: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>;
}

/**
 * Gives the variables in JSON literals names of their own, declared as JSON. Otherwise graphql-js would put into a literal what
 * it makes of a variable: the internal value of an enum, a Date, an ID as text. The same for variables in the input of a
 * mutation: one that is not of its type is the fault of a field, and not of the whole request.
 */
export function withSentVariables(schema: GraphQLSchema, document: DocumentNode): WithSentVariables {
  // A valid document uses no variable that it does not declare.
  const declares = document.definitions.some((each) => each.kind === Kind.OPERATION_DEFINITION && each.variableDefinitions?.length);
  if (!declares) return { document, complete: (variables) => variables };
  const types = new TypeInfo(schema);
  const inJson = new Set<string>();
  const inInputs = new Set<string>();
  let isInput = false;
  const literal = (node: ValueNode) => (isJson(types) ? visit(node, { Variable: (each) => rename(each, inJson) }) : undefined);
  const visitor: ASTVisitor = {
    ObjectValue: literal,
    ListValue: literal,
    Argument: {
      enter: (node) => void (isInput = isMutationInput(node, types, schema)),
      leave: () => void (isInput = false),
    },
    Variable: (node) => (isInput ? rename(node, inInputs) : undefined),
  };
  const renamed = visit(document, visitWithTypeInfo(types, visitor));
  if (inJson.size + inInputs.size === 0) return { document, complete: (variables) => variables };
  const others = namesIn(renamed);
  const sent = new Set([...inJson, ...inInputs]);
  return {
    document: visit(renamed, {
      OperationDefinition: (node) => ({
        ...node,
        variableDefinitions: node.variableDefinitions?.flatMap((each) => {
          const { name } = each.variable;
          if (!sent.has(name.value)) return each;
          const type = { kind: Kind.NAMED_TYPE, name: { kind: Kind.NAME, value: 'JSON' } } as const;
          const asSent = { ...each, type, variable: { ...each.variable, name: { ...name, value: name.value + suffix } } };
          return inJson.has(name.value) || others.has(name.value) ? [each, asSent] : asSent;
        }),
      }),
    }),
    complete: (variables) => {
      const given = [...sent].filter((name) => name in variables).map((name) => [name + suffix, variables[name]]);
      return { ...variables, ...Object.fromEntries(given) };
    },
  };
}

function rename(node: VariableNode, names: Set<string>): VariableNode | undefined {
  // What was renamed is visited again.
  if (node.name.value.endsWith(suffix)) return undefined;
  names.add(node.name.value);
  return { ...node, name: { ...node.name, value: node.name.value + suffix } };
}

/** The variables that a document uses. */
function namesIn(document: DocumentNode): ReadonlySet<string> {
  const names = new Set<string>();
  visit(document, { VariableDefinition: () => false, Variable: ({ name }) => void names.add(name.value) });
  return names;
}

function isJson(types: TypeInfo): boolean {
  const name = String(types.getInputType()).replace('!', '');
  return name === 'JSON' || name === 'JSONObject';
}
