/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
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

/** Selects updates of the jobs that match every given field. */
export type JobUpdatesFilter = {
  /** These jobs, by global id or plain UUID. At most 100. */
  ids?: Array<string | number> | null | undefined;
  /** Jobs with all of these tags. At most 20. */
  tags?: Array<string> | null | undefined;
  /** Jobs of one of these types. At most 100. */
  types?: Array<string> | null | undefined;
};

export type FindJobQueryVariables = Exact<{
  id: string | number;
  reference: string;
}>;


export type FindJobQuery = { job: { id: string } | null, jobs: { edges: Array<{ node: { id: string } }> } };

export type FilterValuesQueryVariables = Exact<{ [key: string]: never; }>;


export type FilterValuesQuery = { jobTypes: Array<{ name: string }>, workspace: { schedules: { edges: Array<{ node: { id: string, name: string } }> }, workers: { edges: Array<{ node: { name: string } }> } } };

export type ListedJobFragment = { id: string, uuid: string, type: string, status: JobStatus, version: number, tags: Array<string>, priority: number, maxAttempts: number, dialect: Dialect, clientReference: string | null, cancelReason: string | null, runAt: string | null, nextAttemptAt: string | null, createdAt: string, startedAt: string | null, finishedAt: string | null, updatedAt: string, progress: { step: string | null, message: string | null, percentage: number | null } | null, error: { code: string, message: string } | null, attempts: Array<{ number: number, workerId: string }>, schedule?: { id: string } | null };

export type UpdatesCursorQueryVariables = Exact<{ [key: string]: never; }>;


export type UpdatesCursorQuery = { jobUpdatesCursor: string };

export type ListJobsQueryVariables = Exact<{
  filter?: JobFilter | null | undefined;
  first?: number | null | undefined;
  after?: string | null | undefined;
  last?: number | null | undefined;
  before?: string | null | undefined;
  withSchedule: boolean;
}>;


export type ListJobsQuery = { jobs: { edges: Array<{ cursor: string, node: { id: string, uuid: string, type: string, status: JobStatus, version: number, tags: Array<string>, priority: number, maxAttempts: number, dialect: Dialect, clientReference: string | null, cancelReason: string | null, runAt: string | null, nextAttemptAt: string | null, createdAt: string, startedAt: string | null, finishedAt: string | null, updatedAt: string, progress: { step: string | null, message: string | null, percentage: number | null } | null, error: { code: string, message: string } | null, attempts: Array<{ number: number, workerId: string }>, schedule?: { id: string } | null } }>, pageInfo: { hasNextPage: boolean, hasPreviousPage: boolean, startCursor: string | null, endCursor: string | null } } };

export type ListedJobUpdatesSubscriptionVariables = Exact<{
  filter?: JobUpdatesFilter | null | undefined;
  after?: string | null | undefined;
  withSchedule: boolean;
}>;


export type ListedJobUpdatesSubscription = { jobUpdates: { cursor: string, job: { id: string, uuid: string, type: string, status: JobStatus, version: number, tags: Array<string>, priority: number, maxAttempts: number, dialect: Dialect, clientReference: string | null, cancelReason: string | null, runAt: string | null, nextAttemptAt: string | null, createdAt: string, startedAt: string | null, finishedAt: string | null, updatedAt: string, progress: { step: string | null, message: string | null, percentage: number | null } | null, error: { code: string, message: string } | null, attempts: Array<{ number: number, workerId: string }>, schedule?: { id: string } | null } } };

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
export const ListedJobFragmentDoc = new TypedDocumentString(`
    fragment ListedJob on Job {
  id
  uuid
  type
  status
  version
  progress {
    step
    message
    percentage
  }
  error {
    code
    message
  }
  tags
  priority
  attempts {
    number
    workerId
  }
  maxAttempts
  schedule @include(if: $withSchedule) {
    id
  }
  dialect
  clientReference
  cancelReason
  runAt
  nextAttemptAt
  createdAt
  startedAt
  finishedAt
  updatedAt
}
    `, {"fragmentName":"ListedJob"}) as unknown as TypedDocumentString<ListedJobFragment, unknown>;
export const FindJobDocument = new TypedDocumentString(`
    query FindJob($id: ID!, $reference: String!) {
  job(id: $id) {
    id
  }
  jobs(filter: {clientReference: $reference}, first: 2) {
    edges {
      node {
        id
      }
    }
  }
}
    `) as unknown as TypedDocumentString<FindJobQuery, FindJobQueryVariables>;
export const FilterValuesDocument = new TypedDocumentString(`
    query FilterValues {
  jobTypes {
    name
  }
  workspace {
    schedules(first: 100) {
      edges {
        node {
          id
          name
        }
      }
    }
    workers(first: 100) {
      edges {
        node {
          name
        }
      }
    }
  }
}
    `) as unknown as TypedDocumentString<FilterValuesQuery, FilterValuesQueryVariables>;
export const UpdatesCursorDocument = new TypedDocumentString(`
    query UpdatesCursor {
  jobUpdatesCursor
}
    `) as unknown as TypedDocumentString<UpdatesCursorQuery, UpdatesCursorQueryVariables>;
export const ListJobsDocument = new TypedDocumentString(`
    query ListJobs($filter: JobFilter, $first: Int, $after: String, $last: Int, $before: String, $withSchedule: Boolean!) {
  jobs(
    filter: $filter
    first: $first
    after: $after
    last: $last
    before: $before
  ) {
    edges {
      cursor
      node {
        ...ListedJob
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
    fragment ListedJob on Job {
  id
  uuid
  type
  status
  version
  progress {
    step
    message
    percentage
  }
  error {
    code
    message
  }
  tags
  priority
  attempts {
    number
    workerId
  }
  maxAttempts
  schedule @include(if: $withSchedule) {
    id
  }
  dialect
  clientReference
  cancelReason
  runAt
  nextAttemptAt
  createdAt
  startedAt
  finishedAt
  updatedAt
}`) as unknown as TypedDocumentString<ListJobsQuery, ListJobsQueryVariables>;
export const ListedJobUpdatesDocument = new TypedDocumentString(`
    subscription ListedJobUpdates($filter: JobUpdatesFilter, $after: String, $withSchedule: Boolean!) {
  jobUpdates(filter: $filter, after: $after) {
    cursor
    job {
      ...ListedJob
    }
  }
}
    fragment ListedJob on Job {
  id
  uuid
  type
  status
  version
  progress {
    step
    message
    percentage
  }
  error {
    code
    message
  }
  tags
  priority
  attempts {
    number
    workerId
  }
  maxAttempts
  schedule @include(if: $withSchedule) {
    id
  }
  dialect
  clientReference
  cancelReason
  runAt
  nextAttemptAt
  createdAt
  startedAt
  finishedAt
  updatedAt
}`) as unknown as TypedDocumentString<ListedJobUpdatesSubscription, ListedJobUpdatesSubscriptionVariables>;