import { createdAtOf } from '../../database/ids.ts';
import type { ApiKey } from '../../workspaces/api-key.ts';
import type { Dialect } from '../../workspaces/dialect.ts';
import type { Scope } from '../../workspaces/scope.ts';
import { builder, globalIdDescription } from '../builder.ts';
import { toGlobalId } from '../global-id.ts';

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

export const DialectType = builder.enumType('Dialect', {
  description: 'The API surface that a key speaks. A NATIVE key works with GraphQL and in every dialect; the others only in their own.',
  values: {
    NATIVE: { description: 'GraphQL, and every dialect, chosen by prefix, host or path.' },
    VIDOCU: { description: 'Vidocu: keys like vdo_live_….' },
    VIDEOCONDUIT: { description: 'VideoConduit: keys like vc_….' },
    VYDRA: { description: 'Vydra: keys like vydra_live_user_….' },
    REVID: { description: 'RevidAPI: keys in the header x-api-key.' },
  } satisfies Record<Dialect, { description: string }>,
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
