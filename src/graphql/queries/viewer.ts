import { NotFoundError } from '../../errors.ts';
import type { Verdict } from '../../rate-limit/rate-limiter.ts';
import { findApiKey, findWorkspace } from '../../workspaces/find.ts';
import { scopes } from '../../workspaces/scope.ts';
import type { Viewer } from '../../workspaces/viewer.ts';
import { builder } from '../builder.ts';
import { ApiKeyType, ScopeType } from '../types/api-key.ts';
import { WorkspaceType } from '../types/workspace.ts';

const RateLimitType = builder.objectRef<Verdict>('RateLimit').implement({
  description: 'Requests a minute of the caller, over all processes. Those of workers and subscriptions are not counted.',
  fields: (t) => ({
    limit: t.exposeInt('limit', { nullable: false, description: 'Requests in each window of a minute.' }),
    remaining: t.exposeInt('remaining', { nullable: false, description: 'Requests that are left in this window.' }),
    resetsAt: t.expose('resetsAt', { type: 'DateTime', nullable: false, description: 'When the next window begins.' }),
  }),
});

const ViewerType = builder.objectRef<Viewer>('Viewer').implement({
  description: 'Who asks.',
  fields: (t) => ({
    workspace: t.field({
      type: WorkspaceType,
      nullable: false,
      description: 'The workspace of the key or token. A token reads its id and name, and credits where it may create; a key without READ and ADMIN its id and name.',
      resolve: async ({ workspaceId }, _args, { database }) => {
        const workspace = await findWorkspace(database.em(), workspaceId);
        if (workspace === null) throw new NotFoundError('Workspace');
        return workspace;
      },
    }),
    scopes: t.field({
      type: [ScopeType],
      nullable: false,
      description: 'What the key or token may do.',
      resolve: (viewer) => scopes.filter((scope) => viewer.scopes.has(scope)),
    }),
    apiKey: t.field({
      type: ApiKeyType,
      nullable: true,
      description: 'The key, also of a session at the page; null for an access token.',
      resolve: ({ apiKeyId, restriction }, _args, { database }) => (restriction === null ? findApiKey(database.em(), apiKeyId) : null),
    }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', nullable: true, description: 'When the access token, or the session at the page, ends; null for a key.' }),
    rateLimit: t.field({
      type: RateLimitType,
      nullable: true,
      description: 'What is left of the requests a minute, after this one; null where they are not limited.',
      resolve: (viewer, _args, { rateLimiter }) => rateLimiter.look(viewer),
    }),
  }),
});

builder.queryFields((t) => ({
  viewer: t.withAuth({ anyOf: scopes }).field({
    type: ViewerType,
    nullable: false,
    description: 'Who asks: any key, and any access token.',
    resolve: (_root, _args, { viewer }) => viewer,
  }),
}));
