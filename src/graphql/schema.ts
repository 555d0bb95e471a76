import type { GraphQLSchema } from 'graphql';
import './types/scalars.ts';
import './types/errors.ts';
import './queries/query.ts';
import './queries/nodes.ts';
import './queries/jobs.ts';
import './queries/workspaces.ts';
import './mutations/submitting.ts';
import './mutations/working.ts';
import './mutations/access-tokens.ts';
import './mutations/webhooks.ts';
import './mutations/administration.ts';
import './subscriptions.ts';
import { builder } from './builder.ts';

/** The executable schema, from which schema/schema.graphql is printed. */
export const schema: GraphQLSchema = builder.toSchema();
