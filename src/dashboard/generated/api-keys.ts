/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
/** The key to create or import. */
export type CreateApiKeyInput = {
  /** The REST dialect that the key speaks. Default: NATIVE. */
  dialect?: Dialect | null | undefined;
  /** 1 to 200 characters. */
  name: string;
  /** At least one. */
  scopes: Array<Scope>;
  /** An existing key to import, so that an old client only has to change its base URL. 16 to 200 visible ASCII characters. Default: a new key. */
  secret?: string | null | undefined;
  /** The workspace's global id or plain UUID. */
  workspaceId: string | number;
};

/** The API surface that a key speaks. A NATIVE key works with GraphQL and in every dialect; the others only in their own. */
export type Dialect =
  /** GraphQL, and every dialect, chosen by prefix, host or path. */
  | 'NATIVE'
  /** RevidAPI: keys in the header x-api-key. */
  | 'REVID'
  /** VideoConduit: keys like vc_…. */
  | 'VIDEOCONDUIT'
  /** Vidocu: keys like vdo_live_…. */
  | 'VIDOCU'
  /** Vydra: keys like vydra_live_user_…. */
  | 'VYDRA';

/** The key to revoke. */
export type RevokeApiKeyInput = {
  /** The key's global id. */
  id: string | number;
};

/** What a key may do. */
export type Scope =
  /** Administers. Only keys of the workspace `default` can have it. */
  | 'ADMIN'
  /** Reads. */
  | 'READ'
  /** Claims and works in the key's workspace. */
  | 'WORK'
  /** Claims and works in every workspace. Only keys of the workspace `default` can have it. */
  | 'WORK_ALL'
  /** Creates, cancels and retries jobs. */
  | 'WRITE';

export type ListedKeyFragment = { id: string, name: string, prefix: string, scopes: Array<Scope>, dialect: Dialect, createdAt: string, lastUsedAt: string | null, revokedAt: string | null };

export type ListKeysQueryVariables = Exact<{
  workspaceId: string | number;
  first?: number | null | undefined;
  after?: string | null | undefined;
  last?: number | null | undefined;
  before?: string | null | undefined;
}>;


export type ListKeysQuery = { node:
    | { kind: 'ApiKey' }
    | { kind: 'Artifact' }
    | { kind: 'AuditEntry' }
    | { kind: 'BulkAction' }
    | { kind: 'CreditTransaction' }
    | { kind: 'Job' }
    | { kind: 'Schedule' }
    | { kind: 'Upload' }
    | { kind: 'WebhookDelivery' }
    | { kind: 'Worker' }
    | { id: string, name: string, kind: 'Workspace', apiKeys: { edges: Array<{ node: { id: string, name: string, prefix: string, scopes: Array<Scope>, dialect: Dialect, createdAt: string, lastUsedAt: string | null, revokedAt: string | null } }>, pageInfo: { hasNextPage: boolean, hasPreviousPage: boolean, startCursor: string | null, endCursor: string | null } } }
   | null };

export type MakeKeyMutationVariables = Exact<{
  input: CreateApiKeyInput;
}>;


export type MakeKeyMutation = { createApiKey:
    | { secret: string, apiKey: { id: string, name: string, prefix: string, scopes: Array<Scope>, dialect: Dialect, createdAt: string, lastUsedAt: string | null, revokedAt: string | null } }
    | { code: string, message: string }
    | { code: string, message: string, issues: Array<{ path: Array<string>, message: string }> }
   | null };

export type RevokeKeyMutationVariables = Exact<{
  input: RevokeApiKeyInput;
}>;


export type RevokeKeyMutation = { revokeApiKey:
    | { code: string, message: string }
    | { apiKey: { id: string, name: string, prefix: string, scopes: Array<Scope>, dialect: Dialect, createdAt: string, lastUsedAt: string | null, revokedAt: string | null } }
    | { code: string, message: string }
   | null };

export class TypedDocumentString<TResult, TVariables>
  extends String
  implements DocumentTypeDecoration<TResult, TVariables>
{
  __apiType?: NonNullable<DocumentTypeDecoration<TResult, TVariables>['__apiType']>;
  private value: string;
  public __meta__?: Record<string, any> | undefined;

  constructor(value: string, __meta__?: Record<string, any> | undefined) {
    super(value);
    this.value = value;
    this.__meta__ = __meta__;
  }

  override toString(): string & DocumentTypeDecoration<TResult, TVariables> {
    return this.value;
  }
}
export const ListedKeyFragmentDoc = new TypedDocumentString(`
    fragment ListedKey on ApiKey {
  id
  name
  prefix
  scopes
  dialect
  createdAt
  lastUsedAt
  revokedAt
}
    `, {"fragmentName":"ListedKey"}) as unknown as TypedDocumentString<ListedKeyFragment, unknown>;
export const ListKeysDocument = new TypedDocumentString(`
    query ListKeys($workspaceId: ID!, $first: Int, $after: String, $last: Int, $before: String) {
  node(id: $workspaceId) {
    kind: __typename
    ... on Workspace {
      id
      name
      apiKeys(first: $first, after: $after, last: $last, before: $before) {
        edges {
          node {
            ...ListedKey
          }
        }
        pageInfo {
          hasNextPage
          hasPreviousPage
          startCursor
          endCursor
        }
      }
    }
  }
}
    fragment ListedKey on ApiKey {
  id
  name
  prefix
  scopes
  dialect
  createdAt
  lastUsedAt
  revokedAt
}`) as unknown as TypedDocumentString<ListKeysQuery, ListKeysQueryVariables>;
export const MakeKeyDocument = new TypedDocumentString(`
    mutation MakeKey($input: CreateApiKeyInput!) {
  createApiKey(input: $input) {
    ... on CreateApiKeyPayload {
      secret
      apiKey {
        ...ListedKey
      }
    }
    ... on UserError {
      code
      message
    }
    ... on ValidationError {
      issues {
        path
        message
      }
    }
  }
}
    fragment ListedKey on ApiKey {
  id
  name
  prefix
  scopes
  dialect
  createdAt
  lastUsedAt
  revokedAt
}`) as unknown as TypedDocumentString<MakeKeyMutation, MakeKeyMutationVariables>;
export const RevokeKeyDocument = new TypedDocumentString(`
    mutation RevokeKey($input: RevokeApiKeyInput!) {
  revokeApiKey(input: $input) {
    ... on RevokeApiKeyPayload {
      apiKey {
        ...ListedKey
      }
    }
    ... on UserError {
      code
      message
    }
  }
}
    fragment ListedKey on ApiKey {
  id
  name
  prefix
  scopes
  dialect
  createdAt
  lastUsedAt
  revokedAt
}`) as unknown as TypedDocumentString<RevokeKeyMutation, RevokeKeyMutationVariables>;