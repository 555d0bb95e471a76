import SchemaBuilder from '@pothos/core';
import ErrorsPlugin from '@pothos/plugin-errors';
import RelayPlugin from '@pothos/plugin-relay';
import ScopeAuthPlugin from '@pothos/plugin-scope-auth';
import { LonghaulError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../jobs/job.ts';
import { unauthenticated } from '../workspaces/authenticate.ts';
import type { Scope } from '../workspaces/scope.ts';
import type { Viewer } from '../workspaces/viewer.ts';
import type { GraphQLContext } from './context.ts';
import { type NodeType, toGlobalId } from './global-id.ts';

/** The types that the schema is built of. */
interface SchemaShape {
  Context: GraphQLContext;
  Scalars: {
    ID: { Input: string; Output: string };
    DateTime: { Input: Date; Output: Date };
    JSON: { Input: JsonValue; Output: JsonValue };
    JSONObject: { Input: JsonObject; Output: JsonObject };
    URL: { Input: string; Output: string };
  };
  /** Any one of these scopes. */
  AuthScopes: { anyOf: readonly Scope[] };
  /** Whoever passed a field's scopes has a viewer. */
  AuthContexts: { anyOf: GraphQLContext & { viewer: Viewer } };
  DefaultEdgesNullability: false;
  DefaultNodeNullability: false;
}

export const builder = new SchemaBuilder<SchemaShape>({
  plugins: [ScopeAuthPlugin, ErrorsPlugin, RelayPlugin],
  scopeAuth: {
    authorizeOnSubscribe: true,
    authScopes: ({ viewer }) => ({ anyOf: (scopes) => viewer !== null && scopes.some((scope) => viewer.scopes.has(scope)) }),
    unauthorizedError: (_parent, { viewer }, _info, { failure }) =>
      viewer === null
        ? unauthenticated()
        : new LonghaulError('FORBIDDEN', `The key lacks the scope for this${neededScope(failure)}.`),
  },
  errors: { directResult: true },
  relay: {
    cursorType: 'String',
    edgesFieldOptions: { nullable: false },
    nodeFieldOptions: { nullable: false },
    // `node` and `nodes` are our own: an id that names nothing is null there, whatever its form.
    nodeQueryOptions: false,
    nodesQueryOptions: false,
    encodeGlobalID: (typename, id) => toGlobalId(nodeType(typename), String(id)),
    nodeTypeOptions: { description: 'Anything that can be read again by its id.' },
    pageInfoTypeOptions: { description: 'Where a page stands in its list: https://relay.dev/graphql/connections.htm' },
    hasNextPageFieldOptions: { description: 'Whether the list goes on after this page.' },
    hasPreviousPageFieldOptions: { description: 'Whether the list has anything before this page.' },
    startCursorFieldOptions: { description: 'Cursor of the first edge; null where the page is empty.' },
    endCursorFieldOptions: { description: 'Cursor of the last edge; null where the page is empty.' },
    cursorFieldOptions: { description: 'Place of this edge in its list: give it as `after` or `before`.' },
    firstArgOptions: { description: 'So many from the front: 1 to 100; 20 where neither first nor last is given.' },
    afterArgOptions: { description: 'Only what follows this cursor.' },
    lastArgOptions: { description: 'So many from the end: 1 to 100.' },
    beforeArgOptions: { description: 'Only what stands before this cursor.' },
  },
});

function neededScope(failure: { kind: string; parameter?: unknown }): string {
  return Array.isArray(failure.parameter) ? `: it needs ${failure.parameter.join(' or ')}` : '';
}

function nodeType(typename: string): NodeType {
  switch (typename) {
    case 'Job':
    case 'Workspace':
    case 'CreditTransaction':
    case 'WebhookDelivery':
    case 'ApiKey':
      return typename;
    default:
      throw new Error(`${typename} has no global id`);
  }
}
