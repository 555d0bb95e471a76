/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
/** The schedule to create. */
export type CreateScheduleInput = {
  /** As in CreateJobInput. */
  concurrencyKey?: string | null | undefined;
  /** As in CreateJobInput. */
  concurrencyLimit?: number | null | undefined;
  /** Five fields, or six with seconds first. */
  cron: string;
  /** Must match the type's inputSchema. Default: {}. */
  input?: Record<string, unknown> | null | undefined;
  /** 1 to 100. Default: the type's own. */
  maxAttempts?: number | null | undefined;
  /** 1 to 200 characters, unique in the workspace. */
  name: string;
  /** What happens while its last job has not ended. Default: SKIP. */
  overlap?: ScheduleOverlap | null | undefined;
  /** Minutes of head start, -100 to 100. Default: 0. */
  priority?: number | null | undefined;
  /** At most 20, each of 1 to 100 characters. */
  tags?: Array<string> | null | undefined;
  /** IANA name. Default: UTC. */
  timeZone?: string | null | undefined;
  /** Name of a job type: see `jobTypes`. */
  type: string;
  /** An http or https URL. An invalid one is a ValidationError. */
  webhookUrl?: string | null | undefined;
};

/** The schedule to delete. */
export type DeleteScheduleInput = {
  /** The schedule's global id. */
  id: string | number;
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

/** What an occurrence does while the job of the one before has not ended. */
export type ScheduleOverlap =
  /** Another job, whatever became of the last one. */
  | 'ALLOW'
  /** None while the last one has not ended. */
  | 'SKIP';

/** The schedule to trigger. */
export type TriggerScheduleInput = {
  /** The schedule's global id. */
  id: string | number;
};

/** What is left out stays as it was. Null puts back what a new schedule has where it is not given. */
export type UpdateScheduleInput = {
  /** As in CreateJobInput. */
  concurrencyKey?: string | null | undefined;
  /** As in CreateJobInput. */
  concurrencyLimit?: number | null | undefined;
  /** The next occurrence is then the next one from now on. */
  cron?: string | null | undefined;
  /** The schedule's global id. */
  id: string | number;
  /** Must match the type's inputSchema. */
  input?: Record<string, unknown> | null | undefined;
  /** 1 to 100. */
  maxAttempts?: number | null | undefined;
  /** As in CreateScheduleInput, as are those below but for the last. */
  name?: string | null | undefined;
  /** What happens while its last job has not ended. */
  overlap?: ScheduleOverlap | null | undefined;
  /** True lets it have no occurrences. False lets it go on from now: those that it missed are not made up for. */
  paused?: boolean | null | undefined;
  /** Minutes of head start. */
  priority?: number | null | undefined;
  /** In place of those before. */
  tags?: Array<string> | null | undefined;
  /** The same. */
  timeZone?: string | null | undefined;
  /** An http or https URL. */
  webhookUrl?: string | null | undefined;
};

export type ListedScheduleFragment = { id: string, name: string, type: string, cron: string, timeZone: string, paused: boolean, overlap: ScheduleOverlap, nextRunAt: string | null, lastRunAt: string | null, lastError: { code: string, message: string } | null };

export type WholeScheduleFragment = { input: Record<string, unknown>, priority: number, maxAttempts: number | null, tags: Array<string>, webhookUrl: string | null, concurrencyKey: string | null, concurrencyLimit: number | null, createdAt: string, id: string, name: string, type: string, cron: string, timeZone: string, paused: boolean, overlap: ScheduleOverlap, nextRunAt: string | null, lastRunAt: string | null, lastError: { code: string, message: string } | null };

export type ListSchedulesQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  last?: number | null | undefined;
  before?: string | null | undefined;
}>;


export type ListSchedulesQuery = { workspace: { id: string, schedules: { edges: Array<{ node: { id: string, name: string, type: string, cron: string, timeZone: string, paused: boolean, overlap: ScheduleOverlap, nextRunAt: string | null, lastRunAt: string | null, lastError: { code: string, message: string } | null } }>, pageInfo: { hasNextPage: boolean, hasPreviousPage: boolean, startCursor: string | null, endCursor: string | null } } } };

export type OneScheduleQueryVariables = Exact<{
  id: string | number;
}>;


export type OneScheduleQuery = { node:
    | { kind: 'ApiKey' }
    | { kind: 'Artifact' }
    | { kind: 'AuditEntry' }
    | { kind: 'BulkAction' }
    | { kind: 'CreditTransaction' }
    | { kind: 'Job' }
    | { input: Record<string, unknown>, priority: number, maxAttempts: number | null, tags: Array<string>, webhookUrl: string | null, concurrencyKey: string | null, concurrencyLimit: number | null, createdAt: string, id: string, name: string, type: string, cron: string, timeZone: string, paused: boolean, overlap: ScheduleOverlap, nextRunAt: string | null, lastRunAt: string | null, kind: 'Schedule', jobs: { edges: Array<{ node: { id: string, status: JobStatus, createdAt: string, startedAt: string | null, finishedAt: string | null, error: { code: string, message: string } | null } }>, pageInfo: { hasNextPage: boolean } }, lastError: { code: string, message: string } | null }
    | { kind: 'Upload' }
    | { kind: 'WebhookDelivery' }
    | { kind: 'Worker' }
    | { kind: 'Workspace' }
   | null };

export type ScheduleTypesQueryVariables = Exact<{ [key: string]: never; }>;


export type ScheduleTypesQuery = { jobTypes: Array<{ name: string }> };

export type MakeScheduleMutationVariables = Exact<{
  input: CreateScheduleInput;
}>;


export type MakeScheduleMutation = { createSchedule:
    | { schedule: { id: string, name: string } }
    | { code: string, message: string, issues: Array<{ path: Array<string>, message: string }> }
   | null };

export type ChangeScheduleMutationVariables = Exact<{
  input: UpdateScheduleInput;
}>;


export type ChangeScheduleMutation = { updateSchedule:
    | { code: string, message: string }
    | { schedule: { id: string, name: string } }
    | { code: string, message: string, issues: Array<{ path: Array<string>, message: string }> }
   | null };

export type RunScheduleMutationVariables = Exact<{
  input: TriggerScheduleInput;
}>;


export type RunScheduleMutation = { triggerSchedule:
    | { code: string, message: string }
    | { code: string, message: string }
    | { code: string, message: string }
    | { job: { id: string } }
    | { code: string, message: string }
   | null };

export type RemoveScheduleMutationVariables = Exact<{
  input: DeleteScheduleInput;
}>;


export type RemoveScheduleMutation = { deleteSchedule:
    | { id: string }
    | { code: string, message: string }
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
export const ListedScheduleFragmentDoc = new TypedDocumentString(`
    fragment ListedSchedule on Schedule {
  id
  name
  type
  cron
  timeZone
  paused
  overlap
  nextRunAt
  lastRunAt
  lastError {
    code
    message
  }
}
    `, {"fragmentName":"ListedSchedule"}) as unknown as TypedDocumentString<ListedScheduleFragment, unknown>;
export const WholeScheduleFragmentDoc = new TypedDocumentString(`
    fragment WholeSchedule on Schedule {
  ...ListedSchedule
  input
  priority
  maxAttempts
  tags
  webhookUrl
  concurrencyKey
  concurrencyLimit
  createdAt
}
    fragment ListedSchedule on Schedule {
  id
  name
  type
  cron
  timeZone
  paused
  overlap
  nextRunAt
  lastRunAt
  lastError {
    code
    message
  }
}`, {"fragmentName":"WholeSchedule"}) as unknown as TypedDocumentString<WholeScheduleFragment, unknown>;
export const ListSchedulesDocument = new TypedDocumentString(`
    query ListSchedules($first: Int, $after: String, $last: Int, $before: String) {
  workspace {
    id
    schedules(first: $first, after: $after, last: $last, before: $before) {
      edges {
        node {
          ...ListedSchedule
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
    fragment ListedSchedule on Schedule {
  id
  name
  type
  cron
  timeZone
  paused
  overlap
  nextRunAt
  lastRunAt
  lastError {
    code
    message
  }
}`) as unknown as TypedDocumentString<ListSchedulesQuery, ListSchedulesQueryVariables>;
export const OneScheduleDocument = new TypedDocumentString(`
    query OneSchedule($id: ID!) {
  node(id: $id) {
    kind: __typename
    ... on Schedule {
      ...WholeSchedule
      jobs(first: 10) {
        edges {
          node {
            id
            status
            createdAt
            startedAt
            finishedAt
            error {
              code
              message
            }
          }
        }
        pageInfo {
          hasNextPage
        }
      }
    }
  }
}
    fragment ListedSchedule on Schedule {
  id
  name
  type
  cron
  timeZone
  paused
  overlap
  nextRunAt
  lastRunAt
  lastError {
    code
    message
  }
}
fragment WholeSchedule on Schedule {
  ...ListedSchedule
  input
  priority
  maxAttempts
  tags
  webhookUrl
  concurrencyKey
  concurrencyLimit
  createdAt
}`) as unknown as TypedDocumentString<OneScheduleQuery, OneScheduleQueryVariables>;
export const ScheduleTypesDocument = new TypedDocumentString(`
    query ScheduleTypes {
  jobTypes {
    name
  }
}
    `) as unknown as TypedDocumentString<ScheduleTypesQuery, ScheduleTypesQueryVariables>;
export const MakeScheduleDocument = new TypedDocumentString(`
    mutation MakeSchedule($input: CreateScheduleInput!) {
  createSchedule(input: $input) {
    ... on CreateSchedulePayload {
      schedule {
        id
        name
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
    `) as unknown as TypedDocumentString<MakeScheduleMutation, MakeScheduleMutationVariables>;
export const ChangeScheduleDocument = new TypedDocumentString(`
    mutation ChangeSchedule($input: UpdateScheduleInput!) {
  updateSchedule(input: $input) {
    ... on UpdateSchedulePayload {
      schedule {
        id
        name
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
    `) as unknown as TypedDocumentString<ChangeScheduleMutation, ChangeScheduleMutationVariables>;
export const RunScheduleDocument = new TypedDocumentString(`
    mutation RunSchedule($input: TriggerScheduleInput!) {
  triggerSchedule(input: $input) {
    ... on TriggerSchedulePayload {
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
    `) as unknown as TypedDocumentString<RunScheduleMutation, RunScheduleMutationVariables>;
export const RemoveScheduleDocument = new TypedDocumentString(`
    mutation RemoveSchedule($input: DeleteScheduleInput!) {
  deleteSchedule(input: $input) {
    ... on DeleteSchedulePayload {
      id
    }
    ... on UserError {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<RemoveScheduleMutation, RemoveScheduleMutationVariables>;