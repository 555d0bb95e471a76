import { NotFoundError, ValidationError } from '../../errors.ts';
import type { ApiKey } from '../../workspaces/api-key.ts';
import { createApiKey } from '../../workspaces/create-api-key.ts';
import { createWorkspace } from '../../workspaces/create-workspace.ts';
import { grantCredits } from '../../workspaces/grant-credits.ts';
import { revokeApiKey } from '../../workspaces/revoke-api-key.ts';
import type { Workspace } from '../../workspaces/workspace.ts';
import { builder } from '../builder.ts';
import { requireId } from '../global-id.ts';
import { ApiKeyType, DialectType, ScopeType } from '../types/api-key.ts';
import { WorkspaceType } from '../types/workspace.ts';
import { mutation } from './mutation.ts';

const CreateWorkspaceInput = builder.inputType('CreateWorkspaceInput', {
  description: 'A tenant to be created.',
  fields: (t) => ({
    name: t.string({ required: true, description: '1 to 200 characters.' }),
    credits: t.int({ description: 'Its first grant; 0 where not given.' }),
    concurrencyLimit: t.int({ description: '1 to 10,000 jobs at once; unlimited where not given.' }),
  }),
});

const CreateWorkspacePayload = builder.objectRef<{ workspace: Workspace }>('CreateWorkspacePayload').implement({
  description: 'The workspace was created.',
  fields: (t) => ({ workspace: t.expose('workspace', { type: WorkspaceType, nullable: false, description: 'The new one.' }) }),
});

mutation('createWorkspace', {
  scopes: ['ADMIN'],
  description: 'ADMIN. Creates a tenant.',
  input: { type: CreateWorkspaceInput, description: 'The tenant.' },
  payload: CreateWorkspacePayload,
  errors: [ValidationError],
  resolve: async (input, { database }) => ({ workspace: await createWorkspace(database, input) }),
});

const GrantCreditsInput = builder.inputType('GrantCreditsInput', {
  description: "Credits to be added to a workspace's balance.",
  fields: (t) => ({
    workspaceId: t.id({ required: true, description: "The workspace's global id or plain UUID." }),
    amount: t.int({ required: true, description: 'At least 1.' }),
    idempotencyKey: t.string({ description: 'Same key and same amount within 24 hours: granted once.' }),
  }),
});

const GrantCreditsPayload = builder.objectRef<{ workspace: Workspace }>('GrantCreditsPayload').implement({
  description: 'The credits were granted, now or by an earlier call with the same key.',
  fields: (t) => ({
    workspace: t.expose('workspace', { type: WorkspaceType, nullable: false, description: 'With its balance now.' }),
  }),
});

mutation('grantCredits', {
  scopes: ['ADMIN'],
  description: "ADMIN. Adds credits to a workspace's balance.",
  input: { type: GrantCreditsInput, description: 'The grant.' },
  payload: GrantCreditsPayload,
  errors: [NotFoundError, ValidationError],
  resolve: async (input, { database }) => ({
    workspace: await grantCredits(database, { ...input, workspaceId: requireId('Workspace', input.workspaceId) }),
  }),
});

const CreateApiKeyInput = builder.inputType('CreateApiKeyInput', {
  description: 'A key to be made or imported.',
  fields: (t) => ({
    workspaceId: t.id({ required: true, description: "The workspace's global id or plain UUID." }),
    name: t.string({ required: true, description: '1 to 200 characters.' }),
    scopes: t.field({ type: [ScopeType], required: true, description: 'At least one.' }),
    dialect: t.field({
      type: DialectType,
      description: 'The REST dialect whose key format this key has; NATIVE where not given.',
    }),
    secret: t.string({
      description:
        'Imports an existing key, so that an old client changes nothing but its base URL; made where not given. ' +
        '16 to 200 visible ASCII characters.',
    }),
  }),
});

const CreateApiKeyPayload = builder.objectRef<{ apiKey: ApiKey; secret: string }>('CreateApiKeyPayload').implement({
  description: 'The key is in force.',
  fields: (t) => ({
    apiKey: t.expose('apiKey', { type: ApiKeyType, nullable: false, description: 'The new one.' }),
    secret: t.exposeString('secret', { nullable: false, description: 'Shown this once, stored only as a hash.' }),
  }),
});

mutation('createApiKey', {
  scopes: ['ADMIN'],
  description: 'ADMIN. Makes a key, or imports one that a client already has.',
  input: { type: CreateApiKeyInput, description: 'The key.' },
  payload: CreateApiKeyPayload,
  errors: [NotFoundError, ValidationError],
  resolve: (input, { database }) =>
    createApiKey(database, { ...input, workspaceId: requireId('Workspace', input.workspaceId) }),
});

const RevokeApiKeyInput = builder.inputType('RevokeApiKeyInput', {
  description: 'A key to be ended.',
  fields: (t) => ({ id: t.id({ required: true, description: "The key's global id." }) }),
});

const RevokeApiKeyPayload = builder.objectRef<{ apiKey: ApiKey }>('RevokeApiKeyPayload').implement({
  description: 'The key is out of force, on every process.',
  fields: (t) => ({ apiKey: t.expose('apiKey', { type: ApiKeyType, nullable: false, description: 'As it is now.' }) }),
});

mutation('revokeApiKey', {
  scopes: ['ADMIN'],
  description: 'ADMIN. Ends a key for good. Revoking it again changes nothing.',
  input: { type: RevokeApiKeyInput, description: 'The key.' },
  payload: RevokeApiKeyPayload,
  errors: [NotFoundError, ValidationError],
  resolve: async (input, { database, authenticator }) => {
    const id = requireId('ApiKey', input.id);
    return { apiKey: await revokeApiKey(database, authenticator, id) };
  },
});
