import {
  type ASTNode,
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

/** The same for a variable that is declared not to be null, where it stands in an input. */
const requiredSuffix = `${suffix}!`;

/** Whether a name in an input stands for a variable that must not be null, whatever the field that takes it. */
export function mustBeGiven(name: string): boolean {
  return name.endsWith(requiredSuffix);
}

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
  // A fragment may serve several operations.
  const requiredByAll = requiredIn(document);
  let required = requiredByAll;
  const inJson = new Map<string, string>();
  const inInputs = new Map<string, string>();
  let isInput = false;
  const literal = (node: ValueNode) => (isJson(types) ? visit(node, { Variable: (each) => rename(each, suffix, inJson) }) : undefined);
  const visitor: ASTVisitor = {
    OperationDefinition: {
      enter: (node) => void (required = requiredIn(node)),
      leave: () => void (required = requiredByAll),
    },
    ObjectValue: literal,
    ListValue: literal,
    Argument: {
      enter: (node) => void (isInput = isMutationInput(node, types, schema)),
      leave: () => void (isInput = false),
    },
    Variable: (node) => (isInput ? rename(node, required.has(node.name.value) ? requiredSuffix : suffix, inInputs) : undefined),
  };
  const renamed = visit(document, visitWithTypeInfo(types, visitor));
  if (inJson.size + inInputs.size === 0) return { document, complete: (variables) => variables };
  const others = namesIn(renamed);
  const sent = new Map([...inJson, ...inInputs]);
  const json = { kind: Kind.NAMED_TYPE, name: { kind: Kind.NAME, value: 'JSON' } } as const;
  return {
    document: visit(renamed, {
      OperationDefinition: (node) => ({
        ...node,
        variableDefinitions: node.variableDefinitions?.flatMap((each) => {
          const { name } = each.variable;
          const names = [...sent].flatMap(([as, value]) => (value === name.value ? [as] : []));
          if (names.length === 0) return each;
          const asSent = names.map((value) => ({ ...each, type: json, variable: { ...each.variable, name: { ...name, value } } }));
          return names.some((as) => inJson.has(as)) || others.has(name.value) ? [each, ...asSent] : asSent;
        }),
      }),
    }),
    complete: (variables) => {
      const given = [...sent].flatMap(([as, name]) => (name in variables ? [[as, variables[name]]] : []));
      return { ...variables, ...Object.fromEntries(given) };
    },
  };
}

/** Renames a variable, and notes which one the new name is for. */
function rename(node: VariableNode, ending: string, names: Map<string, string>): VariableNode | undefined {
  const { value } = node.name;
  // What was renamed is visited again.
  if (value.includes(' ')) return undefined;
  names.set(value + ending, value);
  return { ...node, name: { ...node.name, value: value + ending } };
}

/** The variables that no operation allows to be null. */
function requiredIn(node: ASTNode): ReadonlySet<string> {
  const names = new Set<string>();
  const others = new Set<string>();
  visit(node, {
    VariableDefinition: ({ type, variable }) => void (type.kind === Kind.NON_NULL_TYPE ? names : others).add(variable.name.value),
  });
  return names.difference(others);
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
