import { NotFoundError } from '../../errors.ts';
import { findWorkspace, listWorkspaces } from '../../workspaces/find.ts';
import { builder } from '../builder.ts';
import { pageCost, readPage } from '../connection.ts';
import { WorkspaceConnection, WorkspaceType } from '../types/workspace.ts';

builder.queryFields((t) => ({
  workspace: t.withAuth({ $any: { anyOf: ['READ'], creates: true } }).field({
    type: WorkspaceType,
    nullable: false,
    description: "The workspace that the caller's key belongs to. An access token reads its id and name, and credits where it may create.",
    resolve: async (_root, _args, { database, viewer }) => {
      const workspace = await findWorkspace(database.em(), viewer.workspaceId);
      if (workspace === null) throw new NotFoundError('Workspace');
      return workspace;
    },
  }),
  workspaces: t.connection(
    {
      type: WorkspaceType,
      authScopes: { anyOf: ['ADMIN'] },
      complexity: pageCost,
      nullable: false,
      description: 'ADMIN. Every workspace, oldest first.',
      resolve: (_root, args, { database, cursors }, info) =>
        readPage({ cursors, list: 'workspaces', order: 'ASC', args, info }, (window) => listWorkspaces(database.em(), window)),
    },
    WorkspaceConnection,
  ),
}));
