import { type DocumentNode, type GraphQLSchema, Kind, TypeInfo, type ValueNode, visit, visitWithTypeInfo } from 'graphql';

/** No document can have this in a name. */
const suffix = ' as sent';

/** A document whose JSON literals take variables as they were sent. */
export interface WithSentVariables {
  document: DocumentNode;
  /** Adds the variables that its literals take. */
  complete: (variables: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>;
}

/**
 * Gives the variables in JSON literals names of their own, declared as JSON. Otherwise graphql-js would put into a literal what
 * it makes of a variable: the internal value of an enum, a Date, an ID as text.
 */
export function withSentVariables(schema: GraphQLSchema, document: DocumentNode): WithSentVariables {
  const names = new Set<string>();
  const types = new TypeInfo(schema);
  const rename = (literal: ValueNode) =>
    !isJson(types)
      ? undefined
      : visit(literal, {
          Variable: (node) => {
            // A list in a list is visited twice.
            if (node.name.value.endsWith(suffix)) return undefined;
            names.add(node.name.value);
            return { ...node, name: { ...node.name, value: node.name.value + suffix } };
          },
        });
  const renamed = visit(document, visitWithTypeInfo(types, { ObjectValue: rename, ListValue: rename }));
  if (names.size === 0) return { document, complete: (variables) => variables };
  return {
    document: visit(renamed, {
      OperationDefinition: (node) => ({
        ...node,
        variableDefinitions: node.variableDefinitions?.flatMap((each) => {
          const { name } = each.variable;
          if (!names.has(name.value)) return each;
          const type = { kind: Kind.NAMED_TYPE, name: { kind: Kind.NAME, value: 'JSON' } } as const;
          return [each, { ...each, type, variable: { ...each.variable, name: { ...name, value: name.value + suffix } } }];
        }),
      }),
    }),
    complete: (variables) => {
      const sent = [...names].filter((name) => name in variables).map((name) => [name + suffix, variables[name]]);
      return { ...variables, ...Object.fromEntries(sent) };
    },
  };
}

function isJson(types: TypeInfo): boolean {
  const name = String(types.getInputType()).replace('!', '');
  return name === 'JSON' || name === 'JSONObject';
}
