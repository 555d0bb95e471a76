import { complexityFromQuery } from '@pothos/plugin-complexity';
import {
  type DocumentNode,
  type FieldNode,
  GraphQLError,
  type GraphQLSchema,
  Kind,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import { introspectionCost } from './introspection-cost.ts';

/** The cost of an operation: the number of fields to resolve if every list were full. */
export class Price {
  readonly #schema: GraphQLSchema;
  readonly #document: DocumentNode;
  readonly #introspection: number;
  /** Null if the price depends on variables. */
  readonly #fixed: number | null;

  /** @param document a valid document with exactly one operation */
  constructor(schema: GraphQLSchema, document: DocumentNode) {
    this.#schema = schema;
    this.#document = document;
    this.#introspection = introspectionCost(document);
    this.#fixed = dependsOnVariables(schema, document) ? null : complexityOf(schema, withoutVariables(document), {});
  }

  /** Null if the variables are invalid. */
  of(variables: Readonly<Record<string, unknown>>): number | null {
    if (this.#fixed !== null) return this.#fixed + this.#introspection;
    try {
      return complexityOf(this.#schema, this.#document, variables) + this.#introspection;
    } catch (error) {
      if (error instanceof GraphQLError) return null;
      throw error;
    }
  }
}

function complexityOf(schema: GraphQLSchema, document: DocumentNode, variables: Readonly<Record<string, unknown>>): number {
  return complexityFromQuery(document, { schema, ctx: {}, variables: { ...variables } }).complexity;
}

function withoutVariables(document: DocumentNode): DocumentNode {
  const definitions = document.definitions.map((each) =>
    each.kind === Kind.OPERATION_DEFINITION ? { ...each, variableDefinitions: [] } : each,
  );
  return { ...document, definitions };
}

/** Whether a field that is priced by its arguments gets a variable as one of them. */
function dependsOnVariables(schema: GraphQLSchema, document: DocumentNode): boolean {
  let depends = false;
  const types = new TypeInfo(schema);
  visit(
    document,
    visitWithTypeInfo(types, {
      Field: (node) => {
        if (typeof types.getFieldDef()?.extensions['complexity'] === 'function') depends ||= takesVariable(node);
      },
    }),
  );
  return depends;
}

function takesVariable({ arguments: given = [] }: FieldNode): boolean {
  let takes = false;
  for (const argument of given) {
    visit(argument, { [Kind.VARIABLE]: () => void (takes = true) });
  }
  return takes;
}
