/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
export type ListedEntryFragment = { id: string, at: string, action: string, actor: string | null, target: string | null, outcome: string, details: Record<string, unknown>, ipAddress: string | null };

export type ListAuditQueryVariables = Exact<{
  workspaceId: string | number;
  actions?: Array<string> | string | null | undefined;
  first?: number | null | undefined;
  after?: string | null | undefined;
  last?: number | null | undefined;
  before?: string | null | undefined;
}>;


export type ListAuditQuery = { node:
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
    | { id: string, name: string, kind: 'Workspace', auditEntries: { edges: Array<{ node: { id: string, at: string, action: string, actor: string | null, target: string | null, outcome: string, details: Record<string, unknown>, ipAddress: string | null } }>, pageInfo: { hasNextPage: boolean, hasPreviousPage: boolean, startCursor: string | null, endCursor: string | null } } }
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
export const ListedEntryFragmentDoc = new TypedDocumentString(`
    fragment ListedEntry on AuditEntry {
  id
  at
  action
  actor
  target
  outcome
  details
  ipAddress
}
    `, {"fragmentName":"ListedEntry"}) as unknown as TypedDocumentString<ListedEntryFragment, unknown>;
export const ListAuditDocument = new TypedDocumentString(`
    query ListAudit($workspaceId: ID!, $actions: [String!], $first: Int, $after: String, $last: Int, $before: String) {
  node(id: $workspaceId) {
    kind: __typename
    ... on Workspace {
      id
      name
      auditEntries(
        actions: $actions
        first: $first
        after: $after
        last: $last
        before: $before
      ) {
        edges {
          node {
            ...ListedEntry
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
    fragment ListedEntry on AuditEntry {
  id
  at
  action
  actor
  target
  outcome
  details
  ipAddress
}`) as unknown as TypedDocumentString<ListAuditQuery, ListAuditQueryVariables>;