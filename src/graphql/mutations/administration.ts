import { NotFoundError, ValidationError } from '../../errors.ts';
import type { JobType } from '../../jobs/types/job-type.ts';
import type { ApiKey } from '../../workspaces/api-key.ts';
import { createApiKey } from '../../workspaces/create-api-key.ts';
import { createWorkspace } from '../../workspaces/create-workspace.ts';
import { grantCredits } from '../../workspaces/grant-credits.ts';
import { revokeApiKey } from '../../workspaces/revoke-api-key.ts';
import type { Workspace } from '../../workspaces/workspace.ts';
import { builder } from '../builder.ts';
import { requireId } from '../global-id.ts';
import { ApiKeyType, ScopeType } from '../types/api-key.ts';
import { DialectType } from '../types/dialect.ts';
import { JobTypeType } from '../types/job-type.ts';
import { WorkspaceType } from '../types/workspace.ts';
import { mutation } from './mutation.ts';

const CreateWorkspaceInput = builder.inputType('CreateWorkspaceInput', {
  description: 'The tenant to create.',
  fields: (t) => ({
    name: t.string({ required: true, description: '1 to 200 characters.' }),
    credits: t.int({ description: 'The initial balance, 0 to 1,000,000,000. Default: 0.' }),
    concurrencyLimit: t.int({ description: 'How many jobs may run at once, 1 to 10,000. Default: unlimited.' }),
  }),
});

const CreateWorkspacePayload = builder.objectRef<{ workspace: Workspace }>('CreateWorkspacePayload').implement({
  description: 'The workspace was created.',
  fields: (t) => ({ workspace: t.expose('workspace', { type: WorkspaceType, nullable: false, description: 'The new workspace.' }) }),
});

mutation('createWorkspace', {
  scopes: ['ADMIN'],
  description: 'ADMIN. Creates a tenant.',
  input: { type: CreateWorkspaceInput, description: 'The tenant.' },
  payload: CreateWorkspacePayload,
  errors: [ValidationError],
  resolve: async (input, context) => ({ workspace: await createWorkspace(context, input, context.viewer) }),
});

const UpdateWorkspaceInput = builder.inputType('UpdateWorkspaceInput', {
  description: 'What is left out stays as it was.',
  fields: (t) => ({
    id: t.id({ required: true, description: "The workspace's global id or plain UUID." }),
    name: t.string({ description: '1 to 200 characters.' }),
    concurrencyLimit: t.int({ description: 'How many jobs may run at once, 1 to 10,000; null takes the limit away. A lower one stops claims, not what runs.' }),
    paused: t.boolean({ description: 'Whether its jobs wait. What runs goes on.' }),
  }),
});

const UpdateWorkspacePayload = builder.objectRef<{ workspace: Workspace }>('UpdateWorkspacePayload').implement({
  description: 'The workspace was changed.',
  fields: (t) => ({ workspace: t.expose('workspace', { type: WorkspaceType, nullable: false, description: 'As it is now.' }) }),
});

mutation('updateWorkspace', {
  scopes: ['ADMIN'],
  description: 'ADMIN. Renames, limits or pauses a workspace.',
  input: { type: UpdateWorkspaceInput, description: 'The change.' },
  payload: UpdateWorkspacePayload,
  errors: [NotFoundError, ValidationError],
  resolve: async ({ id, ...update }, { jobs, viewer }) => ({ workspace: await jobs.updateWorkspace(requireId('Workspace', id), update, viewer) }),
});

const UpdateJobTypeInput = builder.inputType('UpdateJobTypeInput', {
  description: 'A job type to pause or to let go on.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'Name of a job type: see `jobTypes`.' }),
    paused: t.boolean({ required: true, description: 'Whether its jobs wait, in every workspace. What runs goes on.' }),
  }),
});

const UpdateJobTypePayload = builder.objectRef<{ jobType: JobType }>('UpdateJobTypePayload').implement({
  description: 'The type was changed.',
  fields: (t) => ({ jobType: t.expose('jobType', { type: JobTypeType, nullable: false, description: 'As it is now.' }) }),
});

mutation('updateJobType', {
  scopes: ['ADMIN'],
  description: 'ADMIN. Lets the jobs of a type wait, or lets them go on, in every workspace.',
  input: { type: UpdateJobTypeInput, description: 'The change.' },
  payload: UpdateJobTypePayload,
  errors: [NotFoundError, ValidationError],
  resolve: async ({ name, paused }, { jobs, viewer }) => ({ jobType: await jobs.pauseType(name, paused, viewer) }),
});

const GrantCreditsInput = builder.inputType('GrantCreditsInput', {
  description: "Credits to add to a workspace's balance.",
  fields: (t) => ({
    workspaceId: t.id({ required: true, description: "The workspace's global id or plain UUID." }),
    amount: t.int({ required: true, description: '1 to 1,000,000,000.' }),
    idempotencyKey: t.string({ description: 'Calls with the same key and amount within 24 hours grant once.' }),
  }),
});

const GrantCreditsPayload = builder.objectRef<{ workspace: Workspace }>('GrantCreditsPayload').implement({
  description: 'The credits were granted, by this call or an earlier one with the same key.',
  fields: (t) => ({
    workspace: t.expose('workspace', { type: WorkspaceType, nullable: false, description: 'The workspace with its new balance.' }),
  }),
});

mutation('grantCredits', {
  scopes: ['ADMIN'],
  description: "ADMIN. Adds credits to a workspace's balance, up to 10^15. Only refunds may take it above that.",
  input: { type: GrantCreditsInput, description: 'The grant.' },
  payload: GrantCreditsPayload,
  errors: [NotFoundError, ValidationError],
  resolve: async (input, { database, viewer }) => ({
    workspace: await grantCredits(database, { ...input, workspaceId: requireId('Workspace', input.workspaceId) }, viewer),
  }),
});

const CreateApiKeyInput = builder.inputType('CreateApiKeyInput', {
  description: 'The key to create or import.',
  fields: (t) => ({
    workspaceId: t.id({ required: true, description: "The workspace's global id or plain UUID." }),
    name: t.string({ required: true, description: '1 to 200 characters.' }),
    scopes: t.field({ type: [ScopeType], required: true, description: 'At least one.' }),
    dialect: t.field({
      type: DialectType,
      description: 'The REST dialect that the key speaks. Default: NATIVE.',
    }),
    secret: t.string({
      description:
        'An existing key to import, so that an old client only has to change its base URL. 16 to 200 visible ASCII ' +
        'characters. Default: a new key.',
    }),
  }),
});

const CreateApiKeyPayload = builder.objectRef<{ apiKey: ApiKey; secret: string }>('CreateApiKeyPayload').implement({
  description: 'The key works from now on.',
  fields: (t) => ({
    apiKey: t.expose('apiKey', { type: ApiKeyType, nullable: false, description: 'The new key.' }),
    secret: t.exposeString('secret', { nullable: false, description: 'Shown only this once, and stored only as a hash.' }),
  }),
});

mutation('createApiKey', {
  scopes: ['ADMIN'],
  description: 'ADMIN. Creates a key, or imports one that a client already has.',
  input: { type: CreateApiKeyInput, description: 'The key.' },
  payload: CreateApiKeyPayload,
  errors: [NotFoundError, ValidationError],
  resolve: (input, { database, viewer }) =>
    createApiKey(database, { ...input, workspaceId: requireId('Workspace', input.workspaceId) }, viewer),
});

const RevokeApiKeyInput = builder.inputType('RevokeApiKeyInput', {
  description: 'The key to revoke.',
  fields: (t) => ({ id: t.id({ required: true, description: "The key's global id." }) }),
});

const RevokeApiKeyPayload = builder.objectRef<{ apiKey: ApiKey }>('RevokeApiKeyPayload').implement({
  description: 'The key no longer works, on any process.',
  fields: (t) => ({ apiKey: t.expose('apiKey', { type: ApiKeyType, nullable: false, description: 'Its current state.' }) }),
});

mutation('revokeApiKey', {
  scopes: ['ADMIN'],
  description: 'ADMIN. Revokes a key for good. Revoking it again changes nothing.',
  input: { type: RevokeApiKeyInput, description: 'The key.' },
  payload: RevokeApiKeyPayload,
  errors: [NotFoundError, ValidationError],
  resolve: async (input, { database, authenticator, viewer }) => {
    const id = requireId('ApiKey', input.id);
    return { apiKey: await revokeApiKey(database, authenticator, id, viewer) };
  },
});
