import type { GraphQLSchema } from 'graphql';
import './types/scalars.ts';
import './types/errors.ts';
import './queries.ts';
import './mutations.ts';
import './access-tokens.ts';
import './webhooks.ts';
import './administration.ts';
import './subscriptions.ts';
import { builder } from './builder.ts';

/** The executable schema. schema/schema.graphql is printed from it. */
export const schema: GraphQLSchema = builder.toSchema();
