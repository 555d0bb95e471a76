import { NotFoundError, ValidationError } from '../errors.ts';
import type { ApiKey } from '../workspaces/api-key.ts';
import { createApiKey } from '../workspaces/create-api-key.ts';
import { createWorkspace } from '../workspaces/create-workspace.ts';
import { grantCredits } from '../workspaces/grant-credits.ts';
import { revokeApiKey } from '../workspaces/revoke-api-key.ts';
import type { Workspace } from '../workspaces/workspace.ts';
import { builder } from './builder.ts';
import { parseId } from './global-id.ts';
import { CreateApiKeyInput, CreateWorkspaceInput, GrantCreditsInput, RevokeApiKeyInput } from './inputs.ts';
import { ApiKeyType } from './types/api-key.ts';
import { WorkspaceType } from './types/workspace.ts';

const CreateWorkspacePayload = builder.objectRef<{ workspace: Workspace }>('CreateWorkspacePayload').implement({
  description: 'The workspace was created.',
  fields: (t) => ({ workspace: t.expose('workspace', { type: WorkspaceType, nullable: false, description: 'The new one.' }) }),
});

const GrantCreditsPayload = builder.objectRef<{ workspace: Workspace }>('GrantCreditsPayload').implement({
  description: 'The credits were granted, now or by an earlier call with the same key.',
  fields: (t) => ({
    workspace: t.expose('workspace', { type: WorkspaceType, nullable: false, description: 'With its balance now.' }),
  }),
});

const CreateApiKeyPayload = builder.objectRef<{ apiKey: ApiKey; secret: string }>('CreateApiKeyPayload').implement({
  description: 'The key is in force.',
  fields: (t) => ({
    apiKey: t.expose('apiKey', { type: ApiKeyType, nullable: false, description: 'The new one.' }),
    secret: t.exposeString('secret', { nullable: false, description: 'Shown this once, stored only as a hash.' }),
  }),
});

const RevokeApiKeyPayload = builder.objectRef<{ apiKey: ApiKey }>('RevokeApiKeyPayload').implement({
  description: 'The key is out of force, on every process.',
  fields: (t) => ({ apiKey: t.expose('apiKey', { type: ApiKeyType, nullable: false, description: 'As it is now.' }) }),
});

builder.mutationFields((t) => ({
  createWorkspace: t.withAuth({ anyOf: ['ADMIN'] }).field({
    type: CreateWorkspacePayload,
    nullable: true,
    description: 'ADMIN. Creates a tenant.',
    errors: {
      types: [ValidationError],
      union: { name: 'CreateWorkspaceResult', description: 'What createWorkspace answers.' },
    },
    args: { input: t.arg({ type: CreateWorkspaceInput, required: true, description: 'The tenant.' }) },
    resolve: async (_root, { input }, { database }) => ({ workspace: await createWorkspace(database, input) }),
  }),
  grantCredits: t.withAuth({ anyOf: ['ADMIN'] }).field({
    type: GrantCreditsPayload,
    nullable: true,
    description: "ADMIN. Adds credits to a workspace's balance.",
    errors: {
      types: [NotFoundError, ValidationError],
      union: { name: 'GrantCreditsResult', description: 'What grantCredits answers.' },
    },
    args: { input: t.arg({ type: GrantCreditsInput, required: true, description: 'The grant.' }) },
    resolve: async (_root, { input }, { database }) => ({
      workspace: await grantCredits(database, { ...input, workspaceId: workspaceId(input.workspaceId) }),
    }),
  }),
  createApiKey: t.withAuth({ anyOf: ['ADMIN'] }).field({
    type: CreateApiKeyPayload,
    nullable: true,
    description: 'ADMIN. Makes a key, or imports one that a client already has.',
    errors: {
      types: [NotFoundError, ValidationError],
      union: { name: 'CreateApiKeyResult', description: 'What createApiKey answers.' },
    },
    args: { input: t.arg({ type: CreateApiKeyInput, required: true, description: 'The key.' }) },
    resolve: (_root, { input }, { database }) =>
      createApiKey(database, { ...input, workspaceId: workspaceId(input.workspaceId) }),
  }),
  revokeApiKey: t.withAuth({ anyOf: ['ADMIN'] }).field({
    type: RevokeApiKeyPayload,
    nullable: true,
    description: 'ADMIN. Ends a key for good. Revoking it again changes nothing.',
    errors: {
      types: [NotFoundError, ValidationError],
      union: { name: 'RevokeApiKeyResult', description: 'What revokeApiKey answers.' },
    },
    args: { input: t.arg({ type: RevokeApiKeyInput, required: true, description: 'The key.' }) },
    resolve: async (_root, { input }, { database, authenticator }) => {
      const id = parseId('ApiKey', input.id);
      if (id === null) throw new NotFoundError('API key');
      return { apiKey: await revokeApiKey(database, authenticator, id) };
    },
  }),
}));

function workspaceId(id: string): string {
  const uuid = parseId('Workspace', id);
  if (uuid === null) throw new NotFoundError('Workspace');
  return uuid;
}
