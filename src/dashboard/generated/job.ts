/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
/** How an attempt ended. */
export type AttemptOutcome =
  /** The job was cancelled meanwhile. */
  | 'CANCELLED'
  /** With a result. */
  | 'COMPLETED'
  /** The worker went silent. */
  | 'EXPIRED'
  /** With an error that its worker reported. */
  | 'FAILED'
  /** Handed back, not counted as failed. */
  | 'RELEASED'
  /** It took longer than its type allows. */
  | 'TIMEOUT';

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

/** How severe a line is, from the least to the most. */
export type LogLevel =
  /** For whoever works on the worker. */
  | 'DEBUG'
  /** Something failed. */
  | 'ERROR'
  /** What happens. */
  | 'INFO'
  /** It goes on, but not as it should. */
  | 'WARN';

/** The state of a delivery. */
export type WebhookDeliveryStatus =
  /** Answered with 2xx. */
  | 'DELIVERED'
  /** Every try failed. redeliverWebhook starts over. */
  | 'FAILED'
  /** Waiting for its first or next try. */
  | 'PENDING';

/** The event that a delivery reports. */
export type WebhookEvent =
  /** The job was cancelled. */
  | 'JOB_CANCELLED'
  /** The job ended with a result. */
  | 'JOB_COMPLETED'
  /** The job failed for good. */
  | 'JOB_FAILED';

export type WholeJobFragment = { id: string, uuid: string, vendorId: string | null, type: string, status: JobStatus, version: number, maxAttempts: number, downloadUrl: string | null, tags: Array<string>, priority: number, creditsCharged: number, creditsRefunded: number, cancelReason: string | null, clientReference: string | null, concurrencyKey: string | null, concurrencyLimit: number | null, dialect: Dialect, runAt: string | null, nextAttemptAt: string | null, createdAt: string, startedAt: string | null, finishedAt: string | null, updatedAt: string, progress: { step: string | null, message: string | null, percentage: number | null } | null, error: { code: string, message: string } | null, attempts: Array<{ number: number, workerId: string, dueAt: string, startedAt: string, endedAt: string | null, outcome: AttemptOutcome | null, error: { code: string, message: string } | null }>, artifacts: Array<{ id: string, name: string, filename: string, mediaType: string, bytes: number, sha256: string, url: string, expiresAt: string }>, uploads: Array<{ id: string, filename: string, mediaType: string, bytes: number | null, receivedBytes: number, complete: boolean, sha256: string | null, url: string | null, expiresAt: string }>, schedule: { id: string, name: string } | null, retryOf: { id: string, type: string, status: JobStatus, createdAt: string } | null, retries: { edges: Array<{ node: { id: string, type: string, status: JobStatus, createdAt: string } }> } };

export type ReadJobQueryVariables = Exact<{
  id: string | number;
}>;


export type ReadJobQuery = { job: { id: string, uuid: string, vendorId: string | null, type: string, status: JobStatus, version: number, maxAttempts: number, downloadUrl: string | null, tags: Array<string>, priority: number, creditsCharged: number, creditsRefunded: number, cancelReason: string | null, clientReference: string | null, concurrencyKey: string | null, concurrencyLimit: number | null, dialect: Dialect, runAt: string | null, nextAttemptAt: string | null, createdAt: string, startedAt: string | null, finishedAt: string | null, updatedAt: string, progress: { step: string | null, message: string | null, percentage: number | null } | null, error: { code: string, message: string } | null, attempts: Array<{ number: number, workerId: string, dueAt: string, startedAt: string, endedAt: string | null, outcome: AttemptOutcome | null, error: { code: string, message: string } | null }>, artifacts: Array<{ id: string, name: string, filename: string, mediaType: string, bytes: number, sha256: string, url: string, expiresAt: string }>, uploads: Array<{ id: string, filename: string, mediaType: string, bytes: number | null, receivedBytes: number, complete: boolean, sha256: string | null, url: string | null, expiresAt: string }>, schedule: { id: string, name: string } | null, retryOf: { id: string, type: string, status: JobStatus, createdAt: string } | null, retries: { edges: Array<{ node: { id: string, type: string, status: JobStatus, createdAt: string } }> } } | null };

export type FollowJobSubscriptionVariables = Exact<{
  id: string | number;
  afterVersion?: number | null | undefined;
}>;


export type FollowJobSubscription = { jobProgress: { id: string, uuid: string, vendorId: string | null, type: string, status: JobStatus, version: number, maxAttempts: number, downloadUrl: string | null, tags: Array<string>, priority: number, creditsCharged: number, creditsRefunded: number, cancelReason: string | null, clientReference: string | null, concurrencyKey: string | null, concurrencyLimit: number | null, dialect: Dialect, runAt: string | null, nextAttemptAt: string | null, createdAt: string, startedAt: string | null, finishedAt: string | null, updatedAt: string, progress: { step: string | null, message: string | null, percentage: number | null } | null, error: { code: string, message: string } | null, attempts: Array<{ number: number, workerId: string, dueAt: string, startedAt: string, endedAt: string | null, outcome: AttemptOutcome | null, error: { code: string, message: string } | null }>, artifacts: Array<{ id: string, name: string, filename: string, mediaType: string, bytes: number, sha256: string, url: string, expiresAt: string }>, uploads: Array<{ id: string, filename: string, mediaType: string, bytes: number | null, receivedBytes: number, complete: boolean, sha256: string | null, url: string | null, expiresAt: string }>, schedule: { id: string, name: string } | null, retryOf: { id: string, type: string, status: JobStatus, createdAt: string } | null, retries: { edges: Array<{ node: { id: string, type: string, status: JobStatus, createdAt: string } }> } } };

export type ReadInputQueryVariables = Exact<{
  id: string | number;
}>;


export type ReadInputQuery = { job: { input: Record<string, unknown> } | null };

export type ReadOutputQueryVariables = Exact<{
  id: string | number;
}>;


export type ReadOutputQuery = { job: { output: unknown } | null };

export type ReadLogsQueryVariables = Exact<{
  id: string | number;
  level?: LogLevel | null | undefined;
  attempt?: number | null | undefined;
  last: number;
  before?: string | null | undefined;
}>;


export type ReadLogsQuery = { job: { logs: { droppedLines: number, edges: Array<{ node: { sequence: number, attempt: number, at: string, level: LogLevel, message: string, fields: Record<string, unknown> | null } }>, pageInfo: { hasPreviousPage: boolean, startCursor: string | null } } } | null };

export type ShownDeliveryFragment = { id: string, event: WebhookEvent, status: WebhookDeliveryStatus, url: string, attemptCount: number, lastResponseStatus: number | null, lastError: string | null, createdAt: string, deliveredAt: string | null };

export type ReadDeliveriesQueryVariables = Exact<{
  id: string | number;
}>;


export type ReadDeliveriesQuery = { job: { webhookDeliveries: { edges: Array<{ node: { id: string, event: WebhookEvent, status: WebhookDeliveryStatus, url: string, attemptCount: number, lastResponseStatus: number | null, lastError: string | null, createdAt: string, deliveredAt: string | null } }> } } | null };

export type RedeliverMutationVariables = Exact<{
  id: string | number;
}>;


export type RedeliverMutation = { redeliverWebhook:
    | { code: string, message: string }
    | { delivery: { id: string, event: WebhookEvent, status: WebhookDeliveryStatus, url: string, attemptCount: number, lastResponseStatus: number | null, lastError: string | null, createdAt: string, deliveredAt: string | null } }
   | null };

export type CancelThisJobMutationVariables = Exact<{
  id: string | number;
  reason?: string | null | undefined;
}>;


export type CancelThisJobMutation = { cancelJob:
    | { code: string, message: string }
    | { creditsRefunded: number }
    | { code: string, message: string }
    | { code: string, message: string }
   | null };

export type RetryThisJobMutationVariables = Exact<{
  id: string | number;
  key: string;
}>;


export type RetryThisJobMutation = { retryJob:
    | { code: string, message: string }
    | { code: string, message: string }
    | { code: string, message: string }
    | { code: string, message: string }
    | { code: string, message: string }
    | { job: { id: string } }
    | { code: string, message: string }
   | null };

export type RevealInputQueryVariables = Exact<{
  id: string | number;
}>;


export type RevealInputQuery = { revealInput: Record<string, unknown> | null };

export type ReadWhoTakesTypesQueryVariables = Exact<{ [key: string]: never; }>;


export type ReadWhoTakesTypesQuery = { jobTypes: Array<{ name: string, liveWorkers: number, paused: boolean }> };

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
export const WholeJobFragmentDoc = new TypedDocumentString(`
    fragment WholeJob on Job {
  id
  uuid
  vendorId
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
  attempts {
    number
    workerId
    dueAt
    startedAt
    endedAt
    outcome
    error {
      code
      message
    }
  }
  maxAttempts
  artifacts {
    id
    name
    filename
    mediaType
    bytes
    sha256
    url
    expiresAt
  }
  uploads {
    id
    filename
    mediaType
    bytes
    receivedBytes
    complete
    sha256
    url
    expiresAt
  }
  downloadUrl
  tags
  priority
  creditsCharged
  creditsRefunded
  cancelReason
  clientReference
  concurrencyKey
  concurrencyLimit
  dialect
  schedule {
    id
    name
  }
  retryOf {
    id
    type
    status
    createdAt
  }
  retries(first: 100) {
    edges {
      node {
        id
        type
        status
        createdAt
      }
    }
  }
  runAt
  nextAttemptAt
  createdAt
  startedAt
  finishedAt
  updatedAt
}
    `, {"fragmentName":"WholeJob"}) as unknown as TypedDocumentString<WholeJobFragment, unknown>;
export const ShownDeliveryFragmentDoc = new TypedDocumentString(`
    fragment ShownDelivery on WebhookDelivery {
  id
  event
  status
  url
  attemptCount
  lastResponseStatus
  lastError
  createdAt
  deliveredAt
}
    `, {"fragmentName":"ShownDelivery"}) as unknown as TypedDocumentString<ShownDeliveryFragment, unknown>;
export const ReadJobDocument = new TypedDocumentString(`
    query ReadJob($id: ID!) {
  job(id: $id) {
    ...WholeJob
  }
}
    fragment WholeJob on Job {
  id
  uuid
  vendorId
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
  attempts {
    number
    workerId
    dueAt
    startedAt
    endedAt
    outcome
    error {
      code
      message
    }
  }
  maxAttempts
  artifacts {
    id
    name
    filename
    mediaType
    bytes
    sha256
    url
    expiresAt
  }
  uploads {
    id
    filename
    mediaType
    bytes
    receivedBytes
    complete
    sha256
    url
    expiresAt
  }
  downloadUrl
  tags
  priority
  creditsCharged
  creditsRefunded
  cancelReason
  clientReference
  concurrencyKey
  concurrencyLimit
  dialect
  schedule {
    id
    name
  }
  retryOf {
    id
    type
    status
    createdAt
  }
  retries(first: 100) {
    edges {
      node {
        id
        type
        status
        createdAt
      }
    }
  }
  runAt
  nextAttemptAt
  createdAt
  startedAt
  finishedAt
  updatedAt
}`) as unknown as TypedDocumentString<ReadJobQuery, ReadJobQueryVariables>;
export const FollowJobDocument = new TypedDocumentString(`
    subscription FollowJob($id: ID!, $afterVersion: Int) {
  jobProgress(id: $id, afterVersion: $afterVersion) {
    ...WholeJob
  }
}
    fragment WholeJob on Job {
  id
  uuid
  vendorId
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
  attempts {
    number
    workerId
    dueAt
    startedAt
    endedAt
    outcome
    error {
      code
      message
    }
  }
  maxAttempts
  artifacts {
    id
    name
    filename
    mediaType
    bytes
    sha256
    url
    expiresAt
  }
  uploads {
    id
    filename
    mediaType
    bytes
    receivedBytes
    complete
    sha256
    url
    expiresAt
  }
  downloadUrl
  tags
  priority
  creditsCharged
  creditsRefunded
  cancelReason
  clientReference
  concurrencyKey
  concurrencyLimit
  dialect
  schedule {
    id
    name
  }
  retryOf {
    id
    type
    status
    createdAt
  }
  retries(first: 100) {
    edges {
      node {
        id
        type
        status
        createdAt
      }
    }
  }
  runAt
  nextAttemptAt
  createdAt
  startedAt
  finishedAt
  updatedAt
}`) as unknown as TypedDocumentString<FollowJobSubscription, FollowJobSubscriptionVariables>;
export const ReadInputDocument = new TypedDocumentString(`
    query ReadInput($id: ID!) {
  job(id: $id) {
    input
  }
}
    `) as unknown as TypedDocumentString<ReadInputQuery, ReadInputQueryVariables>;
export const ReadOutputDocument = new TypedDocumentString(`
    query ReadOutput($id: ID!) {
  job(id: $id) {
    output
  }
}
    `) as unknown as TypedDocumentString<ReadOutputQuery, ReadOutputQueryVariables>;
export const ReadLogsDocument = new TypedDocumentString(`
    query ReadLogs($id: ID!, $level: LogLevel, $attempt: Int, $last: Int!, $before: String) {
  job(id: $id) {
    logs(level: $level, attempt: $attempt, last: $last, before: $before) {
      droppedLines
      edges {
        node {
          sequence
          attempt
          at
          level
          message
          fields
        }
      }
      pageInfo {
        hasPreviousPage
        startCursor
      }
    }
  }
}
    `) as unknown as TypedDocumentString<ReadLogsQuery, ReadLogsQueryVariables>;
export const ReadDeliveriesDocument = new TypedDocumentString(`
    query ReadDeliveries($id: ID!) {
  job(id: $id) {
    webhookDeliveries(first: 100) {
      edges {
        node {
          ...ShownDelivery
        }
      }
    }
  }
}
    fragment ShownDelivery on WebhookDelivery {
  id
  event
  status
  url
  attemptCount
  lastResponseStatus
  lastError
  createdAt
  deliveredAt
}`) as unknown as TypedDocumentString<ReadDeliveriesQuery, ReadDeliveriesQueryVariables>;
export const RedeliverDocument = new TypedDocumentString(`
    mutation Redeliver($id: ID!) {
  redeliverWebhook(input: {id: $id}) {
    ... on RedeliverWebhookPayload {
      delivery {
        ...ShownDelivery
      }
    }
    ... on UserError {
      code
      message
    }
  }
}
    fragment ShownDelivery on WebhookDelivery {
  id
  event
  status
  url
  attemptCount
  lastResponseStatus
  lastError
  createdAt
  deliveredAt
}`) as unknown as TypedDocumentString<RedeliverMutation, RedeliverMutationVariables>;
export const CancelThisJobDocument = new TypedDocumentString(`
    mutation CancelThisJob($id: ID!, $reason: String) {
  cancelJob(input: {id: $id, reason: $reason}) {
    ... on CancelJobPayload {
      creditsRefunded
    }
    ... on UserError {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<CancelThisJobMutation, CancelThisJobMutationVariables>;
export const RetryThisJobDocument = new TypedDocumentString(`
    mutation RetryThisJob($id: ID!, $key: String!) {
  retryJob(input: {id: $id, idempotencyKey: $key}) {
    ... on RetryJobPayload {
      job {
        id
      }
    }
    ... on UserError {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<RetryThisJobMutation, RetryThisJobMutationVariables>;
export const RevealInputDocument = new TypedDocumentString(`
    query RevealInput($id: ID!) {
  revealInput(jobId: $id)
}
    `) as unknown as TypedDocumentString<RevealInputQuery, RevealInputQueryVariables>;
export const ReadWhoTakesTypesDocument = new TypedDocumentString(`
    query ReadWhoTakesTypes {
  jobTypes {
    name
    liveWorkers
    paused
  }
}
    `) as unknown as TypedDocumentString<ReadWhoTakesTypesQuery, ReadWhoTakesTypesQueryVariables>;