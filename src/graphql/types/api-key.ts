import { createdAtOf } from '../../database/ids.ts';
import type { ApiKey } from '../../workspaces/api-key.ts';
import type { Scope } from '../../workspaces/scope.ts';
import { builder, globalIdDescription } from '../builder.ts';
import { toGlobalId } from '../global-id.ts';
import { DialectType } from './dialect.ts';

export const ScopeType = builder.enumType('Scope', {
  description: 'What a key may do.',
  values: {
    READ: { description: 'Reads.' },
    WRITE: { description: 'Creates, cancels and retries jobs.' },
    WORK: { description: "Claims and works in the key's workspace." },
    WORK_ALL: { description: 'Claims and works in every workspace. Only keys of the workspace `default` can have it.' },
    ADMIN: { description: 'Administers. Only keys of the workspace `default` can have it.' },
  } satisfies Record<Scope, { description: string }>,
});

export const ApiKeyType = builder.objectRef<ApiKey>('ApiKey');

builder.objectType(ApiKeyType, {
  description: 'A key of a workspace. Its secret is shown once, when it is made, and stored only as a hash.',
  interfaces: [builder.nodeInterfaceRef()],
  fields: (t) => ({
    id: t.id({
      nullable: false,
      description: globalIdDescription,
      resolve: ({ id }) => toGlobalId('ApiKey', id),
    }),
    name: t.exposeString('name', { nullable: false, description: 'The name that it was given at creation.' }),
    prefix: t.exposeString('prefix', { nullable: false, description: 'The first characters, to recognize it by.' }),
    lastUsedAt: t.expose('lastUsedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When a request with it, or with a token that it made, was last accepted, to within a few minutes; null before the first.',
    }),
    scopes: t.expose('scopes', { type: [ScopeType], nullable: false, description: 'What it may do.' }),
    dialect: t.expose('dialect', { type: DialectType, nullable: false, description: 'The API surface that it speaks.' }),
    createdAt: t.field({
      type: 'DateTime',
      nullable: false,
      description: 'When it was created or imported.',
      resolve: ({ id }) => createdAtOf(id),
    }),
    revokedAt: t.expose('revokedAt', { type: 'DateTime', nullable: true, description: 'Null while it works.' }),
  }),
});

export const ApiKeyConnection = builder.connectionObject(
  { type: ApiKeyType, name: 'ApiKeyConnection', description: 'A page of keys.' },
  { name: 'ApiKeyEdge', description: 'A key and its place in the list.' },
);
