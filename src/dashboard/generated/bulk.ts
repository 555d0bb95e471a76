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

/** Selects the jobs that match every given field. An empty list matches nothing, but for tags. */
export type JobFilter = {
  /** Where the submitter gave the job a reference of its own: that reference, exactly. May find several. At most 1,000 characters. */
  clientReference?: string | null | undefined;
  /** Exclusive, to the millisecond. */
  createdAfter?: string | null | undefined;
  /** Exclusive, to the millisecond. */
  createdBefore?: string | null | undefined;
  /** Jobs that came through one of these surfaces. */
  dialects?: Array<Dialect> | null | undefined;
  /** Jobs that FAILED with one of these codes. At most 100. */
  errorCodes?: Array<string> | null | undefined;
  /** Exclusive, to the millisecond. Looked for among the jobs of the other filters; UNAVAILABLE if that takes too long. */
  finishedAfter?: string | null | undefined;
  /** As finishedAfter. */
  finishedBefore?: string | null | undefined;
  /** These jobs, by global id, UUID or vendorId. At most 100. */
  ids?: Array<string | number> | null | undefined;
  /** Jobs that one of these schedules created, by global id. At most 100. */
  scheduleIds?: Array<string | number> | null | undefined;
  /** Jobs with one of these statuses. */
  statuses?: Array<JobStatus> | null | undefined;
  /** Jobs with all of these tags. At most 20. */
  tags?: Array<string> | null | undefined;
  /** Jobs of one of these types. At most 100. */
  types?: Array<string> | null | undefined;
  /** Jobs at which one of these workers has had an attempt, or has one. At most 100. */
  workerIds?: Array<string> | null | undefined;
};

/** The state of a job. The last three are final. */
export type JobStatus =
  /** Cancelled by a client; its credits were refunded. */
  | 'CANCELLED'
  /** Ended with a result. */
  | 'COMPLETED'
  /** Every attempt failed, or a worker declared the failure final. */
  | 'FAILED'
  /** Accepted and waiting: for a worker, for its runAt, or for the next attempt. */
  | 'PENDING'
  /** Leased by a worker. */
  | 'RUNNING';

/** What to do to which jobs. */
export type StartBulkActionInput = {
  /** All jobs of the workspace are meant. Required where the filter is empty. */
  everything?: boolean | null | undefined;
  /** Which jobs. An empty one is all jobs of the workspace: say so with everything. An id that names none of its jobs is a ValidationError. */
  filter?: JobFilter | null | undefined;
  /** Requests with the same key and content within 24 hours are one action. At most 255 characters. Keys of jobs are others. */
  idempotencyKey?: string | null | undefined;
  /** What to do to each of them. */
  kind: BulkActionKind;
  /** For CANCEL: stored as cancelReason. At most 1,000 characters. */
  reason?: string | null | undefined;
};

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

export type StopBulkActionMutationVariables = Exact<{
  input: StopBulkActionInput;
}>;


export type StopBulkActionMutation = { stopBulkAction:
    | { code: string, message: string }
    | { bulkAction: { id: string, kind: BulkActionKind, status: BulkActionStatus, filter: Record<string, unknown>, reason: string | null, seen: number, done: number, createdAt: string, finishedAt: string | null, total: { value: number, exact: boolean }, refusals: Array<{ code: string, count: number }>, error: { code: string, message: string } | null } }
    | { code: string, message: string }
   | null };

export type CountJobsQueryVariables = Exact<{
  filter: JobFilter;
}>;


export type CountJobsQuery = { jobs: { count: { value: number, exact: boolean } } };

export type StartBulkActionMutationVariables = Exact<{
  input: StartBulkActionInput;
}>;


export type StartBulkActionMutation = { startBulkAction:
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
export const StopBulkActionDocument = new TypedDocumentString(`
    mutation StopBulkAction($input: StopBulkActionInput!) {
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
}`) as unknown as TypedDocumentString<StopBulkActionMutation, StopBulkActionMutationVariables>;
export const CountJobsDocument = new TypedDocumentString(`
    query CountJobs($filter: JobFilter!) {
  jobs(filter: $filter, first: 1) {
    count(upTo: 100000) {
      value
      exact
    }
  }
}
    `) as unknown as TypedDocumentString<CountJobsQuery, CountJobsQueryVariables>;
export const StartBulkActionDocument = new TypedDocumentString(`
    mutation StartBulkAction($input: StartBulkActionInput!) {
  startBulkAction(input: $input) {
    ... on StartBulkActionPayload {
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
}`) as unknown as TypedDocumentString<StartBulkActionMutation, StartBulkActionMutationVariables>;