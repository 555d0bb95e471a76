import type { InputObjectRef, ObjectRef } from '@pothos/core';
import type { LonghaulError } from '../../errors.ts';
import type { Scope } from '../../workspaces/scope.ts';
import type { Viewer } from '../../workspaces/viewer.ts';
import { builder, type SchemaTypes } from '../builder.ts';
import type { GraphQLContext } from '../context.ts';

builder.mutationType({
  description:
    'Everything that changes something. Expected failures are members of the result; what is thrown is in `errors`.',
});

interface Mutation<Input extends object, Payload extends object> {
  /** One of these is needed. */
  scopes: readonly Scope[];
  /** Whether an access token is not enough. */
  needsKey?: boolean;
  description: string;
  input: { type: InputObjectRef<SchemaTypes, Input>; description: string };
  payload: ObjectRef<SchemaTypes, Payload>;
  /** Expected failures: members of the result. */
  errors: (new (...args: never[]) => LonghaulError)[];
  /** How many jobs it may answer with; 1 where not given. */
  size?(input: Input): number;
  resolve(input: Input, context: GraphQLContext & { viewer: Viewer }): Payload | Promise<Payload>;
}

/** Adds a mutation: nullable, so that one thrown error does not hide what its neighbours did, with a union as its result. */
export function mutation<Input extends object, Payload extends object>(name: string, options: Mutation<Input, Payload>): void {
  addMutation(name, options);
}

/** Pothos cannot tell the types of arguments that are type parameters. */
function addMutation(name: string, options: Mutation<object, object>): void {
  const { scopes, needsKey = false, description, input, payload, errors } = options;
  builder.mutationField(name, (t) =>
    t.withAuth({ $all: needsKey ? { anyOf: scopes, key: true } : { anyOf: scopes } }).field({
      type: payload,
      nullable: true,
      description,
      errors: {
        types: errors,
        union: { name: `${name.charAt(0).toUpperCase()}${name.slice(1)}Result`, description: `What ${name} answers.` },
      },
      args: { input: t.arg({ type: input.type, required: true, description: input.description }) },
      complexity: options.size === undefined ? 1 : ({ input: given }) => ({ field: 1, multiplier: options.size?.(given) ?? 1 }),
      resolve: (_root, args, context) => options.resolve(args.input, context),
    }),
  );
}
