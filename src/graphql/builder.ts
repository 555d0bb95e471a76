import SchemaBuilder from '@pothos/core';
import ComplexityPlugin from '@pothos/plugin-complexity';
import ErrorsPlugin from '@pothos/plugin-errors';
import RelayPlugin from '@pothos/plugin-relay';
import ScopeAuthPlugin from '@pothos/plugin-scope-auth';
import { LonghaulError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../jobs/model/job.ts';
import { unauthenticated } from '../workspaces/authenticate.ts';
import type { Scope } from '../workspaces/scope.ts';
import type { Viewer } from '../workspaces/viewer.ts';
import type { GraphQLContext } from './context.ts';

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
  /** Any one of these scopes; and a key itself, where an access token is not enough. */
  AuthScopes: { anyOf: readonly Scope[]; key: boolean };
  /** Whoever passed a field's scopes has a viewer. */
  AuthContexts: { anyOf: GraphQLContext & { viewer: Viewer }; key: GraphQLContext };
  DefaultEdgesNullability: false;
  DefaultNodeNullability: false;
}

export const globalIdDescription = 'Opaque: its prefix tells the type. It works wherever an id of that type is taken.';

export type SchemaTypes = PothosSchemaTypes.ExtendDefaultTypes<SchemaShape>;

export const builder = new SchemaBuilder<SchemaShape>({
  plugins: [ScopeAuthPlugin, ErrorsPlugin, RelayPlugin, ComplexityPlugin],
  scopeAuth: {
    authorizeOnSubscribe: true,
    authScopes: ({ viewer }) => ({
      anyOf: (scopes) => viewer !== null && scopes.some((scope) => viewer.scopes.has(scope)),
      key: viewer !== null && viewer.restriction === null,
    }),
    unauthorizedError: (_parent, { viewer }, _info, { failure }) =>
      viewer === null
        ? unauthenticated()
        : new LonghaulError('FORBIDDEN', forbidden(viewer, failure)),
  },
  errors: { directResult: true },
  complexity: {
    defaultComplexity: 1,
    // Lists without a page: attempts, tags, job types.
    defaultListMultiplier: 10,
  },
  relay: {
    cursorType: 'String',
    idFieldOptions: { description: globalIdDescription },
    edgesFieldOptions: {
      nullable: false,
      description: 'What is on this page, in the order of the list.',
      // The connection's own cost has counted the page.
      complexity: { field: 1, multiplier: 1 },
    },
    nodeFieldOptions: { nullable: false, description: 'What stands there.' },
    pageInfoFieldOptions: { description: 'Where this page stands in its list.' },
    // `node` and `nodes` are our own: an id that names nothing is null there, whatever its form.
    nodeQueryOptions: false,
    nodesQueryOptions: false,
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

function forbidden({ restriction }: Viewer, failure: object): string {
  if (restriction !== null) return 'An access token opens only its own job or tag. Use a key for this.';
  return `The key lacks the scope for this${neededScopes(failure)}.`;
}

/** The scopes that the plugin asked for, somewhere in its account of the failure. */
function neededScopes(failure: object): string {
  if ('parameter' in failure && Array.isArray(failure.parameter)) return `: it needs ${failure.parameter.join(' or ')}`;
  return 'failures' in failure && Array.isArray(failure.failures) ? failure.failures.map(neededScopes).join('') : '';
}
