/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
/** What is done to each job. */
export type BulkActionKind =
  /** Cancels jobs that have not ended. */
  | 'CANCEL'
  /** Removes jobs that have ended, with all that hangs on them but the ledger. */
  | 'DELETE'
  /** Creates a new job from each that FAILED or was CANCELLED, and charges for it. */
  | 'RETRY';

/** How far an action is. */
export type BulkActionStatus =
  /** It has looked at all jobs that it was for. */
  | 'COMPLETED'
  /** It cannot go on, for example because its workspace has no credits for retries: error says why. */
  | 'FAILED'
  /** It is carried out. */
  | 'RUNNING'
  /** Somebody has stopped it. What was done stays done. */
  | 'STOPPED';

/** The action to stop. */
export type StopBulkActionInput = {
  /** The action's global id. */
  id: string | number;
};

export type ListedBulkActionFragment = { id: string, kind: BulkActionKind, status: BulkActionStatus, filter: Record<string, unknown>, reason: string | null, seen: number, done: number, createdAt: string, finishedAt: string | null, total: { value: number, exact: boolean }, refusals: Array<{ code: string, count: number }>, error: { code: string, message: string } | null };

export type ListBulkActionsQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  last?: number | null | undefined;
  before?: string | null | undefined;
}>;


export type ListBulkActionsQuery = { workspace: { id: string, bulkActions: { edges: Array<{ node: { id: string, kind: BulkActionKind, status: BulkActionStatus, filter: Record<string, unknown>, reason: string | null, seen: number, done: number, createdAt: string, finishedAt: string | null, total: { value: number, exact: boolean }, refusals: Array<{ code: string, count: number }>, error: { code: string, message: string } | null } }>, pageInfo: { hasNextPage: boolean, hasPreviousPage: boolean, startCursor: string | null, endCursor: string | null } } } };

export type WatchBulkActionSubscriptionVariables = Exact<{
  id: string | number;
}>;


export type WatchBulkActionSubscription = { bulkActionProgress: { id: string, kind: BulkActionKind, status: BulkActionStatus, filter: Record<string, unknown>, reason: string | null, seen: number, done: number, createdAt: string, finishedAt: string | null, total: { value: number, exact: boolean }, refusals: Array<{ code: string, count: number }>, error: { code: string, message: string } | null } };

export type HaltBulkActionMutationVariables = Exact<{
  input: StopBulkActionInput;
}>;


export type HaltBulkActionMutation = { stopBulkAction:
    | { code: string, message: string }
    | { bulkAction: { id: string, kind: BulkActionKind, status: BulkActionStatus, filter: Record<string, unknown>, reason: string | null, seen: number, done: number, createdAt: string, finishedAt: string | null, total: { value: number, exact: boolean }, refusals: Array<{ code: string, count: number }>, error: { code: string, message: string } | null } }
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
export const ListedBulkActionFragmentDoc = new TypedDocumentString(`
    fragment ListedBulkAction on BulkAction {
  id
  kind
  status
  filter
  reason
  seen
  done
  total {
    value
    exact
  }
  refusals {
    code
    count
  }
  error {
    code
    message
  }
  createdAt
  finishedAt
}
    `, {"fragmentName":"ListedBulkAction"}) as unknown as TypedDocumentString<ListedBulkActionFragment, unknown>;
export const ListBulkActionsDocument = new TypedDocumentString(`
    query ListBulkActions($first: Int, $after: String, $last: Int, $before: String) {
  workspace {
    id
    bulkActions(first: $first, after: $after, last: $last, before: $before) {
      edges {
        node {
          ...ListedBulkAction
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
    fragment ListedBulkAction on BulkAction {
  id
  kind
  status
  filter
  reason
  seen
  done
  total {
    value
    exact
  }
  refusals {
    code
    count
  }
  error {
    code
    message
  }
  createdAt
  finishedAt
}`) as unknown as TypedDocumentString<ListBulkActionsQuery, ListBulkActionsQueryVariables>;
export const WatchBulkActionDocument = new TypedDocumentString(`
    subscription WatchBulkAction($id: ID!) {
  bulkActionProgress(id: $id) {
    ...ListedBulkAction
  }
}
    fragment ListedBulkAction on BulkAction {
  id
  kind
  status
  filter
  reason
  seen
  done
  total {
    value
    exact
  }
  refusals {
    code
    count
  }
  error {
    code
    message
  }
  createdAt
  finishedAt
}`) as unknown as TypedDocumentString<WatchBulkActionSubscription, WatchBulkActionSubscriptionVariables>;
export const HaltBulkActionDocument = new TypedDocumentString(`
    mutation HaltBulkAction($input: StopBulkActionInput!) {
  stopBulkAction(input: $input) {
    ... on StopBulkActionPayload {
      bulkAction {
        ...ListedBulkAction
      }
    }
    ... on UserError {
      code
      message
    }
  }
}
    fragment ListedBulkAction on BulkAction {
  id
  kind
  status
  filter
  reason
  seen
  done
  total {
    value
    exact
  }
  refusals {
    code
    count
  }
  error {
    code
    message
  }
  createdAt
  finishedAt
}`) as unknown as TypedDocumentString<HaltBulkActionMutation, HaltBulkActionMutationVariables>;