import SchemaBuilder from '@pothos/core';
import ComplexityPlugin from '@pothos/plugin-complexity';
import ErrorsPlugin from '@pothos/plugin-errors';
import RelayPlugin from '@pothos/plugin-relay';
import ScopeAuthPlugin from '@pothos/plugin-scope-auth';
import { LonghaulError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import { unauthenticated } from '../workspaces/authenticate.ts';
import type { Scope } from '../workspaces/scope.ts';
import type { Viewer } from '../workspaces/viewer.ts';
import { noteRefusal } from './audited.ts';
import type { GraphQLContext } from './context.ts';

/** The TypeScript types behind the schema. */
interface SchemaShape {
  Context: GraphQLContext;
  Scalars: {
    ID: { Input: string; Output: string };
    DateTime: { Input: Date; Output: Date };
    JSON: { Input: JsonValue; Output: JsonValue };
    JSONObject: { Input: JsonObject; Output: JsonObject };
    URL: { Input: string; Output: string };
    BigInt: { Input: number; Output: number };
  };
  /**
   * `anyOf`: the viewer has one of these scopes. `key`: the viewer came with a key, not with an access token. `creates`: the
   * viewer came with an access token that creates jobs.
   */
  AuthScopes: { anyOf: readonly Scope[]; key: boolean; creates: boolean };
  /** A caller that passed the `anyOf` check has a viewer. */
  AuthContexts: { anyOf: GraphQLContext & { viewer: Viewer }; key: GraphQLContext; creates: GraphQLContext & { viewer: Viewer } };
  DefaultEdgesNullability: false;
  DefaultNodeNullability: false;
}

export const globalIdDescription = 'Opaque. Its prefix names the type. Accepted wherever an id of that type is.';

export type SchemaTypes = PothosSchemaTypes.ExtendDefaultTypes<SchemaShape>;

export const builder = new SchemaBuilder<SchemaShape>({
  plugins: [ScopeAuthPlugin, ErrorsPlugin, RelayPlugin, ComplexityPlugin],
  scopeAuth: {
    authorizeOnSubscribe: true,
    authScopes: ({ viewer }) => ({
      anyOf: (scopes) => viewer !== null && scopes.some((scope) => viewer.scopes.has(scope)),
      key: viewer !== null && viewer.restriction === null,
      creates: viewer !== null && viewer.restriction !== null && viewer.scopes.has('WRITE'),
    }),
    unauthorizedError: (_parent, context, { parentType, fieldName }, { failure }) => {
      const { viewer } = context;
      if (viewer === null) return unauthenticated();
      if (parentType.name === 'Mutation' || parentType.name === 'Query') noteRefusal(context, fieldName, 'FORBIDDEN');
      return new LonghaulError('FORBIDDEN', forbidden(viewer, failure));
    },
  },
  errors: { directResult: true },
  complexity: {
    defaultComplexity: 1,
    // For lists that are not paged: attempts, tags, job types.
    defaultListMultiplier: 10,
  },
  relay: {
    cursorType: 'String',
    idFieldOptions: { description: globalIdDescription },
    edgesFieldOptions: {
      nullable: false,
      description: 'The items of this page, in list order.',
      // The connection's own cost already multiplies by the page size.
      complexity: { field: 1, multiplier: 1 },
    },
    nodeFieldOptions: { nullable: false, description: 'The item at this place.' },
    pageInfoFieldOptions: { description: 'The position of this page in its list.' },
    // We define `node` and `nodes` ourselves: they answer null for every id that names nothing, even a malformed one.
    nodeQueryOptions: false,
    nodesQueryOptions: false,
    nodeTypeOptions: { description: 'Anything that can be read again by its id.' },
    pageInfoTypeOptions: { description: 'The position of a page in its list: https://relay.dev/graphql/connections.htm' },
    hasNextPageFieldOptions: { description: 'Whether the list goes on after this page.' },
    hasPreviousPageFieldOptions: { description: 'Whether the list has items before this page.' },
    startCursorFieldOptions: { description: 'Cursor of the first edge; null if the page is empty.' },
    endCursorFieldOptions: { description: 'Cursor of the last edge; null if the page is empty.' },
    cursorFieldOptions: { description: 'The position of this edge in its list. Pass it as `after` or `before`.' },
    firstArgOptions: { description: 'Number of items from the start, 1 to 100. Default: 20 if `last` is not given either.' },
    afterArgOptions: { description: 'Only items after this cursor.' },
    lastArgOptions: { description: 'Number of items from the end, 1 to 100.' },
    beforeArgOptions: { description: 'Only items before this cursor.' },
  },
});

function forbidden({ restriction }: Viewer, failure: object): string {
  if (restriction !== null) return 'An access token opens only its own job or tags, and does only what its scopes say. Use a key for this.';
  return `The key lacks the scope for this${neededScopes(failure)}.`;
}

/** Finds the required scopes in the plugin's failure, which may nest other failures. */
function neededScopes(failure: object): string {
  if ('parameter' in failure && Array.isArray(failure.parameter)) return `: it needs ${failure.parameter.join(' or ')}`;
  return 'failures' in failure && Array.isArray(failure.failures) ? failure.failures.map(neededScopes).join('') : '';
}
