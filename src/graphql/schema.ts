import type { GraphQLSchema } from 'graphql';
import './types/scalars.ts';
import './types/errors.ts';
import './queries/query.ts';
import './queries/nodes.ts';
import './queries/jobs.ts';
import './queries/workspaces.ts';
import './queries/viewer.ts';
import './types/delivered-job.ts';
import './types/job-retries.ts';
import './types/job-logs.ts';
import './mutations/submitting.ts';
import './mutations/working.ts';
import './mutations/append-logs.ts';
import './mutations/uploads.ts';
import './mutations/schedules.ts';
import './mutations/access-tokens.ts';
import './mutations/webhooks.ts';
import './mutations/administration.ts';
import './mutations/bulk-actions.ts';
import './subscriptions.ts';
import { builder } from './builder.ts';
import { mutationSchemaOf } from './mutation-schema.ts';

/** What documents are validated against and queries run with. schema/schema.graphql is printed from it. */
export const schema: GraphQLSchema = builder.toSchema();

/** What mutations run with. */
export const mutationSchema: GraphQLSchema = mutationSchemaOf(schema);
