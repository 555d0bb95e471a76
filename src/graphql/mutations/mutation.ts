import type { InputObjectRef, ObjectRef, UnionRef } from '@pothos/core';
import { LonghaulError, ValidationError } from '../../errors.ts';
import type { Scope } from '../../workspaces/scope.ts';
import type { Viewer } from '../../workspaces/viewer.ts';
import { noteRefusal } from '../audited.ts';
import { builder, type SchemaTypes } from '../builder.ts';
import type { GraphQLContext } from '../context.ts';
import { refuseLapsed } from '../credential-watch.ts';
import { UnreadableInput } from '../read-input.ts';

builder.mutationType({
  description:
    'All changes. Expected failures are members of the result union; everything else is in `errors`.',
});

interface Mutation<Input extends object, Payload extends object> {
  /** The caller needs one of these. */
  scopes: readonly Scope[];
  /** Whether an access token with one of these scopes may ask, too. It must then be kept to what it opens. */
  forTokens?: true;
  description: string;
  input: { type: InputObjectRef<SchemaTypes, Input>; description: string };
  payload: ObjectRef<SchemaTypes, Payload>;
  /** Expected failures, which become members of the result union. */
  errors: (new (...args: never[]) => LonghaulError)[];
  /** How many jobs it may return, for its cost. Default: 1. */
  size?(input: Input): number;
  resolve(input: Input, context: GraphQLContext & { viewer: Viewer }): Payload | Promise<Payload>;
}

/** The union of what a mutation may answer. A field of this type takes the error itself, thrown or returned. */
type MutationResult = UnionRef<SchemaTypes, object, object>;

/**
 * Adds a mutation that returns a union. It is nullable, so that one thrown error does not hide the results of the others.
 *
 * @returns the union
 */
export function mutation<Input extends object, Payload extends object>(name: string, options: Mutation<Input, Payload>): MutationResult {
  return addMutation(name, options);
}

/** Not generic, because Pothos cannot infer argument types from type parameters. */
function addMutation(name: string, options: Mutation<object, object>): MutationResult {
  const sizeOf = (given: object) => (given instanceof UnreadableInput ? 1 : (options.size?.(given) ?? 1));
  const { scopes, forTokens = false, description, input, payload, errors } = options;
  const result = builder.errorUnion(`${name.charAt(0).toUpperCase()}${name.slice(1)}Result`, {
    description: `The result of ${name}.`,
    types: [...errors, payload],
    resolveType: () => payload.name,
  });
  builder.mutationField(name, (t) =>
    t.withAuth({ $all: forTokens ? { anyOf: scopes } : { anyOf: scopes, key: true } }).field({
      type: result,
      nullable: true,
      description,
      args: { input: t.arg({ type: input.type, required: true, description: input.description }) },
      complexity: options.size === undefined ? 1 : ({ input: given }) => ({ field: 1, multiplier: sizeOf(given) }),
      resolve: async (_root, { input: given }, context) => {
        try {
          // A claim before it, in the same document, may have waited.
          refuseLapsed(context.signal);
          if (given instanceof UnreadableInput) throw new ValidationError(given.issues);
          return await options.resolve(given, context);
        } catch (error) {
          // Other errors are counted where they are answered.
          if (error instanceof LonghaulError) {
            const isExpected = errors.some((Expected) => error instanceof Expected);
            if (isExpected) context.errorCounts.add(error.code);
            if (isExpected || error.code === 'FORBIDDEN') noteRefusal(context, name, error.code, given);
          }
          throw error;
        }
      },
    }),
  );
  return result;
}
